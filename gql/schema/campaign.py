"""Campaigns, the fields their leads carry, and the results agents record, as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

import strawberry

from core.campaign import DEFAULT_RESULTS, Result
from core.fields import Field
from core.fields import FieldType as CoreFieldType
from core.statuses import LeadStatus as CoreLeadStatus
from core.upload_pattern import MAX_PATTERN
from db.models import Campaign as Row
from db.models import CampaignResult as ResultRow
from gql.context import Info
from gql.schema.enums import published
from gql.schema.ids import opaque
from gql.schema.node import Node
from gql.schema.opening_hours import OpeningHours, OpeningHoursInput
from gql.schema.project import Project
from gql.schema.user_error import UserError

published(
    CoreFieldType,
    "FieldType",
    "What a field of a template holds.",
    {
        "TEXT": "Any text.",
        "INTEGER": "A whole number.",
        "DECIMAL": "A number with or without a fraction.",
        "BOOLEAN": "Yes or no.",
        "DATE": "A day, YYYY-MM-DD.",
        "DATETIME": "A day and time, RFC 3339; without an offset, in the campaign's zone.",
        "CHOICE": "One of the field's choices.",
        "PHONE": "A phone number.",
        "EMAIL": "An e-mail address.",
        "URL": "A web address.",
    },
)
published(
    CoreLeadStatus,
    "LeadStatus",
    "Where a lead stands.",
    {
        "NEW": "Never worked; open.",
        "OPEN": "Worked, and still to be worked.",
        "CLOSED": "Done with.",
        "REMOVED": "Taken out, as by an import that found it again.",
    },
)


class Status(StrEnum):
    """Whether something is in use."""

    ACTIVE = "active"
    INACTIVE = "inactive"


published(Status, "Status", "Whether something is in use.", {"ACTIVE": "In use.", "INACTIVE": "Not in use."})


def status_of(*, active: bool) -> Status:
    return Status.ACTIVE if active else Status.INACTIVE


@strawberry.type(description="A master data field that leads carry, with the upload rules it has here.")
class TemplateField:
    key: str = strawberry.field(description="Stable key; within a project the same key is the same field.")
    label: str = strawberry.field(description="What people call it.")
    type: CoreFieldType = strawberry.field(description="What it holds.")
    required: bool = strawberry.field(description="Whether a row without it is refused.")
    duplicate_key: bool = strawberry.field(description="Whether it may tell duplicates.")
    choices: list[str] = strawberry.field(description="Allowed values of a choice; empty: any.")
    minimum: float | None = strawberry.field(description="Smallest number allowed.")
    maximum: float | None = strawberry.field(description="Greatest number allowed.")
    pattern: str | None = strawberry.field(
        description="RE2 regular expression that the whole of a text must match, capitals included."
    )

    @classmethod
    def from_core(cls, field: Field) -> Self:
        return cls(
            key=field.key,
            label=field.label,
            type=field.type,
            required=field.required,
            duplicate_key=field.duplicate_key,
            choices=list(field.choices),
            minimum=field.minimum,
            maximum=field.maximum,
            pattern=field.pattern,
        )


@strawberry.type(description="An outcome that agents can record, and what it makes of the lead.")
class CampaignResult:
    key: str = strawberry.field(description="Stable key within the campaign.")
    label: str = strawberry.field(description="What agents see.")
    status: CoreLeadStatus = strawberry.field(description="The status it puts the lead in.")
    is_contact: bool = strawberry.field(description="Whether it counts as a contact.")
    is_success: bool = strawberry.field(description="Whether it counts as a success.")

    @classmethod
    def from_row(cls, row: ResultRow) -> Self:
        return cls(
            key=row.key,
            label=row.label,
            status=CoreLeadStatus(row.status),
            is_contact=row.is_contact,
            is_success=row.is_success,
        )


@strawberry.type(description="What leads are called for, with its own hours, template and results.")
class Campaign(Node):
    row: strawberry.Private[Row]
    code: str = strawberry.field(description="Unique in the organisation; imports by API name it.")
    name: str = strawberry.field(description="What people call it.")
    status: Status = strawberry.field(description="Whether its leads are called.")
    region: str = strawberry.field(description="Region phones are read in, ISO 3166 alpha-2.")
    time_zone: str = strawberry.field(description="IANA time zone dates are read in.")
    created_at: datetime = strawberry.field(description="When it was made, UTC.")
    archived_at: datetime | None = strawberry.field(description="Since when it is archived; null: it is not.")
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    async def resolve_project(self, info: Info) -> Project | None:
        row = await info.context.loaders.project.load(self.row.project_id)
        return Project.from_row(row) if row else None

    async def resolve_fields(self, info: Info) -> list[TemplateField]:
        stored = await info.context.loaders.template_fields.load(self.row.template_id)
        return [TemplateField.from_core(one.field) for one in stored]

    async def resolve_results(self, info: Info) -> list[CampaignResult]:
        rows = await info.context.loaders.campaign_results.load(self.row.id)
        return [CampaignResult.from_row(row) for row in rows]

    def resolve_hours(self) -> OpeningHours | None:
        return None if self.row.hours is None else OpeningHours.from_json(self.row.hours)

    project: Project | None = strawberry.field(
        resolver=resolve_project, description="The project it belongs to; null where it may not be seen."
    )
    fields: list[TemplateField] = strawberry.field(
        resolver=resolve_fields, description="The fields of its template, in order."
    )
    results: list[CampaignResult] = strawberry.field(
        resolver=resolve_results, description="The results agents can record, in order."
    )
    hours: OpeningHours | None = strawberry.field(
        resolver=resolve_hours, description="When calls are allowed; null: at any time."
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            id=opaque("Campaign", row.organisation_id, row.id),
            row=row,
            code=row.code,
            name=row.name,
            status=status_of(active=row.active),
            region=row.region,
            time_zone=row.time_zone,
            created_at=row.created_at,
            archived_at=row.archived_at,
            version=row.version,
        )


@strawberry.input(description="A field of a template.")
class TemplateFieldInput:
    key: str = strawberry.field(description="1 to 63 letters, digits and underscores; lasting.")
    label: str | None = strawberry.field(default=None, description="What people call it; by default the key.")
    type: CoreFieldType = strawberry.field(
        default=CoreFieldType.TEXT, description="What it holds; lasting within the project."
    )
    required: bool = strawberry.field(default=False, description="Whether a row without it is refused.")
    duplicate_key: bool = strawberry.field(
        default=False, description="Whether it may tell duplicates; phones always may."
    )
    choices: list[str] = strawberry.field(
        default_factory=list, description="Allowed values of a choice; empty: any."
    )
    minimum: float | None = strawberry.field(default=None, description="Smallest number allowed.")
    maximum: float | None = strawberry.field(default=None, description="Greatest number allowed.")
    pattern: str | None = strawberry.field(
        default=None,
        description="Regular expression (RE2) that the whole of a text, e-mail, web address or phone must "
        f"match as it is written, at most {MAX_PATTERN} characters.",
    )

    def to_core(self) -> Field:
        return Field(
            key=self.key,
            label=self.label or self.key,
            type=self.type,
            required=self.required,
            duplicate_key=self.duplicate_key,
            choices=tuple(self.choices),
            minimum=self.minimum,
            maximum=self.maximum,
            pattern=self.pattern,
        )


@strawberry.input(description="A result that agents can record.")
class CampaignResultInput:
    key: str = strawberry.field(description="1 to 63 letters, digits and underscores; lasting.")
    label: str | None = strawberry.field(default=None, description="What agents see; by default the key.")
    status: CoreLeadStatus = strawberry.field(description="The status it puts the lead in.")
    is_contact: bool = strawberry.field(default=False, description="Whether it counts as a contact.")
    is_success: bool = strawberry.field(default=False, description="Whether it counts as a success.")

    def to_core(self) -> Result:
        return Result(self.key, self.label or self.key, self.status, self.is_contact, self.is_success)


def fields_to_core(fields: Sequence[TemplateFieldInput]) -> list[Field]:
    return [field.to_core() for field in fields]


def results_to_core(results: Sequence[CampaignResultInput] | None) -> Sequence[Result]:
    """Results as given, or the usual five where none are."""
    return DEFAULT_RESULTS if results is None else [result.to_core() for result in results]


@strawberry.input(description="A new campaign.")
class CreateCampaignInput:
    project_id: strawberry.ID = strawberry.field(description="The project it belongs to.")
    code: str = strawberry.field(description="1 to 64 characters, unique in the organisation.")
    name: str = strawberry.field(description="1 to 200 characters.")
    region: str = strawberry.field(description="Region phones are read in, ISO 3166 alpha-2, such as US.")
    time_zone: str = strawberry.field(default="UTC", description="IANA zone, such as Europe/Paris.")
    fields: list[TemplateFieldInput] = strawberry.field(
        default_factory=list, description="Fields of its own template; one of them a phone."
    )
    template_of: strawberry.ID | None = strawberry.field(
        default=None, description="A campaign of the project whose template it shares, instead of `fields`."
    )
    results: list[CampaignResultInput] | None = strawberry.field(
        default=None, description="Results agents can record; left out: the usual five."
    )
    hours: OpeningHoursInput | None = strawberry.field(
        default=None, description="When calls are allowed; left out: at any time."
    )
    active: bool = strawberry.field(default=True, description="Whether its leads are called.")


@strawberry.input(description="What to change of a campaign; what is left out stays as it is.")
class UpdateCampaignInput:
    id: strawberry.ID = strawberry.field(description="The campaign.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    region: str | None = strawberry.field(default=None, description="Region of phones read from now on.")
    time_zone: str | None = strawberry.field(default=None, description="IANA zone.")
    active: bool | None = strawberry.field(default=None, description="Whether its leads are called.")
    fields: list[TemplateFieldInput] | None = strawberry.field(
        default=None,
        description="All fields of the template; one left out is retired, its values stay with the leads.",
    )
    results: list[CampaignResultInput] | None = strawberry.field(
        default=None, description="All results; one that leads have cannot be left out."
    )
    hours: OpeningHoursInput | None = strawberry.field(
        default=strawberry.UNSET, description="When calls are allowed; null: at any time."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="A campaign to archive.")
class ArchiveCampaignInput:
    id: strawberry.ID = strawberry.field(description="The campaign; its leads and history stay.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.type(description="A campaign after a change, or why there was none.")
class CampaignPayload:
    campaign: Campaign | None = strawberry.field(default=None, description="The campaign.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.input(description="Which campaigns to list; every part that is given must hold.")
class CampaignFilter:
    project_id: strawberry.ID | None = strawberry.field(default=None, description="Of this project.")
    code: str | None = strawberry.field(default=None, description="With this code.")
    status: Status | None = strawberry.field(default=None, description="Of this status.")
    archived: bool = strawberry.field(default=False, description="Archived ones instead of those in use.")


CampaignWhere = Annotated[
    CampaignFilter | None, strawberry.argument(description="Which campaigns; left out: all in use.")
]
CampaignId = Annotated[strawberry.ID | None, strawberry.argument(description="The campaign's ID.")]
CampaignCode = Annotated[str | None, strawberry.argument(description="Its code, instead of the ID.")]
