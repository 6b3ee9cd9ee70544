"""Filters of segments as the API shows them: what they select by, what rules may name, what they would do."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NewType, Self, cast

import strawberry

from core import field_catalogue
from core.access import Permission, Scope
from core.field_catalogue import LEAD_TAGS, Kind
from core.rules import Condition
from core.rules.lint import lint
from core.segment_filter import LastChanged as CoreLastChanged
from core.segment_filter import Period, filter_from, findings_of
from core.segment_filter import SegmentFilter as CoreFilter
from core.statuses import LeadStatus
from db.queries.filter_waterfall import Kept, Waterfall, waterfall_of
from db.queries.rule_choices import RuleChoices
from db.queries.segment_filter import FilterCounts, FilterPlan
from gql.context import Info
from gql.schema import ids
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.lead import Lead
from gql.schema.pagination import Connection
from gql.schema.rule_finding import RuleFinding
from gql.schema.segment_pick import SegmentPick, SegmentPickInput
from gql.schema.shown_phones import shown_filter
from gql.schema.user_error import UserError

RuleTree = NewType("RuleTree", object)

RULE_TREE = strawberry.scalar(
    name="RuleTree",
    description="A rule as react-querybuilder writes it: groups `{combinator, rules, not}` of rules "
    "`{field, operator, value}`, to a depth of 8 and up to 200 rules. It comes back as it was saved. "
    "Besides its 18 operators there are `matchesRegex`; `withinLast`, `withinNext`, `olderThan` and "
    '`anniversary`, whose value is `{"amount": 30, "unit": "days"}` (or hours, weeks, months; a `zone` beside'
    " it says whose days); `inSegment` "
    'and `notInSegment`, whose value is an ID, a list of them, or `{"segments": [...], "by": "members"}`, or '
    '`"by": "rules"` for whom their rules select now. '
    "NOT and the negative operators are exact complements: a lead without a value is found by `!=`. "
    "On texts `<`, `between` and the like compare as numbers where the bounds are numbers.",
)

published(
    Period,
    "Period",
    "Days around now, in the organisation's time zone; a week begins on Monday.",
    {
        "TODAY": "Today.",
        "YESTERDAY": "Yesterday.",
        "THIS_WEEK": "Monday to Sunday of this week.",
        "LAST_WEEK": "Monday to Sunday of the week before.",
        "THIS_MONTH": "This calendar month.",
        "LAST_MONTH": "The calendar month before.",
        "THIS_QUARTER": "This quarter of the year.",
        "LAST_QUARTER": "The quarter before.",
        "THIS_YEAR": "This calendar year.",
        "LAST_YEAR": "The calendar year before.",
        "LAST_DAYS": "Today and the days before it: `days` in all.",
    },
)


@strawberry.type(description="When leads were last changed.")
class LastChanged:
    period: Period | None = strawberry.field(description="A named range of days; null: from and to.")
    days: int | None = strawberry.field(description="How many days, for LAST_DAYS.")
    start: datetime | None = strawberry.field(name="from", description="Not before, UTC.")
    end: datetime | None = strawberry.field(name="to", description="Before, UTC.")


@strawberry.input(description="When leads were last changed: a named period, or from and to, either open.")
class LastChangedInput:
    period: Period | None = strawberry.field(default=None, description="A named range of days.")
    days: int | None = strawberry.field(default=None, description="How many days, for LAST_DAYS: 1 or more.")
    start: datetime | None = strawberry.field(name="from", default=None, description="Not before.")
    end: datetime | None = strawberry.field(name="to", default=None, description="Before.")

    def to_core(self) -> CoreLastChanged:
        return CoreLastChanged(self.period, self.days, self.start, self.end)


@strawberry.type(description="All that a segment selects by; an empty list or null limits nothing.")
class SegmentFilter:
    source: strawberry.Private[tuple[CoreFilter, int | None]]

    async def resolve_findings(self, info: Info) -> list[RuleFinding]:
        chosen, project_id = self.source
        if project_id is None:
            return []
        catalogue = await info.context.loaders.catalogue.load(project_id)
        return [RuleFinding.from_core(one) for one in findings_of(chosen, catalogue, info.context.now)]

    campaign_ids: list[strawberry.ID] = strawberry.field(description="Leads of these campaigns.")
    lead_pool_ids: list[strawberry.ID] = strawberry.field(description="Leads of these pools.")
    statuses: list[LeadStatus] = strawberry.field(description="Leads of these statuses.")
    results: list[str] = strawberry.field(description="Leads whose last result has one of these keys.")
    last_changed: LastChanged | None = strawberry.field(description="Leads last changed then.")
    rule: RuleTree | None = strawberry.field(
        description="The rule, as it was saved; what it asks about phones as far as "
        f"`{Permission.PHONE_VIEW.name}` shows."
    )
    pick: SegmentPick | None = strawberry.field(
        description="Which of the leads that match; null: all of them."
    )

    findings: list[RuleFinding] = strawberry.field(
        resolver=resolve_findings,
        description="What is odd about it; of a filter that no longer holds together nothing is said.",
    )

    @classmethod
    async def load(cls, info: Info, record: Mapping[str, Any], project_id: int | None) -> Self:
        """A stored filter as the caller may see it; None for a project that is not known any more."""
        chosen = filter_from(await shown_filter(info, record, project_id))
        organisation_id, changed = info.context.scope.organisation_id, chosen.last_changed
        return cls(
            source=(filter_from(record), project_id),
            campaign_ids=[opaque("Campaign", organisation_id, one) for one in chosen.campaign_ids],
            lead_pool_ids=[opaque("LeadPool", organisation_id, one) for one in chosen.lead_pool_ids],
            statuses=[LeadStatus(status) for status in chosen.statuses],
            results=list(chosen.results),
            last_changed=None
            if changed is None
            else LastChanged(period=changed.period, days=changed.days, start=changed.start, end=changed.end),
            rule=None if chosen.rule is None else RuleTree(chosen.rule),
            pick=None if chosen.pick is None else SegmentPick.from_core(chosen.pick),
        )


@strawberry.input(description="All that a segment is to select by; what is left out limits nothing.")
class SegmentFilterInput:
    campaign_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Leads of these campaigns, all of the group's project."
    )
    lead_pool_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Leads of these pools; left out: of all pools of the project."
    )
    statuses: list[LeadStatus] = strawberry.field(
        default_factory=list, description="Leads of these statuses."
    )
    results: list[str] = strawberry.field(
        default_factory=list, description="Leads whose last result has one of these keys."
    )
    last_changed: LastChangedInput | None = strawberry.field(
        default=None, description="Leads last changed then."
    )
    rule: RuleTree | None = strawberry.field(default=None, description="Conditions on the leads' fields.")
    pick: SegmentPickInput | None = strawberry.field(
        default=None, description="Which of the leads that match, as a last step; left out: all of them."
    )

    def to_core(self, scope: Scope, path: Sequence[str]) -> CoreFilter:
        """Raises NotFound for an ID that is not of the caller's organisation."""
        return CoreFilter(
            tuple(ids.locals_of("Campaign", self.campaign_ids, scope, [*path, "campaignIds"])),
            tuple(ids.locals_of("LeadPool", self.lead_pool_ids, scope, [*path, "leadPoolIds"])),
            tuple(status.value for status in self.statuses),
            tuple(self.results),
            self.last_changed.to_core() if self.last_changed else None,
            cast("Mapping[str, Any] | None", self.rule),
            self.pick.to_core(path) if self.pick else None,
        )


