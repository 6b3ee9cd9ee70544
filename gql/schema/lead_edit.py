"""Editing and deleting leads one by one, as the API shows it."""

from collections.abc import Sequence
from typing import Any, Self

import strawberry

from core.access import Scope
from core.calling import Owner
from core.errors import BadInput
from core.lead_edit import LeadChanges
from core.lead_rows import ValueWarning as CoreWarning
from core.statuses import LeadStatus
from db.commands.lead_many import LeadEdited
from gql.schema import ids
from gql.schema.lead import Lead
from gql.schema.user_error import UserError


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
