"""Typed filters of lists of leads, on the leads' own fields; template fields are asked for with a rule."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry

from core.access import Permission, Scope
from core.errors import BadInput
from core.field_catalogue import Operator
from core.fields import fold, moment_of
from core.lead_where import all_of, any_of, condition, none_of
from core.rules import MAX_CONDITIONS, MAX_DEPTH, Rule
from core.statuses import LeadStatus
from db.queries.lead import LeadChoice, LeadOrder, SortedBy
from gql.schema import ids
from gql.schema.enums import published
from gql.schema.segment_filter import RuleTree

Path = tuple[str, ...]
UNSET: Any = strawberry.UNSET


@strawberry.input(description="Compares an ID; every part that is given must hold.")
class IdWhere:
    eq: strawberry.ID | None = strawberry.field(default=UNSET, description="Is this.")
    ne: strawberry.ID | None = strawberry.field(default=UNSET, description="Is not this; also: has none.")
    in_: list[strawberry.ID] | None = strawberry.field(
        name="in", default=UNSET, description="Is one of these."
    )
    not_in: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="Is none of these; also: has none."
    )
    is_null: bool | None = strawberry.field(default=UNSET, description="Whether there is none.")


@strawberry.input(description="Compares a status; every part that is given must hold.")
class LeadStatusWhere:
    eq: LeadStatus | None = strawberry.field(default=UNSET, description="Is this.")
    ne: LeadStatus | None = strawberry.field(default=UNSET, description="Is not this.")
    in_: list[LeadStatus] | None = strawberry.field(name="in", default=UNSET, description="Is one of these.")
    not_in: list[LeadStatus] | None = strawberry.field(default=UNSET, description="Is none of these.")


@strawberry.input(description="Compares a key, such as that of a result; every part that is given must hold.")
class KeyWhere:
    eq: str | None = strawberry.field(default=UNSET, description="Is this.")
    ne: str | None = strawberry.field(default=UNSET, description="Is not this; also: has none.")
    in_: list[str] | None = strawberry.field(name="in", default=UNSET, description="Is one of these.")
    not_in: list[str] | None = strawberry.field(
        default=UNSET, description="Is none of these; also: has none."
    )
    is_null: bool | None = strawberry.field(default=UNSET, description="Whether there is none.")


@strawberry.input(
    description="Compares the labels of a lead's tags, in any case; every part that is given must hold."
)
class TagWhere:
    eq: str | None = strawberry.field(default=UNSET, description="One of them is this.")
    ne: str | None = strawberry.field(default=UNSET, description="None of them is this; also: has none.")
    in_: list[str] | None = strawberry.field(
        name="in", default=UNSET, description="One of them is one of these."
    )
    not_in: list[str] | None = strawberry.field(
        default=UNSET, description="None of them is one of these; also: has none."
    )
    is_null: bool | None = strawberry.field(default=UNSET, description="Whether there is none.")


@strawberry.input(description="Compares a phone number in E.164; every part that is given must hold.")
class PhoneWhere:
    eq: str | None = strawberry.field(default=UNSET, description="Is this.")
    ne: str | None = strawberry.field(default=UNSET, description="Is not this.")
    in_: list[str] | None = strawberry.field(name="in", default=UNSET, description="Is one of these.")
    starts_with: str | None = strawberry.field(default=UNSET, description="Begins with this.")


@strawberry.input(description="Compares a whole number; every part that is given must hold.")
class IntWhere:
    eq: int | None = strawberry.field(default=UNSET, description="Is this.")
    ne: int | None = strawberry.field(default=UNSET, description="Is not this.")
    in_: list[int] | None = strawberry.field(name="in", default=UNSET, description="Is one of these.")
    not_in: list[int] | None = strawberry.field(default=UNSET, description="Is none of these.")
    lt: int | None = strawberry.field(default=UNSET, description="Is less.")
    lte: int | None = strawberry.field(default=UNSET, description="Is at most this.")
    gt: int | None = strawberry.field(default=UNSET, description="Is more.")
    gte: int | None = strawberry.field(default=UNSET, description="Is at least this.")


@strawberry.input(description="Compares a moment; every part that is given must hold.")
class DateTimeWhere:
    lt: datetime | None = strawberry.field(default=UNSET, description="Is before.")
    lte: datetime | None = strawberry.field(default=UNSET, description="Is not after.")
    gt: datetime | None = strawberry.field(default=UNSET, description="Is after.")
    gte: datetime | None = strawberry.field(default=UNSET, description="Is not before.")
    is_null: bool | None = strawberry.field(default=UNSET, description="Whether there is none.")


@strawberry.input(description="Compares a truth value.")
class BooleanWhere:
    eq: bool | None = strawberry.field(default=UNSET, description="Is this.")


FieldWhere = (
    IdWhere | LeadStatusWhere | KeyWhere | TagWhere | PhoneWhere | IntWhere | DateTimeWhere | BooleanWhere
)


@strawberry.input(
    description="Which leads; every part that is given must hold. It cannot be empty inside another."
)
class LeadFilter:
    and_: list["LeadFilter"] | None = strawberry.field(
        name="AND", default=UNSET, description="All of these hold."
    )
    or_: list["LeadFilter"] | None = strawberry.field(
        name="OR", default=UNSET, description="At least one of these holds."
    )
    not_: "LeadFilter | None" = strawberry.field(
        name="NOT", default=UNSET, description="This does not hold: the exact complement."
    )
    project_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="Of this project; its fields are those that `filter` and `orderBy` name."
    )
    campaign_id: strawberry.ID | None = strawberry.field(default=UNSET, description="Of this campaign.")
    lead_pool_id: strawberry.ID | None = strawberry.field(default=UNSET, description="Of this pool.")
    project: IdWhere | None = strawberry.field(default=UNSET, description="The project.")
    campaign: IdWhere | None = strawberry.field(default=UNSET, description="The campaign.")
    lead_pool: IdWhere | None = strawberry.field(default=UNSET, description="The pool.")
    owner_user: IdWhere | None = strawberry.field(default=UNSET, description="The user who owns it.")
    owner_team: IdWhere | None = strawberry.field(
        default=UNSET,
        description="A team that owns it, perhaps with others; `ne` and `notIn`: none of its owners is.",
    )
    status: LeadStatusWhere | None = strawberry.field(default=UNSET, description="Where it stands.")
    tag: TagWhere | None = strawberry.field(default=UNSET, description="Its tags.")
    stage: IdWhere | None = strawberry.field(
        default=UNSET, description="Its stages: one of a pipeline at most; see `pipelines`."
    )
    result: KeyWhere | None = strawberry.field(default=UNSET, description="Key of the last result.")
    phone: PhoneWhere | None = strawberry.field(
        default=UNSET, description=f"The phone; needs `{Permission.PHONE_VIEW.name}`."
    )
    open: BooleanWhere | None = strawberry.field(default=UNSET, description="Whether it may be worked.")
    active: BooleanWhere | None = strawberry.field(default=UNSET, description="Whether it is active.")
    attempts: IntWhere | None = strawberry.field(default=UNSET, description="Calls made so far.")
    priority: IntWhere | None = strawberry.field(default=UNSET, description="Its priority.")
    created_at: DateTimeWhere | None = strawberry.field(default=UNSET, description="When it came in.")
    changed_at: DateTimeWhere | None = strawberry.field(default=UNSET, description="When it last changed.")
    last_called_at: DateTimeWhere | None = strawberry.field(
        default=UNSET, description="When it was last called."
    )
    next_call_at: DateTimeWhere | None = strawberry.field(
        default=UNSET, description="Not to be called before."
    )

    def rule(self, scope: Scope) -> Rule | None:
        """What it asks, as a rule; None where it asks nothing at all. Raises BadInput, NotFound."""
        return _Reader(scope).rule(self, ("where",), 1)


NOUNS = {
    "project": "Project",
    "campaign": "Campaign",
    "lead_pool": "LeadPool",
    "owner_user": "User",
    "owner_team": "Team",
    "stage": "PipelineStage",
}
KEYS = {
    "project": "lead.project",
    "campaign": "lead.campaign",
    "lead_pool": "lead.pool",
    "owner_user": "lead.ownerUser",
    "owner_team": "lead.ownerTeam",
    "tag": "lead.tags",
    "stage": "lead.stages",
    "status": "lead.status",
    "result": "lead.result",
    "phone": "lead.phone",
    "open": "lead.open",
    "active": "lead.active",
    "attempts": "lead.attempts",
    "priority": "lead.priority",
    "created_at": "lead.createdAt",
    "changed_at": "lead.lastChangedAt",
    "last_called_at": "lead.lastCalledAt",
    "next_call_at": "lead.nextCallAt",
}
"""The fields of the filter, with those of the rule language that they stand for."""
SHORT = {"project_id": "project", "campaign_id": "campaign", "lead_pool_id": "lead_pool"}
OPERATORS = {
    "eq": Operator.EQUALS,
    "ne": Operator.NOT_EQUALS,
    "in_": Operator.IN,
    "not_in": Operator.NOT_IN,
    "lt": Operator.LESS,
    "lte": Operator.AT_MOST,
    "gt": Operator.GREATER,
    "gte": Operator.AT_LEAST,
    "starts_with": Operator.BEGINS_WITH,
    "is_null": Operator.NULL,
}


class _Reader:
    """Reads one filter; counts its conditions over the whole of it."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._conditions = 0

    def rule(self, given: LeadFilter, path: Path, depth: int) -> Rule | None:
        if depth > MAX_DEPTH:
            raise BadInput(f"Filters are nested more than {MAX_DEPTH} deep.", field=path)
        rules = list(self._parts(given, path, depth))
        return all_of(rules) if rules else None

    def _parts(self, given: LeadFilter, path: Path, depth: int) -> Iterator[Rule]:
        for name, value in _given(given, path):
            here = (*path, _shown(name))
            if name == "not_":
                yield none_of(self._inner(value, here, depth))
            elif name in ("and_", "or_"):
                joined = all_of if name == "and_" else any_of
                if not value:
                    raise BadInput("At least one condition is needed.", field=here)
                yield joined([self._inner(one, (*here, str(n)), depth) for n, one in enumerate(value)])
            elif name in SHORT:
                yield self._condition(SHORT[name], Operator.EQUALS, value, here)
            else:
                yield self._field(name, value, here)

    def _inner(self, given: LeadFilter, path: Path, depth: int) -> Rule:
        rule = self.rule(given, path, depth + 1)
        if rule is None:
            raise BadInput("At least one condition is needed.", field=path)
        return rule

    def _field(self, name: str, asked: FieldWhere, path: Path) -> Rule:
        rules = [
            self._condition(name, OPERATORS[part], value, (*path, _shown(part)))
            for part, value in _given(asked, path)
        ]
        if not rules:
            raise BadInput("At least one condition is needed.", field=path)
        return all_of(rules)

    def _condition(self, name: str, operator: Operator, value: Any, path: Path) -> Rule:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise BadInput(f"A filter may have {MAX_CONDITIONS} conditions.", field=path)
        read = self._reading(name, operator, path)
        asked = [read(one) for one in value] if isinstance(value, list) else read(value)
        try:
            return condition(KEYS[name], operator, asked)
        except BadInput as error:
            raise BadInput(str(error), field=path) from None

    def _reading(self, name: str, operator: Operator, path: Path) -> Callable[[Any], Any]:
        """How a value of the field reads as one that rules compare."""
        if operator is Operator.NULL:
            return bool
        if name in NOUNS:
            return lambda given: ids.local(NOUNS[name], given, self._scope, path)
        return READINGS.get(name, lambda given: _plain(given, path))


