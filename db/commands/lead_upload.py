"""Uploads of leads: a file received in pieces, inspected, mapped, and submitted for import."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.csv_file import Dialect
from core.errors import BadInput, Conflict, NotFound, TooLarge
from core.field_mapping import (
    Column,
    Pair,
    Unfit,
    check_mapping,
    check_pairs,
    fitted,
    suggest,
)
from core.fields import Field
from core.import_accounts import check_may_act
from core.jobs import JobKind
from core.segment_import import SegmentImport, matching_rule
from core.upload import ImportSettings, column_from, column_record, settings_from
from db import change_log
from db.commands.job import enqueue
from db.commands.lead_pool import create_pool_of_upload
from db.commands.upload_settings import check_duplicate_field, check_owners, check_upload_settings
from db.ids import allocate
from db.models import Campaign, ImportMapping, Job, LeadPool, LeadUpload
from db.queries.campaign import fields_of_template
from db.queries.visible import check_version, visible_by_id, visible_or_not_found

RECEIVING, RECEIVED, SUBMITTED = "receiving", "received", "submitted"
MAX_FILE_NAME = 200
UPLOAD_PATH = ("input", "uploadId")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a file."""

    dialect: Dialect
    columns: Sequence[Column]


@dataclass(frozen=True, slots=True)
class UploadChanges:
    """What to change; None leaves it as it is.

    settings    from those there are
    mapping     given whole; columns left out of it are not imported
    mapping_id  a saved mapping to take instead, as far as it fits
    campaign_id  another campaign; the mapping starts from what its template suggests
    inspection  the file read anew, in a dialect that was chosen by hand
    """

    settings: Callable[[ImportSettings], ImportSettings] | None = None
    mapping: Sequence[Pair] | None = None
    mapping_id: int | None = None
    campaign_id: int | None = None
    inspection: Inspection | None = None


@dataclass(frozen=True, slots=True)
class UpdatedUpload:
    """An upload after a change, and what of a saved mapping did not fit."""

    upload: LeadUpload
    unfit: Sequence[Unfit]


@dataclass(frozen=True, slots=True)
class SubmittedImport:
    """The pool of an import, the job that fills it, and its changeset: the submission in the change log."""

    pool: LeadPool
    job: Job
    changeset: int


async def create_lead_upload(
    session: AsyncSession,
    scope: Scope,
    *,
    campaign_id: int,
    file_name: str,
    size: int | None,
    settings: ImportSettings | None,
    max_size: int,
    now: datetime,
    open_limit: tuple[int, datetime] | None = None,
) -> LeadUpload:
    """A place for a file to be sent to. `size` is its length in bytes, None where the client cannot tell.

    open_limit  how many the organisation may have that were begun since that time and are not submitted
    Raises  TooLarge, BadInput, Conflict for an archived campaign
    """
    scope.need(Permission.LEAD_IMPORT)
    campaign = await _open_campaign(session, scope, campaign_id)
    _check_size(size, max_size)
    if open_limit is not None:
        await _check_open(session, scope, *open_limit)
    name = PurePath(file_name.replace("\\", "/")).name.replace("\x00", "").strip()[-MAX_FILE_NAME:]
    name = name or "upload.csv"
    chosen = settings or ImportSettings(pool_name="")
    chosen = replace(chosen, pool_name=chosen.pool_name.strip() or name)
    await check_upload_settings(session, scope, chosen)
    upload = LeadUpload(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "lead_upload"),
        campaign_id=campaign.id,
        file_name=name,
        size=size or 0,
        state=RECEIVING,
        settings=chosen.record(),
        created_at=now,
        created_by=scope.actor.user_id,
    )
    check_duplicate_field(chosen.duplicate_field, await _fields(session, scope, upload))
    session.add(upload)
    return upload


async def record_received(
    session: AsyncSession,
    scope: Scope,
    upload_id: int,
    *,
    before: int,
    after: int,
    inspection: Inspection | None = None,
) -> None:
    """Notes that the file has grown; `inspection` comes with its last bytes.

    Raises  Conflict where somebody else has sent bytes meanwhile
    """
    scope.need(Permission.LEAD_IMPORT)
    values: dict[str, object] = {"received": after}
    if inspection is not None:
        values |= {
            "state": RECEIVED,
            "size": after,
            **await _inspected(session, scope, upload_id, inspection),
        }
    grown = (
        update(LeadUpload)
        .where(
            col(LeadUpload.organisation_id) == scope.organisation_id,
            col(LeadUpload.id) == upload_id,
            col(LeadUpload.state) == RECEIVING,
            col(LeadUpload.received) == before,
        )
        .values(**values)
        .returning(col(LeadUpload.id))
    )
    if (await session.execute(grown)).scalar_one_or_none() is None:
        raise Conflict("The upload has moved on: ask for its offset.")


