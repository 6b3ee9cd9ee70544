"""Uploads of leads as the API shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

import strawberry

from core.access import Permission
from core.csv_file import Dialect, known_encoding
from core.errors import BadInput
from core.field_mapping import suggest
from core.fields import FieldType
from core.masking import masked_phone, phone_columns
from core.upload import column_from, settings_from
from db.models import LeadUpload as Row
from gql.context import Info
from gql.schema import ids
from gql.schema.campaign import Campaign
from gql.schema.column_mapping import ColumnMapping, ColumnMappingInput, UnfitColumn
from gql.schema.enums import published
from gql.schema.import_outcome import ImportPlan
from gql.schema.job import Job
from gql.schema.lead_pool import LeadPool
from gql.schema.node import Node
from gql.schema.upload_settings import UploadSettings, UploadSettingsInput
from gql.schema.user_error import UserError

MAX_ROWS_ABOVE = 100


class UploadState(StrEnum):
    """How far an upload is."""

    RECEIVING = "receiving"
    RECEIVED = "received"
    SUBMITTED = "submitted"


published(
    UploadState,
    "LeadUploadState",
    "How far an upload is.",
    {
        "RECEIVING": "The file has not arrived in full.",
        "RECEIVED": "Inspected; settings and mapping may be changed.",
        "SUBMITTED": "Handed to an import job; nothing may be changed any more.",
    },
)


@strawberry.type(description="How a file is written.")
class CsvDialect:
    encoding: str = strawberry.field(description="Such as utf-8, utf-8-sig (with byte order mark), cp1252.")
    separator: str = strawberry.field(description="The sign between cells.")
    has_header: bool = strawberry.field(description="Whether the first row names the columns.")
    rows_above: int = strawberry.field(
        default=0, description="Rows above that one that are left out, such as a title."
    )


@strawberry.type(description="A column of an uploaded file.")
class UploadColumn:
    name: str = strawberry.field(description="Its heading, made unique.")
    samples: list[str] = strawberry.field(
        description=f"Its first different values, at most five; phones as far as "
        f"`{Permission.PHONE_VIEW.name}` shows."
    )
    guessed_type: FieldType = strawberry.field(description="What its values look like.")
    suggested_field: str | None = strawberry.field(
        description="Key of the template field it seems to fill; null: none."
    )


@strawberry.type(description="A file of leads on its way in: sent, inspected, mapped, submitted.")
class LeadUpload(Node):
    row: strawberry.Private[Row]
    file_name: str = strawberry.field(description="What the client calls it.")
    size: int | None = strawberry.field(description="Its length in bytes; null while it is not known.")
    received: int = strawberry.field(description="Bytes that have arrived.")
    state: UploadState = strawberry.field(description="How far it is.")
    url: str = strawberry.field(
        description="Path to send the bytes to with PUT: all of them, or pieces, each behind the first with "
        "`Upload-Offset: <bytes that have arrived>`, which HEAD answers with. A PUT without it begins anew. "
        "`Content-Digest: sha-256=:<base64>:` has the bytes of a request checked; `Content-Range` is refused."
    )
    settings: UploadSettings = strawberry.field(description="How its leads come in.")
    created_at: datetime = strawberry.field(description="When it was announced, UTC.")
    version: int = strawberry.field(description="Rises with each edit; pass it as `expectedVersion`.")

    async def resolve_campaign(self, info: Info) -> Campaign | None:
        row = await info.context.loaders.campaign.load(self.row.campaign_id)
        return Campaign.from_row(row) if row else None

    async def resolve_columns(self, info: Info) -> list[UploadColumn] | None:
        if self.row.columns is None:
            return None
        columns = [column_from(record) for record in self.row.columns]
        campaign = await info.context.loaders.campaign.load(self.row.campaign_id)
        stored = await info.context.loaders.template_fields.load(campaign.template_id) if campaign else []
        pairs = suggest(columns, [one.field for one in stored])
        hidden = frozenset[str]()
        if not info.context.scope.may(Permission.PHONE_VIEW):
            suggested = {pair.column: pair.field for pair in pairs if pair.field is not None}
            types = {one.field.key: one.field.type for one in stored}
            hidden = phone_columns(columns, {**suggested, **(self.row.mapping or {})}, types)
        return [
            UploadColumn(
                name=column.name,
                samples=[masked_phone(one) if column.name in hidden else one for one in column.samples],
                guessed_type=column.type,
                suggested_field=pair.field,
            )
            for column, pair in zip(columns, pairs, strict=True)
        ]

    def resolve_mapping(self) -> list[ColumnMapping]:
        return [ColumnMapping(column=one, field=key) for one, key in (self.row.mapping or {}).items()]

    def resolve_dialect(self) -> CsvDialect | None:
        return CsvDialect(**self.row.dialect) if self.row.dialect else None

    campaign: Campaign | None = strawberry.field(resolver=resolve_campaign, description="Where they go.")
    columns: list[UploadColumn] | None = strawberry.field(
        resolver=resolve_columns, description="Its columns; null until it has arrived."
    )
    mapping: list[ColumnMapping] = strawberry.field(
        resolver=resolve_mapping, description="Which column fills which field; at first as suggested."
    )
    dialect: CsvDialect | None = strawberry.field(
        resolver=resolve_dialect, description="How it is written, found out by itself; null until it arrived."
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        given = ids.opaque("LeadUpload", row.organisation_id, row.id)
        return cls(
            id=given,
            row=row,
            file_name=row.file_name,
            size=row.size or None,
            received=row.received,
            state=UploadState(row.state),
            url=f"/uploads/{given}",
            settings=UploadSettings.from_core(settings_from(row.settings or {})),
            created_at=row.created_at,
            version=row.version,
        )


@strawberry.input(description="How a file is written, where it was found out wrongly.")
class CsvDialectInput:
    encoding: str | None = strawberry.field(default=None, description="Such as utf-8 or cp1252.")
    separator: str | None = strawberry.field(default=None, description="One sign: , ; | or a tab.")
    has_header: bool | None = strawberry.field(
        default=None, description="Whether the first row names the columns."
    )
    rows_above: int | None = strawberry.field(
        default=None,
        description=f"Rows above that one to leave out, at most {MAX_ROWS_ABOVE}; blank lines are none.",
    )

    def over(self, found: Dialect) -> Dialect:
        """What was found, save for what is said here. Raises BadInput."""
        separator = found.separator if self.separator is None else self.separator
        if len(separator) != 1 or separator in '"\r\n\x00':
            raise BadInput("A separator is one sign.", field=("input", "dialect", "separator"))
        encoding = found.encoding if self.encoding is None else known_encoding(self.encoding)
        above = found.rows_above if self.rows_above is None else self.rows_above
        if not 0 <= above <= MAX_ROWS_ABOVE:
            raise BadInput(
                f"From 0 to {MAX_ROWS_ABOVE} rows are left out.", field=("input", "dialect", "rowsAbove")
            )
        has_header = found.has_header if self.has_header is None else self.has_header
        return Dialect(encoding, separator, has_header, above)


@strawberry.input(description="A file that is about to be sent.")
class CreateLeadUploadInput:
    campaign_id: strawberry.ID = strawberry.field(description="The campaign its leads are for.")
    file_name: str = strawberry.field(description="What it is called; used as the pool's name only.")
    size: int | None = strawberry.field(
        default=None, description="Its length in bytes; left out: the first PUT that ends is the whole file."
    )
    settings: UploadSettingsInput | None = strawberry.field(
        default=None, description="How its leads come in; may be changed until it is submitted."
    )


@strawberry.input(description="What to change of an upload; what is left out stays as it is.")
class UpdateLeadUploadInput:
    id: strawberry.ID = strawberry.field(description="The upload.")
    campaign_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Another campaign: the file is read as its region writes, and the mapping starts from "
        "the suggestion.",
    )
    settings: UploadSettingsInput | None = strawberry.field(
        default=None, description="What to change of how its leads come in."
    )
    mapping: list[ColumnMappingInput] | None = strawberry.field(
        default=None, description="Which column fills which field, given whole; the rest is not imported."
    )
    mapping_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Takes a saved mapping as far as it fits; the lines that do not are answered as `unfit`. "
        "`mapping` must be left out.",
    )
    dialect: CsvDialectInput | None = strawberry.field(
        default=None, description="Reads the file anew as said here; the mapping starts from the suggestion."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )


@strawberry.input(description="An upload to import.")
class ImportLeadsInput:
    upload_id: strawberry.ID = strawberry.field(
        description="The upload; importing it again answers with the same job."
    )
    expected_version: int | None = strawberry.field(
        default=None, description="Refuses with STALE_VERSION if it has another version."
    )
    dry_run: bool = strawberry.field(
        default=False,
        description="Answers with the plan and imports nothing: at once up to 500 kB, beyond by a job.",
    )


@strawberry.type(description="An upload after a change, or why there was none.")
class LeadUploadPayload:
    lead_upload: LeadUpload | None = strawberry.field(default=None, description="The upload.")
    unfit: list[UnfitColumn] = strawberry.field(
        default_factory=list,
        description="Lines of the saved mapping that the file or the template has no place for.",
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="The import that has begun, or why it has not.")
class ImportLeadsPayload:
    job: Job | None = strawberry.field(
        default=None, description="The job that imports, or that makes the plan of a large file."
    )
    plan: ImportPlan | None = strawberry.field(
        default=None, description="What a dry run found; null where a job finds it."
    )
    changeset: strawberry.ID | None = strawberry.field(
        default=None, description="The import as a unit, its entry in the change log: for `undoChangeset`."
    )
    lead_pool: LeadPool | None = strawberry.field(default=None, description="The pool it fills.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


UploadId = Annotated[strawberry.ID, strawberry.argument(description="The upload.")]
