"""Looking into an uploaded file, in a thread."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfo

from core.access import Scope
from core.csv_file import Dialect, detect
from core.fields import Locale
from core.upload import check_begin, inspect
from db.commands.lead_upload import Inspection
from db.database import Database
from db.models import Campaign, LeadUpload
from db.queries.visible import visible_or_not_found
from db.upload_files import Part, UploadFiles
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
    *,
    part: Part | None = None,
    campaign_id: int | None = None,
) -> Inspection:
    """What is in the file, read as `dialect` says or as it seems to be written.

    part         is yet to join it      campaign_id  the campaign it is about to be for, in place of its own

    Raises  BadInput, TooLarge for a file that cannot be imported
    """
    async with database.reading() as session:
        campaign = await visible_or_not_found(session, scope, Campaign, campaign_id or upload.campaign_id)
    locale = Locale(campaign.region, ZoneInfo(campaign.time_zone))
    return await asyncio.to_thread(
        _inspect,
        partial(upload_files(settings).chunks, scope.organisation_id, upload.id, part),
        dialect,
        locale,
        settings.max_columns,
    )


def _inspect(
    opened: Callable[[], Iterator[bytes]], dialect: Dialect | None, locale: Locale, max_columns: int
) -> Inspection:
    if dialect is None:
        chunks = opened()
        sample = b"".join(islice(chunks, SAMPLE_CHUNKS))
        check_begin(sample)
        dialect = detect(sample, chunks)
    return Inspection(dialect, inspect(opened(), dialect, locale, max_columns=max_columns))
