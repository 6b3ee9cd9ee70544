"""What a planned import would do, and what an undone one did, as the API shows them."""

from collections.abc import Mapping
from typing import Any, Self

import strawberry

from core.access import Permission
from core.masking import masked_text
from gql.context import Info
from gql.schema.ids import opaque

SHOWN = ("line", "outcome", "column", "reason", "action")


@strawberry.type(description="A row that would not simply become a lead, or a value of one that would.")
class PlannedProblem:
    line: int = strawberry.field(description="The line it begins on.")
    outcome: str = strawberry.field(
        description="invalid, duplicate (discarded), flagged or warned (both imported)."
    )
    column: str | None = strawberry.field(description="The column to blame; null: the whole row.")
    held: strawberry.Private[str | None]

    def resolve_value(self, info: Info) -> str | None:
        shown = self.held is None or info.context.scope.may(Permission.PHONE_VIEW)
        return self.held if shown else masked_text(self.held or "")

    value: str | None = strawberry.field(
        resolver=resolve_value,
        description=f"What it holds; digits as of a phone are hidden without `{Permission.PHONE_VIEW.name}`.",
    )
    reason: str = strawberry.field(description="What is wrong, or what it repeats.")
    action: str | None = strawberry.field(description="What would be done about a duplicate.")


@strawberry.type(description="What an import would do as things stand. rows = valid + invalid + duplicates.")
class ImportPlan:
    rows: int = strawberry.field(description="Rows in the file.")
    valid: int = strawberry.field(description="Rows that would become leads.")
    invalid: int = strawberry.field(description="Rows that would be refused.")
    duplicates: int = strawberry.field(description="Rows that would be discarded as duplicates.")
    flagged: int = strawberry.field(description="Among `valid`: imported although a duplicate.")
    acted_on: int = strawberry.field(description="Existing leads that would be changed.")
    problems: list[PlannedProblem] = strawberry.field(
        description="The first 100 rows that would not simply become leads."
    )
    warned: int = strawberry.field(
        description="Among `valid`: rows with a value that does not read as its type: kept, empty for rules."
    )
    warnings: list[PlannedProblem] = strawberry.field(description="The first 100 such values.")

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        problems, warnings = (
            [PlannedProblem(held=each["value"], **{key: each[key] for key in SHOWN}) for each in record[name]]
            for name in ("problems", "warnings")
        )
        return cls(**record["accounts"], problems=problems, warned=record["warned"], warnings=warnings)


@strawberry.type(description="What the undo of an import did.")
class ImportUndo:
    removed: int = strawberry.field(description="Leads of the import that are gone.")
    restored: int = strawberry.field(description="Existing leads that are again as they were before it.")
    stayed: int = strawberry.field(description="Leads of the import that were worked or edited since.")
    stayed_lead_ids: list[strawberry.ID] = strawberry.field(description="The first 1,000 of these, by ID.")

    @classmethod
    def from_record(cls, organisation_id: int, record: Mapping[str, Any]) -> Self:
        return cls(
            removed=record["removed"],
            restored=record["restored"],
            stayed=record["stayed"],
            stayed_lead_ids=[opaque("Lead", organisation_id, lead) for lead in record["leads"]],
        )


@strawberry.type(
    description="What an import did to the members of a segment. "
    "leads = joined + alreadyMembers + held + unfit + hidden."
)
class SegmentImportOutcome:
    segment_id: strawberry.ID = strawberry.field(description="ID of the segment.")
    changeset: strawberry.ID = strawberry.field(
        description="The entry in the change log, and in the feed: for undoing the memberships alone."
    )
    leads: int = strawberry.field(description="Leads of the file, each once however many rows it has.")
    matched: int = strawberry.field(description="Among `leads`: were there before the import.")
    joined: int = strawberry.field(description="Leads that joined.")
    moved: int = strawberry.field(
        description="Among `joined`: left another segment of the exclusive project for it."
    )
    already_members: int = strawberry.field(description="Leads that were in.")
    pinned: int = strawberry.field(
        description="Among `alreadyMembers`: a rule brought them, and they stay from now on."
    )
    held: int = strawberry.field(
        description="Leads that stay out because another segment of the exclusive project has them."
    )
    unfit: int = strawberry.field(
        description="Leads that stay out because they do not meet the rules of a segment that asks for it."
    )
    hidden: int = strawberry.field(
        description="Existing leads that stay out because whoever imported may not see them."
    )
    owners_changed: int = strawberry.field(description="Existing leads whose owner was overwritten.")

    @classmethod
    def from_record(cls, organisation_id: int, record: Mapping[str, Any]) -> Self:
        alike = ("leads", "matched", "joined", "moved", "pinned", "held", "unfit", "hidden")
        return cls(
            segment_id=opaque("Segment", organisation_id, record["segment"]),
            changeset=opaque("ChangeLogEntry", organisation_id, record["changeset"]),
            already_members=record["already"],
            owners_changed=record["owners"],
            **{name: record[name] for name in alike},
        )