async def begin_anew(session: AsyncSession, scope: Scope, upload_id: int, *, before: int) -> None:
    """Gives up what has come of a file, all of it too, for one that is sent in its place.

    Raises  Conflict where somebody else has sent bytes meanwhile, or submitted the upload
    """
    scope.need(Permission.LEAD_IMPORT)
    upload = await visible_or_not_found(session, scope, LeadUpload, upload_id, lock=True)
    if upload.state == SUBMITTED or upload.received != before:
        raise Conflict("The upload has moved on: ask for its offset.")
    if upload.state == RECEIVED:
        upload.state, upload.size = RECEIVING, 0
        upload.dialect = upload.columns = None
        upload.version += 1
    upload.received = 0


async def update_lead_upload(
    session: AsyncSession,
    scope: Scope,
    upload_id: int,
    changes: UploadChanges,
    *,
    expected_version: int | None,
) -> UpdatedUpload:
    """Changes settings and mapping as often as wanted before submission. Raises Conflict after it."""
    scope.need(Permission.LEAD_IMPORT)
    upload = await visible_or_not_found(session, scope, LeadUpload, upload_id, lock=True)
    check_version(upload.version, expected_version)
    if upload.state == SUBMITTED:
        raise Conflict("The upload has been submitted: it cannot be changed any more.", field=("input", "id"))
    if changes.campaign_id is not None:
        upload.campaign_id = (await _open_campaign(session, scope, changes.campaign_id)).id
        upload.mapping = None
    if changes.inspection is not None:
        for name, value in (await _inspected(session, scope, upload_id, changes.inspection)).items():
            setattr(upload, name, value)
    if changes.settings is not None:
        current = settings_from(upload.settings or {})
        settings = changes.settings(current)
        await check_upload_settings(session, scope, settings)
        if settings.duplicate_field != current.duplicate_field or changes.campaign_id is not None:
            check_duplicate_field(settings.duplicate_field, await _fields(session, scope, upload))
        upload.settings = settings.record()
    if changes.mapping is not None:
        upload.mapping = await _checked_mapping(session, scope, upload, changes.mapping)
    unfit: list[Unfit] = []
    if changes.mapping_id is not None:
        upload.mapping, unfit = await _saved_mapping(session, scope, upload, changes.mapping_id)
    upload.version += 1
    return UpdatedUpload(upload, unfit)


async def submit_lead_upload(
    session: AsyncSession,
    scope: Scope,
    upload_id: int,
    *,
    into: SegmentImport | None = None,
    expected_version: int | None = None,
    now: datetime,
) -> SubmittedImport:
    """Makes the pool and asks for the import; submitting again answers with the same.

    into    the segment that the leads are to join, those that rows match among them
    Raises  BadInput while the file, the mapping or the duplicate field is missing; StaleVersion; Conflict
            where it was submitted for another segment, or for none
    """
    scope.need(Permission.LEAD_IMPORT)
    upload = await visible_or_not_found(session, scope, LeadUpload, upload_id, lock=True)
    key = f"lead_import:{upload.id}"
    if upload.state == SUBMITTED:
        job = await enqueue(session, scope, JobKind.LEAD_IMPORT, {}, idempotency_key=key, now=now)
        if job.payload.get("segment") != (into and into.record()):
            raise Conflict("The upload was submitted, and not for this.", field=("input", "uploadId"))
        pool = await visible_or_not_found(session, scope, LeadPool, job.payload["pool"])
        return SubmittedImport(pool, job, job.payload["changeset"])
    check_version(upload.version, expected_version)
    campaign, settings = await _checked_upload(session, scope, upload)
    if into is not None:
        settings = replace(settings, duplicates=matching_rule(settings.duplicates))
    pool = await create_pool_of_upload(session, scope, campaign, settings, now=now)
    changeset = await change_log.append(
        session,
        scope,
        noun="lead_pool",
        noun_id=pool.id,
        action="import_submitted",
        now=now,
        after={"campaign": campaign.id, "file": upload.file_name, "upload": upload.id},
    )
    payload: dict[str, Any] = {"upload": upload.id, "pool": pool.id, "changeset": changeset}
    if into is not None:
        payload["segment"] = into.record()
    job = await enqueue(session, scope, JobKind.LEAD_IMPORT, payload, idempotency_key=key, now=now)
    upload.settings = settings.record()
    upload.state = SUBMITTED
    upload.version += 1
    return SubmittedImport(pool, job, changeset)


async def check_submittable(
    session: AsyncSession, scope: Scope, upload_id: int, *, expected_version: int | None = None
) -> LeadUpload:
    """The upload, if it could be submitted as it is; for a dry run. Raises as the submission does."""
    scope.need(Permission.LEAD_IMPORT)
    upload = await visible_or_not_found(session, scope, LeadUpload, upload_id)
    if upload.state == SUBMITTED:
        raise Conflict("The upload has been submitted.", field=("input", "uploadId"))
    check_version(upload.version, expected_version)
    await _checked_upload(session, scope, upload)
    return upload


async def enqueue_plan(session: AsyncSession, scope: Scope, upload: LeadUpload, *, now: datetime) -> Job:
    """Asks for the dry run of an upload as it is now."""
    key = f"lead_import_plan:{upload.id}:{upload.version}:{now.timestamp()}"
    payload = {"upload": upload.id}
    return await enqueue(session, scope, JobKind.LEAD_IMPORT_PLAN, payload, idempotency_key=key, now=now)


