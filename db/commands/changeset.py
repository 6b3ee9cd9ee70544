"""Taking back an operation by its entry in the change log."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Permission, Scope
from core.errors import NotFound
from db.commands.import_undo import undo_import
from db.commands.membership_undo import MembersUndone, undo_members
from db.models import ChangeLog, Job

PATH = ("input", "changeset")


async def undo_changeset(
    session: AsyncSession, scope: Scope, changeset: int, *, now: datetime
) -> Job | MembersUndone:
    """Takes back an import, by a job, or an operation on the members of segments.

    Raises  NotFound, also for what the caller could not have done, and for edits of other things
    """
    imports = scope.may(Permission.LEAD_IMPORT) and scope.may(Permission.LEAD_POOL_MANAGE)
    if not imports:
        scope.need(Permission.SEGMENT_EDIT)
    entry = await session.get(ChangeLog, (scope.organisation_id, changeset))
    if entry is None:
        raise NotFound(field=PATH)
    if entry.noun == "segment" and scope.may(Permission.SEGMENT_EDIT):
        return await undo_members(session, scope, changeset, now=now)
    if entry.noun == "lead_pool" and imports:
        return await undo_import(session, scope, changeset, now=now)
    # Of others nothing is told, not even that they are there.
    raise NotFound(field=PATH)
