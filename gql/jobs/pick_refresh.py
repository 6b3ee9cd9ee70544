"""Automated segments that pick some of the leads that match: applied anew every hour, each as a whole."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Actor, ActorKind
from core.errors import LeadgraphError
from core.membership import Automation, UpdateMode
from db.commands.segment_update import UpdateChoice, update_segment_members
from db.database import Database
from db.models import Segment
from db.queries.policy import policy_revision
from db.queries.segment_pick import picks_due
from gql.authz.enforcer import Policies
from gql.authz.scope import lent_scope
from gql.context import Clock
from gql.logs import log_unexpected
from gql.settings import Settings

LOOK_SECONDS = 30


@asynccontextmanager
async def refreshing_picks(database: Database, settings: Settings, clock: Clock) -> AsyncIterator[None]:
    """Looks for segments that are due for as long as the block lasts."""
    task = asyncio.create_task(_refresh(database, settings, clock))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def refresh_once(database: Database, settings: Settings, clock: Clock, policies: Policies) -> int:
    """Applies anew what is due, each in a transaction of its own; how many there were."""
    before = clock() - timedelta(seconds=settings.pick_seconds)
    async with database.reading() as session:
        due = await picks_due(session, before)
    for segment in due:
        # What no longer holds together, or whose owner is shut out, keeps its members.
        with suppress(LeadgraphError):
            async with database.writing() as session:
                await _apply(session, segment, policies, clock())
    return len(due)


async def _apply(session: AsyncSession, segment: Segment, policies: Policies, now: datetime) -> None:
    record = segment.automation_actor or {"user": None, "token": None}
    actor = Actor(ActorKind.AUTOMATION, record["user"], record["token"])
    revision = await policy_revision(session, segment.organisation_id)
    scope = await lent_scope(session, segment.organisation_id, actor, policies, revision)
    if scope is not None:
        mode = UpdateMode.REPLACE if segment.automation == Automation.MIRROR else UpdateMode.ADD
        await update_segment_members(session, scope, segment.id, UpdateChoice(mode), now=now)


async def _refresh(database: Database, settings: Settings, clock: Clock) -> None:
    policies = Policies()
    while True:
        try:
            await refresh_once(database, settings, clock, policies)
        except (SQLAlchemyError, OSError) as error:
            log_unexpected("picks of segments not applied anew", error)
        await asyncio.sleep(LOOK_SECONDS)
