"""Undoing what was done, by its changeset."""

from db.commands import changeset as commands
from db.commands.member_operation import undo_of
from gql.context import Info
from gql.planning import planned
from gql.schema import ids
from gql.schema.changeset import UndoChangesetInput, UndoChangesetPayload


async def undo_changeset(info: Info, input: UndoChangesetInput) -> UndoChangesetPayload:
    context = info.context
    changeset = ids.local("ChangeLogEntry", input.changeset, context.scope, ["input", "changeset"])
    if input.dry_run:
        async with context.database.reading() as session:
            operation = await undo_of(session, context.scope, changeset)
        return UndoChangesetPayload(plan=await planned(context, operation))
    async with context.writing() as (session, scope):
        done = await commands.undo_changeset(session, scope, changeset, now=context.now)
    return UndoChangesetPayload.from_core(done)
