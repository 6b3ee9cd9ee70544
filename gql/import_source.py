"""What an import reads: an uploaded file's rows, by the mapping and settings it was submitted with."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice
from zoneinfo import ZoneInfo

from core.access import Scope
from core.csv_file import DamagedRow, Row, read
from core.errors import NotFound
from core.field_mapping import Pair, check_mapping
from core.fields import Locale
from core.lead_rows import LeadDraft, RowProblem, RowReader
from core.lead_spread import SpreadPlan
from core.upload import settings_from
from db.commands.lead_import import ImportTarget
from db.commands.lead_upload import dialect_of
from db.database import Database
from db.models import Campaign, LeadPool, LeadUpload
from db.queries.campaign import fields_of_template
from db.queries.visible import visible_or_not_found
from db.upload_files import UploadFiles

Batch = Sequence[LeadDraft | RowProblem]


class ImportSource:
    """The rows of a file, as a thread takes them."""

    rows: Iterator[Row | DamagedRow]

    def __init__(self, target: ImportTarget, columns: Sequence[str], reader: RowReader, size: int) -> None:
        self.target = target
        self.columns = columns
        self.size = size
        self.bytes_read = 0
        self._reader = reader
        self._coming: asyncio.Task[Batch] | None = None

    async def batch(self, rows: int, skipped: int = 0) -> Batch:
        """The next rows, ready to store; none at the end. `skipped` rows before them were stored already.

        While they are stored, the rows behind them are read.
        """
        self._coming = self._coming or self._read(rows, skipped)
        batch = await asyncio.shield(self._coming)
        self._coming = self._read(rows) if batch else None
        return batch

    async def aclose(self) -> None:
        """Waits for what is still being read."""
        if self._coming is not None:
            await asyncio.gather(self._coming, return_exceptions=True)
            self._coming = None

    def _read(self, rows: int, skipped: int = 0) -> "asyncio.Task[Batch]":
        return asyncio.create_task(asyncio.to_thread(self._batch, rows, skipped))

    def counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.bytes_read += len(chunk)
            yield chunk

    def _batch(self, rows: int, skipped: int) -> Batch:
        return [self._reader.read(row) for row in islice(self.rows, skipped, skipped + rows)]


async def open_source(
    database: Database, files: UploadFiles, scope: Scope, upload_id: int, *, pool_id: int | None
) -> ImportSource:
    """Everything an import needs to know; without a pool for one that is only planned.

    Raises  NotFound for a file that is gone, BadInput for a mapping that does not do
    """
    async with database.reading() as session:
        upload = await visible_or_not_found(session, scope, LeadUpload, upload_id)
        campaign = await visible_or_not_found(session, scope, Campaign, upload.campaign_id)
        pool = None if pool_id is None else await visible_or_not_found(session, scope, LeadPool, pool_id)
        stored = await fields_of_template(session, scope, campaign.template_id)
    settings, zone = settings_from(upload.settings or {}), ZoneInfo(campaign.time_zone)
    columns = [column["name"] for column in upload.columns or ()]
    pairs = [Pair(column, key) for column, key in (upload.mapping or {}).items()]
    mapping = check_mapping(pairs, columns, [one.field for one in stored], settings.duplicate_field)
    target = ImportTarget(
        project_id=campaign.project_id,
        campaign_id=campaign.id,
        pool_id=pool.id if pool else 0,
        duplicates=settings.duplicates,
        slots={one.field.key: (one.slot_set, one.slot) for one in stored},
        priority=settings.priority,
        owner_user_id=settings.owner_user_id,
        owner_team_ids=settings.owner_team_ids,
        spread=SpreadPlan.of(settings.spread, pool.created_at, zone, seed=pool.id) if pool else None,
    )
    if files.size(scope.organisation_id, upload.id) != upload.size:
        raise NotFound("The uploaded file is gone, or not whole: upload it again.")
    reader = RowReader(columns, mapping, Locale(campaign.region, zone))
    source = ImportSource(target, columns, reader, upload.size)
    chunks = source.counted(files.chunks(scope.organisation_id, upload.id))
    source.rows = read(chunks, dialect_of(upload.dialect or {})).rows
    return source
