"""The fields that a rule may name: their kinds, and the operators each kind allows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from core.calling import RedialKind
from core.fields import Field, FieldType


class Operator(StrEnum):
    """The operators of a condition: react-querybuilder's names, exactly, and then our own."""

    EQUALS = "="
    NOT_EQUALS = "!="
    LESS = "<"
    GREATER = ">"
    AT_MOST = "<="
    AT_LEAST = ">="
    CONTAINS = "contains"
    BEGINS_WITH = "beginsWith"
    ENDS_WITH = "endsWith"
    DOES_NOT_CONTAIN = "doesNotContain"
    DOES_NOT_BEGIN_WITH = "doesNotBeginWith"
    DOES_NOT_END_WITH = "doesNotEndWith"
    NULL = "null"
    NOT_NULL = "notNull"
    IN = "in"
    NOT_IN = "notIn"
    BETWEEN = "between"
    NOT_BETWEEN = "notBetween"
    MATCHES_REGEX = "matchesRegex"
    WITHIN_LAST = "withinLast"
    WITHIN_NEXT = "withinNext"
    OLDER_THAN = "olderThan"
    ANNIVERSARY = "anniversary"
    IN_SEGMENT = "inSegment"
    NOT_IN_SEGMENT = "notInSegment"


class Kind(StrEnum):
    """How a rule reads a field: what its values are, and so what can be asked of it.

    KEY is one of a few stored keys; REFERENCE names another object by its opaque id; DAYS are the days since
    a moment, counted in days of the organisation; SET is any number of values; SEGMENT is the set of other
    segments that the lead is in.
    """

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    KEY = "key"
    REFERENCE = "reference"
    DAYS = "days"
    SET = "set"
    SEGMENT = "segment"


PRESENCE = (Operator.NULL, Operator.NOT_NULL)
EQUALITY = (Operator.EQUALS, Operator.NOT_EQUALS)
CHOICE = (*EQUALITY, Operator.IN, Operator.NOT_IN, *PRESENCE)
ORDER = (
    Operator.LESS,
    Operator.GREATER,
    Operator.AT_MOST,
    Operator.AT_LEAST,
    Operator.BETWEEN,
    Operator.NOT_BETWEEN,
)

PARTS = (
    Operator.CONTAINS,
    Operator.BEGINS_WITH,
    Operator.ENDS_WITH,
    Operator.DOES_NOT_CONTAIN,
    Operator.DOES_NOT_BEGIN_WITH,
    Operator.DOES_NOT_END_WITH,
)
RELATIVE = (Operator.WITHIN_LAST, Operator.WITHIN_NEXT, Operator.OLDER_THAN, Operator.ANNIVERSARY)

OPERATORS: Mapping[Kind, tuple[Operator, ...]] = {
    Kind.TEXT: (*CHOICE, *ORDER, *PARTS, Operator.MATCHES_REGEX),
    Kind.NUMBER: (*CHOICE, *ORDER),
    Kind.DATE: (*CHOICE, *ORDER, *RELATIVE),
    Kind.DATETIME: (*CHOICE, *ORDER, *RELATIVE),
    Kind.BOOLEAN: (*EQUALITY, *PRESENCE),
    Kind.KEY: CHOICE,
    Kind.REFERENCE: CHOICE,
    Kind.DAYS: (*CHOICE, *ORDER),
    Kind.SET: (*CHOICE, Operator.CONTAINS, Operator.DOES_NOT_CONTAIN),
    Kind.SEGMENT: (Operator.IN_SEGMENT, Operator.NOT_IN_SEGMENT, *PRESENCE),
}

