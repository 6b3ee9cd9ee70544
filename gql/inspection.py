"""Looking into an uploaded file, in a thread."""

import asyncio
from itertools import islice
from zoneinfo import ZoneInfo

from core.access import Scope
from core.csv_file import Dialect, detect
from core.fields import Locale
from core.upload import inspect
from db.commands.lead_upload import Inspection
from db.database import Database
from db.models import Campaign, LeadUpload
from db.queries.visible import visible_or_not_found
from db.upload_files import UploadFiles
from gql.settings import Settings

SAMPLE_CHUNKS = 2


def upload_files(settings: Settings) -> UploadFiles:
    """Where this installation keeps the bytes of uploads."""
    return UploadFiles(settings.data_dir / "uploads")


async def inspect_upload(
    database: Database,
    settings: Settings,
    scope: Scope,
    upload: LeadUpload,
    dialect: Dialect | None = None,
) -> Inspection:
    """What is in the file, read as `dialect` says or as it seems to be written.

    Raises  BadInput, TooLarge for a file that cannot be imported
    """
    async with database.reading() as session:
        campaign = await visible_or_not_found(session, scope, Campaign, upload.campaign_id)
    locale = Locale(campaign.region, ZoneInfo(campaign.time_zone))
    return await asyncio.to_thread(
        _inspect,
        upload_files(settings),
        (scope.organisation_id, upload.id),
        dialect,
        locale,
        settings.max_columns,
    )


def _inspect(
    files: UploadFiles, key: tuple[int, int], dialect: Dialect | None, locale: Locale, max_columns: int
) -> Inspection:
    if dialect is None:
        chunks = files.chunks(*key)
        dialect = detect(b"".join(islice(chunks, SAMPLE_CHUNKS)), chunks)
    return Inspection(dialect, inspect(files.chunks(*key), dialect, locale, max_columns=max_columns))
