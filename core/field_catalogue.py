"""The fields that a rule may name: their kinds, and the operators each kind allows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from core.fields import Field, FieldType


class Operator(StrEnum):
    """The operators of a condition: react-querybuilder's names, exactly."""

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


class Kind(StrEnum):
    """How a rule reads a field: what its values are, and so what can be asked of it.

    KEY is one of a few stored keys; REFERENCE names another object by its opaque id.
    """

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    KEY = "key"
    REFERENCE = "reference"


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

OPERATORS: Mapping[Kind, tuple[Operator, ...]] = {
    Kind.TEXT: tuple(Operator),
    Kind.NUMBER: (*CHOICE, *ORDER),
    Kind.DATE: (*CHOICE, *ORDER),
    Kind.DATETIME: (*CHOICE, *ORDER),
    Kind.BOOLEAN: (*EQUALITY, *PRESENCE),
    Kind.KEY: CHOICE,
    Kind.REFERENCE: CHOICE,
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
    """

    key: str
    label: str
    kind: Kind
    choices: tuple[Choice, ...] = ()
    noun: str = ""

    @property
    def operators(self) -> tuple[Operator, ...]:
        return OPERATORS[self.kind]


LEAD_STATUS = "lead.status"
LEAD_RESULT = "lead.result"
LEAD_CAMPAIGN = "lead.campaign"
LEAD_POOL = "lead.pool"
LEAD_CHANGED = "lead.lastChangedAt"
LEAD_SEGMENTS = "lead.segments"
LEAD_OWNER_TEAM = "lead.ownerTeam"

LEAD_FIELDS: tuple[RuleField, ...] = (
    RuleField(LEAD_CAMPAIGN, "Campaign", Kind.REFERENCE, noun="Campaign"),
    RuleField(LEAD_POOL, "Lead pool", Kind.REFERENCE, noun="LeadPool"),
    RuleField("lead.phone", "Phone (E.164)", Kind.TEXT),
    RuleField("lead.open", "Open", Kind.BOOLEAN),
    RuleField("lead.active", "Active", Kind.BOOLEAN),
    RuleField("lead.attempts", "Attempts", Kind.NUMBER),
    RuleField("lead.priority", "Priority", Kind.NUMBER),
    RuleField("lead.ownerUser", "Owner", Kind.REFERENCE, noun="User"),
    RuleField(LEAD_OWNER_TEAM, "Owning team", Kind.REFERENCE, noun="Team"),
    RuleField("lead.createdAt", "Created", Kind.DATETIME),
    RuleField(LEAD_CHANGED, "Last changed", Kind.DATETIME),
    RuleField("lead.lastCalledAt", "Last called", Kind.DATETIME),
    RuleField("lead.nextCallAt", "Next call", Kind.DATETIME),
)
"""Built-in fields of a lead; status and result are added with the choices of the project."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What rules over the leads of one project may name.

    zone  where a date without a time, or a time without an offset, is read
    """

    organisation_id: int
    zone: ZoneInfo
    fields: Mapping[str, RuleField]


def catalogue_of(
    organisation_id: int,
    zone: ZoneInfo,
    fields: Iterable[Field],
    *,
    statuses: Iterable[Choice],
    results: Iterable[Choice],
) -> Catalogue:
    """The catalogue of a project: its template fields by key, then the lead's own as `lead.…`."""
    known = [
        *(_template_field(field) for field in fields),
        RuleField(LEAD_STATUS, "Status", Kind.KEY, tuple(statuses)),
        RuleField(LEAD_RESULT, "Last result", Kind.KEY, tuple(results)),
        *LEAD_FIELDS,
    ]
    return Catalogue(organisation_id, zone, {field.key: field for field in known})


def _template_field(field: Field) -> RuleField:
    choices = tuple(Choice(choice, choice) for choice in field.choices)
    return RuleField(field.key, field.label, KIND_OF_TYPE[field.type], choices)