INPUT_TYPES = {
    Kind.TEXT: "text",
    Kind.NUMBER: "number",
    Kind.DATE: "date",
    Kind.DATETIME: "datetime-local",
    Kind.REFERENCE: "text",
    Kind.DAYS: "number",
    Kind.SET: "text",
    Kind.SEGMENT: "text",
}


@strawberry.type(description="A choice of a list, as react-querybuilder takes it.")
class RuleOption:
    name: str = strawberry.field(description="What is written into the rule.")
    value: str = strawberry.field(description="The same as `name`.")
    label: str = strawberry.field(description="What people read.")

    @classmethod
    def of(cls, name: str, label: str) -> Self:
        return cls(name=name, value=name, label=label)


@strawberry.type(description="A field that rules may name, ready for react-querybuilder's `fields`.")
class RuleField:
    name: str = strawberry.field(description="Key of a template field, or `lead.…` for a built-in one.")
    value: str = strawberry.field(description="The same as `name`.")
    label: str = strawberry.field(description="What people call it.")
    datatype: str = strawberry.field(
        description="text, number, date, datetime, boolean, key (one of `values`), reference (an ID), days "
        "(whole days since a moment), set (any number of values) or segment (other segments it is in)."
    )
    input_type: str | None = strawberry.field(description="Type of the HTML input; null: it has none.")
    value_editor_type: str = strawberry.field(description="text, select, multiselect or checkbox.")
    operators: list[RuleOption] = strawberry.field(description="The operators it can be asked with.")
    values: list[RuleOption] | None = strawberry.field(description="Values to choose from, where known.")
    value_sources: list[str] = strawberry.field(description="Always `value`.")

    @classmethod
    def from_core(cls, field: field_catalogue.RuleField, choices: RuleChoices, organisation_id: int) -> Self:
        known = choices.tags if field.key == LEAD_TAGS else field.choices
        values = [RuleOption.of(choice.value, choice.label) for choice in known]
        for number, label in choices.objects.get(field.noun, ()):
            values.append(RuleOption.of(opaque(field.noun, organisation_id, number), label))
        several = field.kind in (Kind.SET, Kind.SEGMENT)
        chosen = "multiselect" if several else "select"
        return cls(
            name=field.key,
            value=field.key,
            label=field.label,
            datatype=field.kind.value,
            input_type=None if values else INPUT_TYPES.get(field.kind),
            value_editor_type="checkbox" if field.kind is Kind.BOOLEAN else chosen if values else "text",
            operators=[
                RuleOption.of(operator.value, OPERATOR_LABELS[operator.value]) for operator in field.operators
            ],
            values=values or None,
            value_sources=["value"],
        )


