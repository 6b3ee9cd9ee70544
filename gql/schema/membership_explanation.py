"""Why a lead is in a segment or not, as the API shows it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Self, cast

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.scalars import JSON

from core.access import Permission
from core.field_catalogue import Kind, RuleField
from core.fields import EPOCH, Value
from core.masking import holds_phones
from core.membership import Origin
from core.membership_reason import MembershipReason
from core.rules import Combinator, Condition
from core.rules.explain import Answer
from core.rules.values import days_since
from db.queries.membership_explanation import MembershipExplanation as Found
from gql.context import Info
from gql.loaders import Loaders
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.lead import Lead
from gql.schema.segment import Segment
from gql.schema.shown_phones import shown_filter, shown_phone
from gql.schema.user import User

published(
    MembershipReason,
    "MembershipReason",
    "What decides whether a lead is in a segment.",
    {
        "BROUGHT_BY_RULE": "It is in: it matched when the filter was applied.",
        "PINNED": "It is in by hand, import, an action or a program: rules do not undo that.",
        "NO_LONGER_MATCHES": "It is in and does not match any more.",
        "REMOVED_BY_HAND": "It was removed by hand: rules do not put it back until it is released.",
        "OTHER_PROJECT": "It is of another project.",
        "HELD_ELSEWHERE": "Another segment of an exclusive project has it.",
        "STATIC_SEGMENT": "The segment is static: only by hand, import and actions leads come in.",
        "NO_FILTER": "No filter was saved yet.",
        "FILTER_BROKEN": "The filter no longer holds together: it brings in nobody.",
        "DOES_NOT_MATCH": "The filter does not select it.",
        "NOT_PICKED": "Its conditions hold, but the filter picks only some of those, not this one.",
        "NOT_APPLIED_YET": "The filter selects it: it joins when the filter is applied the next time.",
    },
)

PART_OPERATOR = "in"
PARTS: Mapping[str, tuple[str, str]] = {
    "campaignIds": ("campaigns", "Campaign"),
    "leadPoolIds": ("leadPools", "LeadPool"),
}

SEEN_BY: Mapping[str, Callable[[Loaders], DataLoader[int, Any]]] = {
    "Campaign": lambda loaders: loaders.campaign,
    "LeadPool": lambda loaders: loaders.lead_pool,
    "Segment": lambda loaders: loaders.segment,
}
"""Nouns that not everybody sees all of: of these only what the caller sees is named."""


@strawberry.type(description="What one part of the filter says of the lead.")
class ExplainedPart:
    path: list[str] = strawberry.field(
        description="Where it stands in the filter: `campaignIds`, or `rule`, `rules`, `0` for a condition."
    )
    combinator: str | None = strawberry.field(description="Of a group: `and` or `or`; null: a condition.")
    negated: bool = strawberry.field(description="Of a group: whether it is the complement, by its `not`.")
    field: str | None = strawberry.field(description="Key of the field asked about; null: it is a group.")
    label: str | None = strawberry.field(description="What people call the field.")
    operator: str | None = strawberry.field(description="How it is asked, as in rules.")
    wanted: JSON | None = strawberry.field(
        description="What it is asked for, as it was saved; digits of phones hidden without "
        f"`{Permission.PHONE_VIEW.name}`."
    )
    seen: list[str] = strawberry.field(
        description="What the lead has there now, as far as it may be seen; moments in UTC; empty: nothing."
    )
    held: bool = strawberry.field(description="Whether it holds; of a group: with its `not`.")


@strawberry.type(description="Whether a lead is in a segment, and why.")
class MembershipExplanation:
    found: strawberry.Private[Found]
    as_of: datetime = strawberry.field(description="When this was found out, UTC.")
    rule_revision: int = strawberry.field(description="Number of the filter it was asked of; 0: none.")
    is_member: bool = strawberry.field(description="Whether it is in.")
    reasons: list[MembershipReason] = strawberry.field(description="Why, the decisive first.")
    origin: Origin | None = strawberry.field(
        description="How it came in, or that it was removed by hand; null: neither."
    )
    since: datetime | None = strawberry.field(description="When it came in or was removed, UTC.")
    matches: bool | None = strawberry.field(
        description="Whether the filter selects it now; null: there is none that could be asked."
    )
    broken: str | None = strawberry.field(description="Why the filter no longer holds together.")

    def resolve_segment(self) -> Segment:
        return Segment.from_row(self.found.segment)

    def resolve_lead(self) -> Lead:
        return Lead.from_row(self.found.lead)

    async def resolve_by(self, info: Info) -> User | None:
        by = self.found.member.added_by if self.found.member else None
        row = None if by is None else await info.context.loaders.user.load(by)
        return User.from_row(row) if row else None

    async def resolve_held_by(self, info: Info) -> Segment | None:
        number = self.found.held_by
        row = None if number is None else await info.context.loaders.segment.load(number)
        return Segment.from_row(row) if row else None

    async def resolve_parts(self, info: Info) -> list[ExplainedPart]:
        segment = self.found.segment
        if segment.filter is None:
            return []
        stored = await shown_filter(info, segment.filter, segment.project_id)
        return [
            await _explained(info, self.found, answer, stored)
            for answer in self.found.answers
            if answer.part.path
        ]

    segment: Segment = strawberry.field(resolver=resolve_segment, description="The segment.")
    lead: Lead = strawberry.field(resolver=resolve_lead, description="The lead.")
    by: User | None = strawberry.field(
        resolver=resolve_by, description="Who added it, saved the filter that did, or removed it."
    )
    held_by: Segment | None = strawberry.field(
        resolver=resolve_held_by,
        description="The other exclusive segment that has it; null too where that may not be seen.",
    )
    parts: list[ExplainedPart] = strawberry.field(
        resolver=resolve_parts,
        description="Each part of the filter, groups before what is in them, muted ones left out; empty "
        "without a filter that holds together.",
    )

    @classmethod
    def from_core(cls, found: Found, now: datetime) -> Self:
        origin = None if found.member is None else Origin(found.member.origin)
        return cls(
            found=found,
            as_of=now,
            rule_revision=found.segment.rule_revision,
            is_member=origin not in (None, Origin.REMOVED_BY_HAND),
            reasons=list(found.reasons),
            origin=origin,
            since=found.member.added_at if found.member else None,
            matches=found.matches,
            broken=found.broken,
        )


async def _explained(info: Info, found: Found, answer: Answer, stored: Mapping[str, Any]) -> ExplainedPart:
    part, path = answer.part, list(answer.part.path)
    if not isinstance(part, Condition):
        combinator = "and" if part.combinator is Combinator.AND else "or"
        return ExplainedPart(
            path=path,
            combinator=combinator,
            negated=part.negated,
            field=None,
            label=None,
            operator=None,
            wanted=None,
            seen=[],
            held=answer.held,
        )
    operator, wanted = _asked(path, stored, found.lead.organisation_id)
    return ExplainedPart(
        path=path,
        combinator=None,
        negated=False,
        field=part.named.key,
        label=part.named.label,
        operator=operator,
        wanted=cast("JSON | None", wanted),
        seen=await _seen(info, found, part),
        held=answer.held,
    )


def _asked(path: list[str], stored: Mapping[str, Any], organisation_id: int) -> tuple[str, object]:
    """The operator and the value of a part, as they were saved."""
    first, *rest = path
    if first == "rule":
        node: Any = stored["rule"]
        for step in rest:
            node = node[int(step)] if isinstance(node, list) else node[step]
        return node["operator"], node.get("value")
    if first in PARTS:
        key, noun = PARTS[first]
        return PART_OPERATOR, [opaque(noun, organisation_id, one) for one in stored[key]]
    return ("between" if first == "lastChanged" else PART_OPERATOR), stored[first]


async def _seen(info: Info, found: Found, part: Condition) -> list[str]:
    """What the lead has in a field, as texts: a master data value as it came in, phones masked."""
    field = part.field
    value: Any = found.values.get(field.key)
    if value is None or value == "":
        return []
    if part.named.kind is Kind.DAYS:
        return [str(days_since(int(value), info.context.now, found.zone))]
    definitions = await info.context.loaders.project_fields.load(found.lead.project_id)
    definition = definitions.get(field.key)
    text = found.lead.field_values.get(field.key) if definition else None
    several = sorted(value) if isinstance(value, frozenset) else [value]
    if (noun := field.noun) in SEEN_BY:
        several = [one for one in several if await SEEN_BY[noun](info.context.loaders).load(one) is not None]
    texts = [text] if text is not None else [_text(field, one, found.lead.organisation_id) for one in several]
    hidden = holds_phones(field.key, definition.type if definition else None)
    return [shown_phone(info, one) if hidden else one for one in texts]


def _text(field: RuleField, value: Value, organisation_id: int) -> str:
    match field.of or field.kind:
        case Kind.REFERENCE:
            return opaque(field.noun, organisation_id, int(value))
        case Kind.DATETIME:
            return (EPOCH + timedelta(microseconds=int(value))).isoformat().replace("+00:00", "Z")
        case Kind.DATE:
            return str((EPOCH + timedelta(microseconds=int(value))).date())
        case Kind.NUMBER:
            number = float(value)
            return str(int(number)) if number.is_integer() else str(number)
        case Kind.BOOLEAN:
            return "true" if value else "false"
    return str(value)


ExplainedSegment = Annotated[strawberry.ID, strawberry.argument(description="The segment.")]
ExplainedLead = Annotated[strawberry.ID, strawberry.argument(description="The lead.")]
