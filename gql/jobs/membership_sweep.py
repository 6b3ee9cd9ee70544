"""The logs of segments, and what undoing takes, are kept for ever, or for as long as the operator says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.commands.membership_prune import organisations, prune_membership
from db.database import Database
from gql.context import Clock
from gql.logs import log_unexpected
from gql.settings import Settings

log = structlog.get_logger()

SWEEP_SECONDS = 3_600


@asynccontextmanager
async def pruning(database: Database, settings: Settings, clock: Clock) -> AsyncIterator[None]:
    """Prunes the logs at once and every hour, for as long as the block lasts; never those kept for ever."""
    if settings.membership_log_days == 0:
        yield
        return
    task = asyncio.create_task(_prune(database, settings, clock))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def prune_once(database: Database, settings: Settings, clock: Clock) -> None:
    """Prunes the logs of every organisation, each in a transaction of its own."""
    before = clock() - timedelta(days=settings.membership_log_days)
    async with database.reading() as session:
        waiting = await organisations(session)
    for organisation_id in waiting:
        async with database.writing() as session:
            gone = await prune_membership(session, organisation_id, before)
        if gone:
            log.info("old membership log pruned", organisation=organisation_id, entries=gone)


async def _prune(database: Database, settings: Settings, clock: Clock) -> None:
    while True:
        try:
            await prune_once(database, settings, clock)
        except (SQLAlchemyError, OSError) as error:
            log_unexpected("old membership log not pruned", error)
        await asyncio.sleep(SWEEP_SECONDS)