OPERATOR_LABELS: Mapping[str, str] = {
    "=": "is",
    "!=": "is not",
    "<": "is less than",
    ">": "is more than",
    "<=": "is at most",
    ">=": "is at least",
    "contains": "contains",
    "beginsWith": "begins with",
    "endsWith": "ends with",
    "doesNotContain": "does not contain",
    "doesNotBeginWith": "does not begin with",
    "doesNotEndWith": "does not end with",
    "null": "is empty",
    "notNull": "is not empty",
    "in": "is one of",
    "notIn": "is none of",
    "between": "is between",
    "notBetween": "is not between",
    "matchesRegex": "matches the regular expression",
    "withinLast": "was within the last",
    "withinNext": "is within the next",
    "olderThan": "is older than",
    "anniversary": "has its anniversary",
    "inSegment": "is in one of the segments",
    "notInSegment": "is in none of the segments",
}


@strawberry.type(description="What saving a filter would do; exact, over the leads the caller may see.")
class FilterPreviewCounts:
    matching: int = strawberry.field(description="Leads that match.")
    members: int = strawberry.field(description="Among them, members already.")
    barred: int = strawberry.field(description="Among them, removed by hand: they stay out.")
    held: int = strawberry.field(
        description="Among them, in another segment of an exclusive project: they stay there."
    )
    would_join: int = strawberry.field(description="Among them, those that would join.")
    would_leave: int = strawberry.field(
        description="Members a rule brought that no longer match: they leave if the saving replaces."
    )

    @classmethod
    def from_core(cls, counts: FilterCounts) -> Self:
        return cls(
            matching=counts.matching,
            members=counts.members,
            barred=counts.barred,
            held=counts.held,
            would_join=counts.would_join,
            would_leave=counts.would_leave,
        )


@strawberry.type(
    description="What a condition or group of a filter keeps; exact, over the leads the caller sees."
)
class FilterStep:
    path: list[str] = strawberry.field(
        description="Where it stands in the filter: `campaignIds`, or `rule`, `rules`, `0` for a condition."
    )
    field: str | None = strawberry.field(description="Key of the field it asks about; null: it is a group.")
    keeps: int = strawberry.field(description="Leads of the project that satisfy it, whatever the rest says.")
    remaining: int | None = strawberry.field(
        description="Leads that satisfy it and all before it; null for conditions in a group that need not "
        "all hold: the group, which stands before them, says it."
    )

    @classmethod
    def from_core(cls, kept: Kept) -> Self:
        field = kept.part.named.key if isinstance(kept.part, Condition) else None
        return cls(path=list(kept.part.path), field=field, keeps=kept.alone, remaining=kept.remaining)


@strawberry.type(description="A filter, condition by condition.")
class FilterWaterfall:
    leads: int = strawberry.field(description="Leads of the project that the caller may see, exact.")
    steps: list[FilterStep] = strawberry.field(description="What it asks, in the order it was written.")

    @classmethod
    def from_core(cls, waterfall: Waterfall) -> Self:
        return cls(leads=waterfall.leads, steps=[FilterStep.from_core(kept) for kept in waterfall.parts])


@strawberry.type(description="What a filter selects now, or why it cannot be.")
class SegmentFilterPreview:
    as_of: datetime | None = strawberry.field(default=None, description="When it was counted, UTC.")
    plan: strawberry.Private[FilterPlan | None] = None

    async def resolve_waterfall(self, info: Info) -> FilterWaterfall | None:
        if self.plan is None:
            return None
        async with info.context.database.reading() as session:
            return FilterWaterfall.from_core(await waterfall_of(session, info.context.scope, self.plan))

    waterfall: FilterWaterfall | None = strawberry.field(
        resolver=resolve_waterfall,
        description="How many leads each condition keeps; computed only when asked for.",
    )

    def resolve_findings(self) -> list[RuleFinding]:
        return [RuleFinding.from_core(one) for one in lint(self.plan.rule)] if self.plan else []

    findings: list[RuleFinding] = strawberry.field(
        resolver=resolve_findings, description="What is odd about the filter, though it can be saved."
    )
    counts: FilterPreviewCounts | None = strawberry.field(default=None, description="How many.")
    leads: Connection[Lead] | None = strawberry.field(default=None, description="The leads that match.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What is wrong with the filter."
    )


OfFilterSegment = Annotated[
    strawberry.ID | None, strawberry.argument(description="The segment it is for; or name a project.")
]
OfFilterProject = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The project it is for, where there is no segment yet."),
]
GivenFilter = Annotated[SegmentFilterInput, strawberry.argument(description="The filter to try.")]
