"""The settings of an upload as the API shows and takes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import strawberry
from strawberry import UNSET

from core.access import Scope
from core.import_accounts import DuplicateAction, DuplicateRule, DuplicateScope
from core.lead_spread import Spread
from core.opening_hours import clock, minute_of
from core.upload import ImportSettings
from gql.context import Info
from gql.schema import ids
from gql.schema.team import Team
from gql.schema.user import User


@strawberry.type(description="How the leads of an upload come in.")
class UploadSettings:
    core: strawberry.Private[ImportSettings]
    pool_name: str = strawberry.field(description="Name of the pool to make.")
    description: str = strawberry.field(description="Its description.")
    priority: int = strawberry.field(description="Priority of its leads; the highest come first.")
    active_from: datetime | None = strawberry.field(description="Leads are not called before, UTC.")
    active_until: datetime | None = strawberry.field(description="Leads are not called from then on, UTC.")
    day_offset: int = strawberry.field(description="Days between the upload and the first day of use.")
    day_count: int = strawberry.field(description="Days over which leads are spread at random.")
    time_from: str | None = strawberry.field(
        description="HH:MM: from when in their day leads may be called, in the campaign's zone."
    )
    time_until: str | None = strawberry.field(description="HH:MM: every lead may be called by then.")
    duplicate_field: str | None = strawberry.field(description="Key of the field that tells duplicates.")
    duplicate_scope: DuplicateScope = strawberry.field(description="Where duplicates are looked for.")
    duplicate_action: DuplicateAction = strawberry.field(description="What is done about them.")
    only_open: bool = strawberry.field(description="Whether only open leads count.")
    include_inactive_pools: bool = strawberry.field(description="Whether leads of inactive pools count.")
    repeats_within_file: bool = strawberry.field(description="Whether rows of the file itself count.")

    async def resolve_owner_user(self, info: Info) -> User | None:
        if self.core.owner_user_id is None:
            return None
        row = await info.context.loaders.user.load(self.core.owner_user_id)
        return User.from_row(row) if row else None

    async def resolve_owner_teams(self, info: Info) -> list[Team]:
        rows = [await info.context.loaders.team.load(one) for one in self.core.owner_team_ids]
        return [Team.from_row(row) for row in rows if row is not None]

    owner_user: User | None = strawberry.field(
        resolver=resolve_owner_user, description="The only user who may call the leads."
    )
    owner_teams: list[Team] = strawberry.field(
        resolver=resolve_owner_teams, description="The teams that own the leads together."
    )

    @classmethod
    def from_core(cls, settings: ImportSettings) -> Self:
        rule, spread = settings.duplicates, settings.spread
        times = [clock(minute) for minute in spread.time_range] if spread.time_range else [None, None]
        return cls(
            core=settings,
            day_offset=spread.day_offset,
            day_count=spread.day_count,
            time_from=times[0],
            time_until=times[1],
            pool_name=settings.pool_name,
            description=settings.description,
            priority=settings.priority,
            active_from=settings.active_from,
            active_until=settings.active_until,
            duplicate_field=settings.duplicate_field,
            duplicate_scope=rule.scope,
            duplicate_action=rule.action,
            only_open=rule.only_open,
            include_inactive_pools=rule.include_inactive_pools,
            repeats_within_file=rule.within_file,
        )


@strawberry.input(
    description="How the leads of an upload come in. In an edit what is left out stays as it is; "
    "null is the default."
)
class UploadSettingsInput:
    pool_name: str | None = strawberry.field(
        default=UNSET, description="Name of the pool to make; by default the file's name."
    )
    description: str | None = strawberry.field(default=UNSET, description="Its description; by default none.")
    priority: int | None = strawberry.field(
        default=UNSET, description="Priority of its leads, by default 0; the highest come first."
    )
    active_from: datetime | None = strawberry.field(default=UNSET, description="Leads are not called before.")
    active_until: datetime | None = strawberry.field(
        default=UNSET, description="Leads are not called from then on."
    )
    owner_user_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The only user who may call them; takes the place of teams."
    )
    owner_team_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET,
        description="The teams that own them together: whoever is in one of them may call them. They take "
        "the place of a user.",
    )
    day_offset: int | None = strawberry.field(
        default=UNSET, description="Days between the upload and the first day of use, 0 to 366; by default 0."
    )
    day_count: int | None = strawberry.field(
        default=UNSET, description="Days over which leads are spread at random, 1 to 366; by default 1."
    )
    time_from: str | None = strawberry.field(
        default=UNSET,
        description="HH:MM, with `timeUntil`: each lead may be called from a moment of its day that is drawn "
        "between the two, in the campaign's zone. By default from the beginning of its day.",
    )
    time_until: str | None = strawberry.field(
        default=UNSET, description="HH:MM, after `timeFrom`, at most 24:00."
    )
    duplicate_field: str | None = strawberry.field(
        default=UNSET,
        description="Key of the field that tells duplicates, as `campaign { fields { key } }` has it; needed "
        "and without a default. `phone` is the lead's own phone, whichever the field it comes from.",
    )
    duplicate_scope: DuplicateScope | None = strawberry.field(
        default=UNSET, description="Where duplicates are looked for; by default in the campaign."
    )
    duplicate_action: DuplicateAction | None = strawberry.field(
        default=UNSET, description="What is done about them; by default they are discarded."
    )
    only_open: bool | None = strawberry.field(
        default=UNSET, description="Whether only open leads count; by default closed ones do too."
    )
    include_inactive_pools: bool | None = strawberry.field(
        default=UNSET, description="Whether leads of inactive pools count; by default they do not."
    )
    repeats_within_file: bool | None = strawberry.field(
        default=UNSET,
        description="Whether a row that repeats an earlier row of the file is a duplicate; by default it is.",
    )

    def to_core(self, scope: Scope, file_name: str, current: ImportSettings) -> ImportSettings:
        """The settings as they are now, with what is said here."""
        default = ImportSettings(pool_name=file_name)
        plain = ("description", "priority", "active_from", "active_until", "duplicate_field")
        name = self.pool_name or None if self.pool_name is not UNSET else UNSET
        return ImportSettings(
            pool_name=_chosen(name, current.pool_name, file_name),
            **{
                one: _chosen(getattr(self, one), getattr(current, one), getattr(default, one))
                for one in plain
            },
            **self._owner(scope, current),
            spread=self._spread(current.spread),
            duplicates=DuplicateRule(
                **{
                    one: _chosen(
                        getattr(self, given), getattr(current.duplicates, one), getattr(DuplicateRule(), one)
                    )
                    for one, given in DUPLICATE_OPTIONS.items()
                }
            ),
        )

    def _owner(self, scope: Scope, current: ImportSettings) -> dict[str, Any]:
        path = ("input", "settings")
        user, teams = current.owner_user_id, current.owner_team_ids
        if self.owner_user_id is not UNSET:
            user = ids.optional_local("User", self.owner_user_id, scope, (*path, "ownerUserId"))
            teams = () if user is not None else teams
        if self.owner_team_ids is not UNSET:
            given = self.owner_team_ids or ()
            teams = tuple(ids.locals_of("Team", given, scope, (*path, "ownerTeamIds")))
            user = user if self.owner_user_id is not UNSET or not teams else None
        return {"owner_user_id": user, "owner_team_ids": teams}

    def _spread(self, current: Spread) -> Spread:
        return Spread(
            _chosen(self.day_offset, current.day_offset, Spread().day_offset),
            _chosen(self.day_count, current.day_count, Spread().day_count),
            self._time_range(current.time_range),
        )

    def _time_range(self, current: tuple[int, int] | None) -> tuple[int, int] | None:
        times = [clock(minute) for minute in current] if current else [None, None]
        given = {
            "timeFrom": _chosen(self.time_from, times[0], None),
            "timeUntil": _chosen(self.time_until, times[1], None),
        }
        return time_range(given, ("input", "settings"))


DUPLICATE_OPTIONS = {
    "scope": "duplicate_scope",
    "action": "duplicate_action",
    "only_open": "only_open",
    "include_inactive_pools": "include_inactive_pools",
    "within_file": "repeats_within_file",
}
"""The input's name for each option of the rule."""


def time_range(given: Mapping[str, str | None], path: Sequence[str]) -> tuple[int, int] | None:
    """The minutes of a time from and a time until, by the names they are given under; None for neither."""
    if not any(given.values()):
        return None
    begin, end = (minute_of(text, (*path, name)) for name, text in given.items())
    return begin, end


def _chosen(given: Any, current: Any, default: Any) -> Any:
    """What is given; what there is where nothing is, and the default in place of null."""
    if given is UNSET:
        return current
    return default if given is None else given
