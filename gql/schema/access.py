"""Access rights on segments and pools as the API shows them."""

from collections.abc import Sequence

import strawberry

from core.access import Resource, Right, Scope
from core.errors import BadInput, TooLarge
from core.policies import Subject, SubjectKind, object_name, read_subject, team, user
from db.commands.grant import AccessEntry as CoreEntry
from gql.context import Info
from gql.schema import ids
from gql.schema.enums import published
from gql.schema.team import Team
from gql.schema.user import User

MAX_ENTRIES = 200

published(
    Right,
    "AccessRight",
    "What a team or user may do with one segment or pool.",
    {
        "VIEW": "See it, and the leads of a segment.",
        "CALL": "See a segment and call its leads.",
        "EDIT": "See a segment and change its rules, settings and members.",
        "ADMINISTER": "All of these on a segment, and give access to it.",
        "MANAGE": "See a pool, change it, and give access to it.",
    },
)


@strawberry.type(description="What one team or user may do with a segment or pool.")
class AccessEntry:
    subject: strawberry.Private[Subject]
    rights: list[Right] = strawberry.field(description="Their rights, with those that each includes.")

    async def resolve_team(self, info: Info) -> Team | None:
        if self.subject.kind is not SubjectKind.TEAM:
            return None
        row = await info.context.loaders.team.load(int(self.subject.key))
        return Team.from_row(row) if row else None

    async def resolve_user(self, info: Info) -> User | None:
        if self.subject.kind is not SubjectKind.USER:
            return None
        row = await info.context.loaders.user.load(int(self.subject.key))
        return User.from_row(row) if row else None

    team: Team | None = strawberry.field(
        resolver=resolve_team, description="The team; null where it is a user's."
    )
    user: User | None = strawberry.field(
        resolver=resolve_user, description="The user; null where it is a team's."
    )


async def load_access(info: Info, resource: Resource, object_id: int) -> list[AccessEntry]:
    """Who has rights of their own on an object, by team and user."""
    rights: dict[Subject, list[Right]] = {}
    for line in await info.context.loaders.access.load(object_name(resource, object_id)):
        rights.setdefault(read_subject(line.v0), []).append(Right(line.v2))
    return [AccessEntry(subject=subject, rights=sorted(given)) for subject, given in rights.items()]


@strawberry.input(one_of=True, description="Who gets access: a team or a user.")
class AccessHolderInput:
    team_id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="This team and those below it.")
    user_id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="This user.")

    def to_core(self, scope: Scope, path: Sequence[str]) -> Subject:
        """Raises NotFound for an ID that is not of the caller's organisation."""
        if self.team_id:
            return team(ids.local("Team", self.team_id.value, scope, [*path, "teamId"]))
        if self.user_id:
            return user(ids.local("User", self.user_id.value, scope, [*path, "userId"]))
        raise BadInput("Name a team or a user.", field=path)


@strawberry.input(description="Rights for a team or user.")
class AccessEntryInput:
    to: AccessHolderInput = strawberry.field(description="Who gets them.")
    rights: list[Right] = strawberry.field(
        description="At least one; each brings those it includes. Segments: VIEW, CALL, EDIT, ADMINISTER; "
        "pools: VIEW, MANAGE."
    )

    def to_core(self, scope: Scope, path: Sequence[str]) -> CoreEntry:
        return CoreEntry(self.to.to_core(scope, [*path, "to"]), frozenset(self.rights))


def entries_of(access: Sequence[AccessEntryInput], scope: Scope) -> list[CoreEntry]:
    """Entries as `input.access` gives them. Raises TooLarge, NotFound, BadInput."""
    if len(access) > MAX_ENTRIES:
        raise TooLarge(f"At most {MAX_ENTRIES} teams and users.", field=["input", "access"])
    return [entry.to_core(scope, ["input", "access", str(place)]) for place, entry in enumerate(access)]
