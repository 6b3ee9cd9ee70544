"""New leads by hand, by program, and as clones, as the API shows it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self, cast

import strawberry
from strawberry.scalars import JSON

from core.access import Scope
from core.calling import Owner
from core.import_accounts import Accounts, DuplicateAction, DuplicateRule, DuplicateScope
from core.lead_push import MAX_ROWS, LeadPush, RowOutcome
from core.lead_push import PushedRow as CoreRow
from core.lead_spread import Spread
from db.commands.lead_entry import LeadCreated, NewLead
from gql.context import Info
from gql.schema import ids
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.job import Job
from gql.schema.lead import Lead
from gql.schema.lead_edit import LeadOwnerInput, LeadValueInput, ValueWarning, values_of
from gql.schema.lead_pool import LeadPool
from gql.schema.upload_settings import time_range
from gql.schema.user_error import UserError

published(
    RowOutcome,
    "PushedRowOutcome",
    "What became of a pushed row.",
    {
        "IMPORTED": "It became a lead.",
        "FLAGGED": "It became a lead although it repeats one.",
        "DUPLICATE": "It repeats a lead and was discarded.",
        "INVALID": "It was refused.",
    },
)


@strawberry.type(description="A new lead would repeat one there is.")
class DuplicateLead(UserError):
    lead_id: strawberry.Private[int | None]

    async def resolve_lead(self, info: Info) -> Lead | None:
        row = None if self.lead_id is None else await info.context.loaders.lead.load(self.lead_id)
        return None if row is None else Lead.from_row(row)

    lead: Lead | None = strawberry.field(
        resolver=resolve_lead, description="The lead it repeats; null where it may not be seen."
    )


@strawberry.input(description="How duplicates of new leads are found and treated.")
class DuplicateRuleInput:
    scope: DuplicateScope = strawberry.field(
        default=DuplicateScope.CAMPAIGN, description="Where they are looked for."
    )
    action: DuplicateAction = strawberry.field(
        default=DuplicateAction.DISCARD, description="What is done about a new lead that repeats one."
    )
    only_open: bool = strawberry.field(default=False, description="Only open leads count.")
    include_inactive_pools: bool = strawberry.field(
        default=False, description="Leads of inactive pools count too."
    )

    def to_core(self) -> DuplicateRule:
        return DuplicateRule(self.scope, self.action, self.only_open, self.include_inactive_pools)


@strawberry.input(description="A lead to enter by hand.")
class CreateLeadInput:
    campaign_id: strawberry.ID = strawberry.field(description="The campaign it is for.")
    values: list[LeadValueInput] = strawberry.field(description="Its master data; a phone is needed.")
    lead_pool_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its pool; left out: the campaign's standing pool for leads by hand."
    )
    owner: LeadOwnerInput | None = strawberry.field(default=None, description="Who may call it.")
    priority: int | None = strawberry.field(default=None, description="By default that of the pool.")
    duplicates: DuplicateRuleInput | None = strawberry.field(
        default=None,
        description="By default a lead of the campaign with the same phone is in the way, and is answered.",
    )

    def to_core(self, scope: Scope) -> NewLead:
        return _new_lead(scope, self)


@strawberry.input(description="A lead to clone into another campaign.")
class CloneLeadInput:
    id: strawberry.ID = strawberry.field(description="The lead; a clone of a clone has the same master.")
    campaign_id: strawberry.ID = strawberry.field(description="The other campaign.")
    values: list[LeadValueInput] = strawberry.field(
        default_factory=list, description="Master data to enter besides or instead."
    )
    lead_pool_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its pool; left out: the campaign's standing pool for leads by hand."
    )
    owner: LeadOwnerInput | None = strawberry.field(default=None, description="Who may call it.")
    priority: int | None = strawberry.field(default=None, description="By default that of the pool.")

    def to_core(self, scope: Scope) -> NewLead:
        return _new_lead(scope, self)


@strawberry.type(description="A new lead, or why there is none.")
class CreateLeadPayload:
    lead: Lead | None = strawberry.field(default=None, description="The lead.")
    duplicate_action: str | None = strawberry.field(
        default=None, description="Where it repeats a lead, what was done about it."
    )
    warnings: list[ValueWarning] = strawberry.field(
        default_factory=list, description="Values that were kept though they could not be read."
    )
    duplicate_id: strawberry.Private[int | None] = None

    async def resolve_duplicate_of(self, info: Info) -> Lead | None:
        number = self.duplicate_id
        row = None if number is None else await info.context.loaders.lead.load(number)
        return None if row is None else Lead.from_row(row)

    duplicate_of: Lead | None = strawberry.field(
        resolver=resolve_duplicate_of,
        description="The lead it repeats; null where there is none, or it may not be seen.",
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")

    @classmethod
    def from_core(cls, created: LeadCreated) -> Self:
        return cls(
            lead=Lead.from_row(created.lead),
            duplicate_action=created.note,
            warnings=ValueWarning.from_core(created.draft.warnings),
            duplicate_id=created.duplicate_of,
        )


@strawberry.input(description="A row to push.")
class PushedLeadInput:
    values: JSON = strawberry.field(
        description="Object of values by field key: texts, numbers, truth values or null."
    )


@strawberry.input(description="Leads that a program pushes.")
class PushLeadsInput:
    campaign_code: str | None = strawberry.field(default=None, description="Code of the campaign.")
    campaign_id: strawberry.ID | None = strawberry.field(
        default=None, description="The campaign, in place of its code."
    )
    rows: list[PushedLeadInput] = strawberry.field(description=f"1 to {MAX_ROWS:,} rows.")
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="1 to 200 characters: what comes again with the same key is one import, answered alike; "
        "another request with it is refused.",
    )
    pool_name: str | None = strawberry.field(
        default=None, description="Name of a new pool; left out: the campaign's standing pool for the API."
    )
    duplicate_field: str | None = strawberry.field(
        default=None, description="Key of the field that tells duplicates; left out: the phone."
    )
    duplicates: DuplicateRuleInput | None = strawberry.field(
        default=None, description="By default rows that repeat a lead of the campaign are discarded."
    )

    owner: LeadOwnerInput | None = strawberry.field(
        default=None, description="Who may call the leads; left out: anyone with access."
    )
    priority: int | None = strawberry.field(
        default=None, description="Priority of the leads, and of a new pool; left out: the pool's."
    )
    description: str = strawberry.field(default="", description="Of a new pool.")
    active_from: datetime | None = strawberry.field(
        default=None, description="Of a new pool: its leads are not called before."
    )
    active_until: datetime | None = strawberry.field(
        default=None, description="Of a new pool: its leads are not called from then on."
    )
    day_offset: int = strawberry.field(
        default=0, description="Days between the push and the first day of use, 0 to 366."
    )
    day_count: int = strawberry.field(
        default=1, description="Days over which the leads are spread at random, 1 to 366."
    )
    time_from: str | None = strawberry.field(
        default=None,
        description="HH:MM, with `timeUntil`: each lead may be called from a moment of its day that is drawn "
        "between the two, in the campaign's zone.",
    )
    time_until: str | None = strawberry.field(
        default=None, description="HH:MM, after `timeFrom`, at most 24:00."
    )

    def to_core(self, scope: Scope) -> LeadPush:
        times = time_range({"timeFrom": self.time_from, "timeUntil": self.time_until}, ("input",))
        return LeadPush(
            owner=Owner() if self.owner is None else self.owner.to_core(scope),
            priority=self.priority,
            description=self.description,
            active_from=self.active_from,
            active_until=self.active_until,
            spread=Spread(self.day_offset, self.day_count, times),
            rows=[cast("Mapping[str, object]", row.values) for row in self.rows],
            duplicates=(self.duplicates or DuplicateRuleInput()).to_core(),
            duplicate_field=self.duplicate_field,
            pool_name=self.pool_name,
            idempotency_key=self.idempotency_key,
        )


@strawberry.type(description="How many rows became what. rows = valid + invalid + duplicates.")
class PushAccounts:
    rows: int = strawberry.field(description="Rows that came.")
    valid: int = strawberry.field(description="Rows that became leads.")
    invalid: int = strawberry.field(description="Rows that were refused.")
    duplicates: int = strawberry.field(description="Rows that were discarded as duplicates.")
    flagged: int = strawberry.field(description="Among `valid`: imported although a duplicate.")
    acted_on: int = strawberry.field(description="Existing leads that were changed.")


@strawberry.type(description="What became of one pushed row.")
class PushedRow:
    index: int = strawberry.field(description="Its place among the rows, from 0.")
    outcome: RowOutcome = strawberry.field(description="What became of it.")
    lead_id: strawberry.ID | None = strawberry.field(description="ID of the lead it became.")
    field: str | None = strawberry.field(description="Key of the field to blame.")
    value: str | None = strawberry.field(description="The value to blame, as it came.")
    reason: str | None = strawberry.field(
        description="The upload rule it breaks and how; of an imported row, why a value counts as empty."
    )
    action: str | None = strawberry.field(description="Of a row that repeats a lead: what was done.")
    duplicate_of_id: strawberry.ID | None = strawberry.field(description="ID of the lead it repeats.")

    @classmethod
    def from_core(cls, index: int, row: CoreRow, organisation_id: int) -> Self:
        def lead(number: int | None) -> strawberry.ID | None:
            return None if number is None else opaque("Lead", organisation_id, number)

        return cls(
            index=index,
            outcome=row.outcome,
            lead_id=lead(row.lead_id),
            field=row.column,
            value=row.value,
            reason=row.reason,
            action=row.action,
            duplicate_of_id=lead(row.duplicate_of),
        )


@strawberry.type(description="What a push did, or why it did nothing.")
class PushLeadsPayload:
    lead_pool: LeadPool | None = strawberry.field(default=None, description="The pool that the leads are in.")
    job: Job | None = strawberry.field(default=None, description="The import, over already.")
    accounts: PushAccounts | None = strawberry.field(default=None, description="How many rows became what.")
    rows: list[PushedRow] = strawberry.field(default_factory=list, description="Each row, in their order.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def accounts_of(accounts: Accounts) -> PushAccounts:
    return PushAccounts(
        rows=accounts.rows,
        valid=accounts.valid,
        invalid=accounts.invalid,
        duplicates=accounts.duplicates,
        flagged=accounts.flagged,
        acted_on=accounts.acted_on,
    )


def _new_lead(scope: Scope, given: CreateLeadInput | CloneLeadInput) -> NewLead:
    values: dict[str, Any] = values_of(given.values)
    return NewLead(
        values={key: text or "" for key, text in values.items()},
        pool_id=ids.optional_local("LeadPool", given.lead_pool_id, scope, ["input", "leadPoolId"]),
        owner=Owner() if given.owner is None else given.owner.to_core(scope),
        priority=given.priority,
    )