def _plain(given: Any, path: Path) -> Any:
    """A text that a database can hold, or a number or truth value as it is."""
    if isinstance(given, str) and ("\x00" in given or any("\ud800" <= sign <= "\udfff" for sign in given)):
        raise BadInput("A value is a text without NUL.", field=path)
    return given


READINGS: Mapping[str, Callable[[Any], Any]] = {
    "status": lambda status: status.value,
    "tag": lambda label: fold(" ".join(label.split())),
    "phone": fold,
    "created_at": moment_of,
    "changed_at": moment_of,
    "last_called_at": moment_of,
    "next_call_at": moment_of,
}


def _given(given: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """The parts that the client wrote. Raises BadInput for a null, which might mean none or no matter."""
    for each in fields(given):
        value = getattr(given, each.name)
        if value is UNSET:
            continue
        if value is None:
            raise BadInput("Leave it out, or ask for blanks with `isNull`.", field=(*path, _shown(each.name)))
        yield each.name, value


def _shown(name: str) -> str:
    """The name of a part in the schema."""
    if name in ("and_", "or_", "not_"):
        return name[:-1].upper()
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part.title() for part in rest)


published(
    LeadOrder,
    "LeadOrder",
    "What of its own a list of leads is sorted by.",
    {
        "ATTEMPTS": "Calls made so far.",
        "CREATED": "When it came in.",
        "LAST_CALLED": "When it was last called.",
        "LAST_CHANGED": "When it last changed.",
        "NEXT_CALL": "Not to be called before.",
        "PHONE": f"The phone; needs `{Permission.PHONE_VIEW.name}`.",
        "POSITION": "Its place in its pool's calling order.",
        "PRIORITY": "Its priority.",
        "RESULT": "Key of the last result.",
        "STATUS": "Where it stands.",
    },
)


