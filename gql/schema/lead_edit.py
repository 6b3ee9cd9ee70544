"""Editing and deleting leads, one by one or many alike, as the API shows it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Self

import strawberry

from core.access import Scope
from core.calling import Owner
from core.errors import BadInput
from core.lead_edit import LeadChanges
from core.lead_rows import ValueWarning as CoreWarning
from core.statuses import LeadStatus
from db.commands.lead_edit import LeadEdited
from gql.schema import ids
from gql.schema.enums import published
from gql.schema.job import Job
from gql.schema.lead import Lead
from gql.schema.lead_where import LeadFilter
from gql.schema.segment_filter import RuleTree
from gql.schema.user_error import UserError

MAX_IDS = 10_000


class UpdateMode(StrEnum):
    """What one lead that cannot be edited means for the others."""

    ATOMIC = "atomic"
    EACH = "each"


published(
    UpdateMode,
    "LeadUpdateMode",
    "What one lead that cannot be edited means for the others.",
    {"ATOMIC": "Then none is edited.", "EACH": "The others are edited; each is told about by itself."},
)


@strawberry.input(description="A master data value to enter.")
class LeadValueInput:
    key: str = strawberry.field(description="Key of a field of the campaign's template.")
    value: str | None = strawberry.field(description="As a file has it; null or blank empties the field.")


@strawberry.input(one_of=True, description="Who is to own a lead: exactly one of these.")
class LeadOwnerInput:
    user_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="This user alone.")
    team_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="These teams together, one or several."
    )
    nobody: bool | None = strawberry.field(
        default=strawberry.UNSET, description="true: anyone with access may call it."
    )

    def to_core(self, scope: Scope) -> Owner:
        """Raises NotFound for an ID that is not of the caller's organisation."""
        if self.user_id:
            return Owner(user_id=ids.local("User", self.user_id, scope, ["input", "owner", "userId"]))
        if self.team_ids:
            path = ["input", "owner", "teamIds"]
            return Owner(team_ids=tuple(sorted(set(ids.locals_of("Team", self.team_ids, scope, path)))))
        if self.team_ids is not strawberry.UNSET:
            raise BadInput("Name a team, or say `nobody`.", field=["input", "owner", "teamIds"])
        if self.nobody is not True:
            raise BadInput("Say true.", field=["input", "owner", "nobody"])
        return Owner()


@strawberry.input(description="What to change of leads; what is left out stays as it is.")
class LeadChangesInput:
    values: list[LeadValueInput] = strawberry.field(
        default_factory=list,
        description="Master data; in one project a value is shared by a master and its clones.",
    )
    status: LeadStatus | None = strawberry.field(default=None, description="Where it stands.")
    owner: LeadOwnerInput | None = strawberry.field(default=None, description="Who may call it.")
    priority: int | None = strawberry.field(default=None, description="The highest are called first.")
    active: bool | None = strawberry.field(
        default=None, description="Whether it takes part in calling and duplicate searches."
    )

    def to_core(self, scope: Scope) -> LeadChanges:
        return LeadChanges(
            values=values_of(self.values),
            status=self.status,
            owner=None if self.owner is None else self.owner.to_core(scope),
            priority=self.priority,
            active=self.active,
        )


@strawberry.input(description="A lead to edit; what is left out stays as it is.")
class UpdateLeadInput(LeadChangesInput):
    id: strawberry.ID = strawberry.field(description="The lead.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="Leads by conditions, as the list of leads has them; at least one.")
class LeadConditionsInput:
    where: LeadFilter | None = strawberry.field(default=None, description="Conditions on own fields.")
    filter: RuleTree | None = strawberry.field(default=None, description="A rule over a project's fields.")
    search: str | None = strawberry.field(default=None, description="Words, or a phone number.")


@strawberry.input(one_of=True, description="Which leads: exactly one of these.")
class LeadSelectionInput:
    ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description=f"These, at most {MAX_IDS:,}; up to 200 are edited at once."
    )
    where: LeadConditionsInput | None = strawberry.field(
        default=strawberry.UNSET, description="Those that meet the conditions now."
    )
    segment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Those that are in this segment now."
    )
    lead_pool_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Those that are in this pool now."
    )


@strawberry.input(description="Leads to edit alike.")
class UpdateLeadsInput:
    selection: LeadSelectionInput = strawberry.field(
        description="Which; more than 200 IDs, and leads named otherwise, are edited by a job."
    )
    changes: LeadChangesInput = strawberry.field(description="What to change of each.")
    mode: UpdateMode = strawberry.field(
        default=UpdateMode.EACH, description="What a lead that cannot be edited means; a job does EACH."
    )


@strawberry.input(description="A lead to delete.")
class DeleteLeadInput:
    id: strawberry.ID = strawberry.field(description="The lead.")
    confirm: bool = strawberry.field(
        default=False, description="Must be true for a lead that has been worked: its calls go with it."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.type(description="A value that was kept as it is and counts as empty for rules.")
class ValueWarning:
    field: str = strawberry.field(description="Key of the field.")
    value: str = strawberry.field(description="The text.")
    reason: str = strawberry.field(description="Why it does not read as the field's type.")

    @classmethod
    def from_core(cls, warnings: Sequence[CoreWarning]) -> list[Self]:
        return [cls(field=one.column, value=one.value, reason=one.reason) for one in warnings]


@strawberry.type(description="A lead after an edit, or why there was none.")
class LeadPayload:
    lead: Lead | None = strawberry.field(default=None, description="The lead.")
    warnings: list[ValueWarning] = strawberry.field(
        default_factory=list, description="Values that were kept though they could not be read."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")

    @classmethod
    def from_core(cls, edited: LeadEdited) -> Self:
        return cls(lead=Lead.from_row(edited.lead), warnings=ValueWarning.from_core(edited.warnings))


@strawberry.type(description="What became of one of several leads.")
class LeadOutcome:
    id: strawberry.ID = strawberry.field(description="The ID as it was given.")
    lead: Lead | None = strawberry.field(default=None, description="The lead; null where it was not edited.")
    changed: bool = strawberry.field(default=False, description="Whether anything is not as it was before.")
    warnings: list[ValueWarning] = strawberry.field(
        default_factory=list, description="Values that were kept though they could not be read."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was not.")


@strawberry.type(description="What became of each lead, or the job that edits them, or why nothing was done.")
class LeadsPayload:
    outcomes: list[LeadOutcome] = strawberry.field(
        default_factory=list, description="One for each ID, in their order; empty where a job does it."
    )
    job: Job | None = strawberry.field(
        default=None, description="The job that edits the leads; its `leadUpdate` tells what became of them."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="Whether a lead was deleted, or why not.")
class DeleteLeadPayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="ID of the deleted lead.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def values_of(given: Sequence[LeadValueInput]) -> dict[str, Any]:
    """Values by key. Raises BadInput for a key that comes twice."""
    values: dict[str, Any] = {}
    for place, one in enumerate(given):
        if one.key in values:
            raise BadInput(f"“{one.key[:100]}” comes twice.", field=["input", "values", str(place), "key"])
        values[one.key] = one.value
    return values