async def _checked_upload(
    session: AsyncSession, scope: Scope, upload: LeadUpload
) -> tuple[Campaign, ImportSettings]:
    """The campaign and the settings of an upload that has all it needs."""
    if upload.state != RECEIVED:
        raise Conflict(
            "The file has not arrived in full: send it with PUT /uploads/{id}.", field=("input", "uploadId")
        )
    campaign = await visible_or_not_found(session, scope, Campaign, upload.campaign_id)
    fields = [stored.field for stored in await fields_of_template(session, scope, campaign.template_id)]
    settings = settings_from(upload.settings or {})
    check_may_act(settings.duplicates, scope, UPLOAD_PATH)
    await check_owners(session, scope, settings, UPLOAD_PATH, UPLOAD_PATH)
    columns = [column["name"] for column in upload.columns or ()]
    pairs = [Pair(column, key) for column, key in (upload.mapping or {}).items()]
    try:
        mapping = check_mapping(pairs, columns, fields, settings.duplicate_field)
    except BadInput as error:
        raise BadInput(str(error), field=UPLOAD_PATH) from None
    return campaign, replace(settings, duplicate_field=mapping.duplicate.key)


async def _open_campaign(session: AsyncSession, scope: Scope, campaign_id: int) -> Campaign:
    campaign = await visible_or_not_found(session, scope, Campaign, campaign_id)
    if campaign.archived_at is not None:
        raise Conflict("The campaign is archived.", field=("input", "campaignId"))
    return campaign


def dialect_of(record: Mapping[str, object]) -> Dialect:
    """The dialect an upload's row holds."""
    above = int(str(record.get("rows_above", 0)))
    return Dialect(str(record["encoding"]), str(record["separator"]), bool(record["has_header"]), above)


async def _inspected(
    session: AsyncSession, scope: Scope, upload_id: int, inspection: Inspection
) -> dict[str, object]:
    """The columns of an upload's row after an inspection.

    The mapping starts from the suggestion; that of a file whose place this one takes stays, where it fits.
    """
    upload = await visible_or_not_found(session, scope, LeadUpload, upload_id)
    suggested = suggest(inspection.columns, await _fields(session, scope, upload))
    mapping = {pair.column: pair.field for pair in suggested if pair.field is not None}
    if upload.state == RECEIVING and upload.mapping:
        fits = {column.name for column in inspection.columns}.issuperset(upload.mapping)
        mapping = upload.mapping if fits else mapping
    return {
        "dialect": asdict(inspection.dialect),
        "columns": [column_record(column) for column in inspection.columns],
        "mapping": mapping,
    }


async def _checked_mapping(
    session: AsyncSession, scope: Scope, upload: LeadUpload, pairs: Sequence[Pair]
) -> dict[str, str]:
    """The mapping as it is stored; what is still missing is said at submission."""
    if upload.columns is None:
        raise Conflict("The file has not arrived: there are no columns to map.", field=("input", "mapping"))
    fields = await _fields(session, scope, upload)
    names = [column_from(record).name for record in upload.columns]
    try:
        by_column = check_pairs(pairs, names, fields)
    except BadInput as error:
        raise BadInput(str(error), field=("input", *error.field)) from None
    return {column: field.key for column, field in by_column.items()}


async def _saved_mapping(
    session: AsyncSession, scope: Scope, upload: LeadUpload, mapping_id: int
) -> tuple[dict[str, str], list[Unfit]]:
    path = ("input", "mappingId")
    if upload.columns is None:
        raise Conflict("The file has not arrived: there are no columns to map.", field=path)
    saved = (await visible_by_id(session, scope, ImportMapping, [mapping_id])).get(mapping_id)
    if saved is None:
        raise NotFound(field=path)
    names = [column_from(record).name for record in upload.columns]
    pairs, unfit = fitted(saved.fields, names, await _fields(session, scope, upload))
    return {pair.column: pair.field for pair in pairs if pair.field is not None}, unfit


async def _fields(session: AsyncSession, scope: Scope, upload: LeadUpload) -> list[Field]:
    campaign = await visible_or_not_found(session, scope, Campaign, upload.campaign_id)
    return [stored.field for stored in await fields_of_template(session, scope, campaign.template_id)]


async def _check_open(session: AsyncSession, scope: Scope, max_open: int, since: datetime) -> None:
    waiting = select(func.count()).where(
        col(LeadUpload.organisation_id) == scope.organisation_id,
        col(LeadUpload.state) != SUBMITTED,
        col(LeadUpload.created_at) > since,
    )
    if (await session.execute(waiting)).scalar_one() >= max_open:
        raise Conflict(f"{max_open} uploads wait to be imported: import some of them first.")


def _check_size(size: int | None, max_size: int) -> None:
    if size is not None and size <= 0:
        raise BadInput("The file is empty.", field=("input", "size"))
    if size is not None and size > max_size:
        raise TooLarge(f"A file may have at most {max_size} bytes.", field=("input", "size"))
