"""`import-leads`: the import of a file beside a running server, by the same steps and the same job."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from core.access import Scope
from core.errors import BadInput, LeadgraphError
from core.field_mapping import Headings, Pair
from core.import_accounts import DuplicateRule
from core.jobs import JobState
from core.upload import ImportSettings
from db.commands import job as jobs
from db.commands import lead_upload as uploads
from db.database import Database
from db.models import Campaign, Job, LeadPool, LeadUpload
from db.queries.campaign import campaigns_of_code
from db.queries.organisation import organisations_called
from db.queries.visible import visible_or_not_found
from db.upload_files import Part, UploadFiles
from gql.authz.scope import operator_scope
from gql.context import Services
from gql.inspection import inspect_upload, upload_files
from gql.jobs.runner import new_owner
from gql.jobs.work import runner_of
from gql.schema.ids import opaque

COPY_BYTES = 2**20
LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class FileImport:
    """What to import, and how.

    mapping       field by column for the columns that are not to take the suggested one; an empty field: none
    organisation  name or number, needed where several organisations have a campaign of that code
    """

    path: Path
    campaign_code: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    duplicate_field: str = "phone"
    duplicates: DuplicateRule = field(default_factory=DuplicateRule)
    organisation: str | None = None


Show = Callable[[Job], None]
Mapped = Callable[[LeadUpload], None]


async def import_file(
    services: Services,
    wanted: FileImport,
    show: Show = lambda job: None,
    mapped: Mapped = lambda upload: None,
) -> LeadPool:
    """Imports a file and answers with its pool.

    show    is given the job every now and then
    mapped  is given the upload as it is submitted, before any row of it is imported
    Raises  LeadgraphError for what stands against it
    """
    database, clock = services.database, services.clock
    scope, campaign = await _campaign(database, wanted)
    upload = await _receive(services, scope, campaign, wanted)
    runner = runner_of(database, services.settings, clock)
    now = clock()
    async with database.writing() as session:
        changed = await uploads.update_lead_upload(
            session, scope, upload.id, _changes(upload, wanted), expected_version=None
        )
        submitted = await uploads.submit_lead_upload(session, scope, upload.id, now=now)
        pool, job = submitted.pool, submitted.job
        # In one transaction: a server that runs beside sees the job only as one that is taken.
        await jobs.claim_one(session, scope, job.id, owner=new_owner(), length=runner.lease_length, now=now)
    mapped(changed.upload)
    await _watched(database, scope, job, runner.run_one(job), show)
    return await _imported(database, scope, job.id, pool.id)


async def run_file_import(services: Services, wanted: FileImport, *, as_json: bool) -> int:
    """The body of the verb: shows progress on a terminal, prints the accounts, answers with the exit code."""
    console = Console(stderr=True)
    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]:,.0f} rows/s"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )

    def show(job: Job) -> None:
        shown.update(task, completed=job.progress.get("bytes", 0), rate=job.progress.get("rate", 0.0))

    def tell(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    try:
        with shown:
            task = shown.add_task(f"Importing {wanted.path.name}", total=wanted.path.stat().st_size, rate=0.0)
            pool = await import_file(services, wanted, show, lambda upload: tell(_mapped(upload)))
    except (LeadgraphError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if pool.invalid:
        tell(_invalid(pool))
    sys.stdout.write(_summary(pool, as_json=as_json) + "\n")
    return 0


async def _campaign(database: Database, wanted: FileImport) -> tuple[Scope, Campaign]:
    """The one campaign that is meant, and the operator of its organisation. Raises BadInput."""
    async with database.reading() as session:
        found = await campaigns_of_code(session, wanted.campaign_code)
        named = {one.id: one.name for one in await organisations_called(session, wanted.organisation)}
    campaigns = [one for one in found if one.organisation_id in named]
    if not campaigns:
        raise BadInput(f"There is no campaign with the code “{wanted.campaign_code}”.")
    if len(campaigns) > 1:
        several = ", ".join(f"“{named[one.organisation_id]}” ({one.organisation_id})" for one in campaigns)
        raise BadInput(f"Several organisations have such a campaign: name one of {several}.")
    return operator_scope(campaigns[0].organisation_id), campaigns[0]


async def _receive(services: Services, scope: Scope, campaign: Campaign, wanted: FileImport) -> LeadUpload:
    """Copies the file to where uploads are kept: whoever ends the import needs nothing else."""
    database, settings = services.database, services.settings
    size = wanted.path.stat().st_size
    async with database.writing() as session:
        upload = await uploads.create_lead_upload(
            session,
            scope,
            campaign_id=campaign.id,
            file_name=wanted.path.name,
            size=size,
            settings=None,
            max_size=settings.max_upload,
            now=services.clock(),
        )
    files, part = upload_files(settings), Part(0, uuid4().hex)
    await asyncio.to_thread(_copy, files, wanted.path, upload, part)
    inspection = await inspect_upload(database, settings, scope, upload, part=part)
    async with database.writing() as session:
        await uploads.record_received(session, scope, upload.id, before=0, after=size, inspection=inspection)
        await asyncio.to_thread(files.accept, upload.organisation_id, upload.id, part)
    async with database.reading() as session:
        return await visible_or_not_found(session, scope, LeadUpload, upload.id)


def _copy(files: UploadFiles, path: Path, upload: LeadUpload, part: Part) -> None:
    with path.open("rb") as file:
        while piece := file.read(COPY_BYTES):
            files.write(upload.organisation_id, upload.id, part, piece)


def _changes(upload: LeadUpload, wanted: FileImport) -> uploads.UploadChanges:
    """The suggested mapping with what was said otherwise; a named field leaves its suggested column."""
    headings = Headings([column["name"] for column in upload.columns or ()])
    said = {headings.column(column) or column: key for column, key in wanted.mapping.items()}
    named = set(said.values())
    mapping = {column: key for column, key in (upload.mapping or {}).items() if key not in named}
    pairs = [Pair(column, key or None) for column, key in {**mapping, **said}.items()]

    def chosen(current: ImportSettings) -> ImportSettings:
        return replace(current, duplicate_field=wanted.duplicate_field, duplicates=wanted.duplicates)

    return uploads.UploadChanges(settings=chosen, mapping=pairs)


async def _watched(database: Database, scope: Scope, job: Job, running: Awaitable[None], show: Show) -> None:
    async def look() -> None:
        async with database.reading() as session:
            show(await visible_or_not_found(session, scope, Job, job.id))

    async def watch() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await look()

    watching = asyncio.create_task(watch())
    try:
        await running
        await look()
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _imported(database: Database, scope: Scope, job_id: int, pool_id: int) -> LeadPool:
    async with database.reading() as session:
        job = await visible_or_not_found(session, scope, Job, job_id)
        pool = await visible_or_not_found(session, scope, LeadPool, pool_id)
    if job.state != JobState.SUCCEEDED:
        raise BadInput(job.error or f"The import ended as {job.state}.")
    return pool


def _mapped(upload: LeadUpload) -> str:
    """Which column fills which field, and which are left out."""
    mapping = upload.mapping or {}
    columns = [column["name"] for column in upload.columns or ()]
    filled = ", ".join(f"{column} → {mapping[column]}" for column in columns if column in mapping)
    left_out = ", ".join(column for column in columns if column not in mapping)
    said = f"Columns and the fields they fill: {filled}."
    return said + (
        f"\nNot imported: {left_out} (--map COLUMN=FIELD has a column imported)." if left_out else ""
    )


def _invalid(pool: LeadPool) -> str:
    """Where the rows are that were refused."""
    given = opaque("LeadPool", pool.organisation_id, pool.id)
    query = f'{{ leadPool(id: "{given}") {{ invalidRowsUrl }} }}'
    return f"The invalid rows with their reasons, as a CSV to mend and import again: {query}"


def _summary(pool: LeadPool, *, as_json: bool) -> str:
    accounts = {
        "pool": opaque("LeadPool", pool.organisation_id, pool.id),
        "rows": pool.rows,
        "valid": pool.valid,
        "invalid": pool.invalid,
        "duplicates": pool.duplicates,
    }
    if as_json:
        return orjson.dumps(accounts).decode()
    flagged = f" ({pool.flagged} of them repeat a lead)" if pool.flagged else ""
    acted_on = f" {pool.acted_on} existing leads were changed." if pool.acted_on else ""
    return (
        f"{pool.name}: {pool.rows} rows, {pool.valid} imported{flagged}, {pool.invalid} invalid, "
        f"{pool.duplicates} duplicates discarded.{acted_on}"
    )
