"""Files of uploads that were never imported, or whose import did not end well, are not kept for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog

from gql.context import Clock
from gql.inspection import upload_files
from gql.logs import log_unexpected
from gql.settings import Settings

log = structlog.get_logger()

SWEEP_SECONDS = 3_600


@asynccontextmanager
async def sweeping(settings: Settings, clock: Clock) -> AsyncIterator[None]:
    """Sweeps the folder of uploads at once and every hour, for as long as the block lasts."""
    task = asyncio.create_task(_sweep(settings, clock))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _sweep(settings: Settings, clock: Clock) -> None:
    files = upload_files(settings)
    while True:
        try:
            swept = await asyncio.to_thread(files.sweep, clock() - timedelta(days=settings.upload_days))
            if swept:
                log.info("old uploads deleted", files=swept)
        except OSError as error:
            log_unexpected("old uploads not deleted", error)
        await asyncio.sleep(SWEEP_SECONDS)