KIND_OF_TYPE: Mapping[FieldType, Kind] = {
    FieldType.TEXT: Kind.TEXT,
    FieldType.CHOICE: Kind.TEXT,
    FieldType.PHONE: Kind.TEXT,
    FieldType.EMAIL: Kind.TEXT,
    FieldType.URL: Kind.TEXT,
    FieldType.INTEGER: Kind.NUMBER,
    FieldType.DECIMAL: Kind.NUMBER,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.DATETIME,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a field may have, and what people call it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class RuleField:
    """One field that conditions may name.

    choices  for a KEY the only values there are; for text a suggestion
    noun     what a REFERENCE points at
    of       what kind the values of a SET are      since  the field whose moment DAYS are counted from
    """

    key: str
    label: str
    kind: Kind
    choices: tuple[Choice, ...] = ()
    noun: str = ""
    of: Kind | None = None
    since: str = ""

    @property
    def operators(self) -> tuple[Operator, ...]:
        return OPERATORS[self.kind]


LEAD_STATUS = "lead.status"
LEAD_RESULT = "lead.result"
LEAD_CAMPAIGN = "lead.campaign"
LEAD_POOL = "lead.pool"
LEAD_CHANGED = "lead.lastChangedAt"
LEAD_OWNER_TEAM = "lead.ownerTeam"

REDIALS = tuple(
    Choice(kind.value, kind.value.capitalize() if kind is not RedialKind.VIP else "VIP")
    for kind in RedialKind
)
SOURCES = (Choice("upload", "Upload"), Choice("api", "API"), Choice("hand", "By hand"))

LEAD_FIELDS: tuple[RuleField, ...] = (
    RuleField(LEAD_CAMPAIGN, "Campaign", Kind.REFERENCE, noun="Campaign"),
    RuleField(LEAD_POOL, "Lead pool", Kind.REFERENCE, noun="LeadPool"),
    RuleField("lead.phone", "Phone (E.164)", Kind.TEXT),
    RuleField("lead.open", "Open", Kind.BOOLEAN),
    RuleField("lead.active", "Active", Kind.BOOLEAN),
    RuleField("lead.attempts", "Attempts", Kind.NUMBER),
    RuleField("lead.priority", "Priority", Kind.NUMBER),
    RuleField("lead.ownerUser", "Owner", Kind.REFERENCE, noun="User"),
    RuleField(LEAD_OWNER_TEAM, "Owning teams", Kind.SET, noun="Team", of=Kind.REFERENCE),
    RuleField("lead.createdAt", "Created", Kind.DATETIME),
    RuleField(LEAD_CHANGED, "Last changed", Kind.DATETIME),
    RuleField("lead.lastCalledAt", "Last called", Kind.DATETIME),
    RuleField("lead.nextCallAt", "Next call", Kind.DATETIME),
    RuleField("lead.redial", "Redial", Kind.KEY, REDIALS),
    RuleField("lead.redialAt", "Redial time", Kind.DATETIME),
    RuleField("lead.redialUser", "Redial agent", Kind.REFERENCE, noun="User"),
    RuleField("lead.clone", "Is a clone", Kind.BOOLEAN),
)
"""Fields stored with the lead itself; status and result are added with the choices of the project."""

LEAD_SOURCE = "lead.source"
LEAD_TAGS = "lead.tags"
LEAD_STAGES = "lead.stages"
LEAD_RESULTS = "lead.results"
LEAD_SEGMENTS = "lead.segments"
LEAD_CONTACTED = "lead.lastContactAt"
LEAD_TOUCHED = "lead.lastTouchAt"

RELATED_FIELDS: tuple[RuleField, ...] = (
    RuleField(LEAD_SOURCE, "Source", Kind.KEY, SOURCES),
    RuleField(LEAD_CONTACTED, "Last contact", Kind.DATETIME),
    RuleField("lead.daysSinceContact", "Days since last contact", Kind.DAYS, since=LEAD_CONTACTED),
    RuleField(LEAD_TOUCHED, "Last touch", Kind.DATETIME),
    RuleField("lead.daysSinceTouch", "Days since last touch", Kind.DAYS, since=LEAD_TOUCHED),
    RuleField("lead.daysSinceCall", "Days since last call", Kind.DAYS, since="lead.lastCalledAt"),
    RuleField(LEAD_TAGS, "Tags", Kind.SET, of=Kind.TEXT),
    RuleField(LEAD_STAGES, "Pipeline stage", Kind.SET, noun="PipelineStage", of=Kind.REFERENCE),
    RuleField(LEAD_SEGMENTS, "Segment", Kind.SEGMENT, noun="Segment", of=Kind.REFERENCE),
)
"""Fields stored elsewhere; results ever are added with the choices of the project."""


@dataclass(frozen=True, slots=True)
class KnownSegment:
    """A segment that rules may name; `filter` as it is stored, None for one without."""

    name: str
    filter: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What rules over the leads of one project may name.

    zone      where a date without a time, or a time without an offset, is read
    segments  of the project, by number: all, or none where no rule names any
    """

    organisation_id: int
    zone: ZoneInfo
    fields: Mapping[str, RuleField]
    segments: Mapping[int, KnownSegment] = dataclass_field(default_factory=dict)


def catalogue_of(
    organisation_id: int,
    zone: ZoneInfo,
    fields: Iterable[Field],
    *,
    statuses: Iterable[Choice],
    results: Iterable[Choice],
    segments: Mapping[int, KnownSegment] | None = None,
) -> Catalogue:
    """The catalogue of a project: its template fields by key, then the lead's own as `lead.…`."""
    of_results = tuple(results)
    known = [
        *(_template_field(field) for field in fields),
        RuleField(LEAD_STATUS, "Status", Kind.KEY, tuple(statuses)),
        RuleField(LEAD_RESULT, "Last result", Kind.KEY, of_results),
        RuleField(LEAD_RESULTS, "Results ever", Kind.SET, of_results, of=Kind.KEY),
        *LEAD_FIELDS,
        *RELATED_FIELDS,
    ]
    return Catalogue(organisation_id, zone, {field.key: field for field in known}, segments or {})


def _template_field(field: Field) -> RuleField:
    choices = tuple(Choice(choice, choice) for choice in field.choices)
    return RuleField(field.key, field.label, KIND_OF_TYPE[field.type], choices)