@strawberry.input(description="A key of an order: one of the lead's own, or a field of the template.")
class LeadOrderInput:
    by: LeadOrder | None = strawberry.field(default=None, description="Of the lead's own.")
    field: str | None = strawberry.field(
        default=None, description="Key of a template field; in place of `by`."
    )
    descending: bool = strawberry.field(
        default=False, description="Greatest or newest first; leads without a value come last all the same."
    )

    def to_query(self, place: int) -> SortedBy:
        """Raises BadInput unless just one of the two is given."""
        chosen: LeadOrder | str | None = self.by if self.field is None else self.field
        if chosen is None or (self.by is not None and self.field is not None):
            raise BadInput("Sort by one of `by` and `field`.", field=("orderBy", str(place)))
        return SortedBy(chosen, self.descending)


LeadWhere = Annotated[
    LeadFilter | None, strawberry.argument(description="Conditions on the leads' own fields.")
]
LeadRule = Annotated[
    RuleTree | None,
    strawberry.argument(description="A rule as segments have it, over the fields of one project."),
]
LeadSorting = Annotated[
    list[LeadOrderInput] | None,
    strawberry.argument(description="Up to three keys; left out: in the order they came in."),
]
LeadSearchText = Annotated[
    str | None,
    strawberry.argument(
        description="Words, each part of a text or e-mail value of the lead, or a phone number as it is "
        "written; phones are not searched for callers who see them masked."
    ),
]


def lead_choice(
    scope: Scope,
    where: LeadFilter | None,
    rule: RuleTree | None,
    search: str | None,
    order: tuple[SortedBy, ...] = (),
) -> LeadChoice:
    """What a caller chose, for the query. Raises BadInput, NotFound."""

    def place(name: str, noun: str, shown: str) -> int | None:
        given = UNSET if where is None else getattr(where, name)
        return None if given is UNSET or given is None else ids.local(noun, given, scope, ["where", shown])

    return LeadChoice(
        project_id=place("project_id", "Project", "projectId"),
        campaign_id=place("campaign_id", "Campaign", "campaignId"),
        pool_id=place("lead_pool_id", "LeadPool", "leadPoolId"),
        where=None if where is None else where.rule(scope),
        rule=cast("Mapping[str, Any] | None", rule),
        search=search,
        order=order,
    )
