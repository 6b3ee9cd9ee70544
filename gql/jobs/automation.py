"""Automation at work: leads that changed are looked at, and join and leave the segments that follow them.

Each turn is one transaction that holds the organisation's automation: it takes leads from the queue, looks at
them, moves them and lets the queue forget them. A process that dies in the middle has done nothing, and what
changes while it is at work is in the queue for the next turn.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from time import monotonic

import structlog
from pyroaring import BitMap64
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Actor, ActorKind
from core.automation import Moves
from core.field_catalogue import RuleField
from core.membership import Cause, Origin
from core.rules import Condition, Span, Within, crossings, depends_on_time
from core.rules.spans import union
from db.commands.automation import move_leads
from db.commands.automation_queue import (
    Hold,
    everything_of,
    hold,
    let_go,
    queue_for_time,
    share_of,
    take_queue,
)
from db.database import Announcement, Database, Topic
from db.queries.automation import (
    leads_crossing,
    organisations_due,
    organisations_waiting,
    rows_of_leads,
)
from db.queries.rule_values import values_of
from gql.authz.scope import operator_scope
from gql.context import Clock
from gql.jobs.automation_plan import Lenders, OrganisationPlan, Plans, ProjectPlan, Sights
from gql.logs import log_unexpected
from gql.settings import Settings

log = structlog.get_logger()

POLL_SECONDS = 0.25
RETRY_SECONDS = 0.1
PAUSE_SECONDS = 1.0
"""How long it rests after something went wrong."""


class AutomationWorker:
    """Has the automated segments of all organisations follow their leads, until it is stopped."""

    def __init__(self, database: Database, clock: Clock, *, tick_seconds: float = 60) -> None:
        self._database = database
        self._clock = clock
        self._tick = timedelta(seconds=tick_seconds)
        self._lenders = Lenders()
        self._plans = Plans()
        # Rows that wait for somebody else to let go of a segment.
        self._passing: defaultdict[int, set[int]] = defaultdict(set)
        self._rung: set[int] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        database.on_commit(self._committed)

    async def run(self) -> None:
        """Works until `stop`: at once where this process changed leads, else as it looks around."""
        polled = 0.0
        while not self._stopping:
            self._wake.clear()
            pause = PAUSE_SECONDS
            try:
                if monotonic() < polled + POLL_SECONDS and self._rung:
                    await self.catch_up(self._rung)
                else:
                    polled = monotonic()
                    await self.see_to_time()
                    await self.catch_up()
                pause = RETRY_SECONDS if any(self._passing.values()) else POLL_SECONDS
            except Exception as error:
                log_unexpected("automation stumbled", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()

    async def catch_up(self, organisation_ids: Collection[int] | None = None) -> None:
        """Looks at all leads that changed, an organisation after the other, each a share at a time.

        organisation_ids  the only ones where any did; None: whichever
        """
        self._passing.clear()
        if organisation_ids is None:
            async with self._database.reading() as session:
                organisation_ids = await organisations_waiting(session)
        waiting = sorted(organisation_ids)
        self._rung.difference_update(waiting)
        while waiting and not self._stopping:
            waiting = [one for one in waiting if await self._turn(one)]

    async def see_to_time(self) -> None:
        """Has leads looked at of which a time condition's answer may have changed since the last tick."""
        now = self._clock()
        async with self._database.reading() as session:
            due = await organisations_due(session, now - self._tick)
        for organisation_id in due:
            async with self._database.writing() as session:
                held = await hold(session, organisation_id, now=now)
                if held.ticked_at <= now - self._tick:
                    crossing = await self._crossing(session, organisation_id, held, now)
                    await queue_for_time(session, organisation_id, crossing, now=now)

    async def _turn(self, organisation_id: int) -> bool:
        """Looks at a share of an organisation's queue; whether there was more of it."""
        passing, now = self._passing[organisation_id], self._clock()
        async with self._database.writing() as session:
            queue = await take_queue(session, organisation_id, passing=passing, now=now)
            if not queue.rows:
                return queue.is_full
            plan = await self._plans.of(session, organisation_id, queue.revision, now)
            share = share_of(queue, plan.heeds) if plan.projects else everything_of(queue)
            turn = Turn(session, organisation_id, plan, now)
            sights = Sights(
                session, organisation_id, self._lenders, queue.policy_revision, frozenset(share.leads)
            )
            if await turn.follow(share.leads, sights, queue.cause) and queue.settled:
                await let_go(session, organisation_id, share)
            else:
                passing |= {*share.done, *([share.rest[0]] if share.rest else [])}
        return share.rest is not None or len(share.done) < len(queue.rows) or queue.is_full

    async def _crossing(
        self, session: AsyncSession, organisation_id: int, held: Hold, now: datetime
    ) -> BitMap64:
        """Leads of which the answer to a time condition of an automated segment may have changed."""
        found = BitMap64()
        plan = await self._plans.of(session, organisation_id, held.revision, now)
        for project in plan.projects:
            spans: dict[RuleField, list[Span]] = defaultdict(list)
            for one, follower in project.follow.followers.items():
                if depends_on_time(follower.rule):
                    since = max(held.ticked_at, project.segments[one].row.members_as_of or held.ticked_at)
                    for crossing in crossings(project.rule(one, since), project.rule(one, now)):
                        spans[crossing.field] += crossing.spans
            for field, within in spans.items():
                condition = Condition(field, Within(union(within)))
                found |= await leads_crossing(session, project.rules.source, condition)
        return found

    def _committed(self, announced: frozenset[Announcement]) -> None:
        if rung := {one.organisation_id for one in announced if one.topic is Topic.LEADS}:
            self._rung |= rung
            self._wake.set()


class Turn:
    """One look at some leads of an organisation, in one transaction."""

    def __init__(
        self, session: AsyncSession, organisation_id: int, plan: OrganisationPlan, now: datetime
    ) -> None:
        self._session = session
        self._scope = operator_scope(organisation_id, Actor(ActorKind.AUTOMATION))
        self._plan = plan
        self._now = now

    async def follow(self, leads: BitMap64, sights: Sights, cause: Cause) -> bool:
        """Has leads join and leave as the rules say; whether all of it could be done."""
        if not leads:
            return True
        rows = await rows_of_leads(self._session, self._scope.organisation_id, leads)
        moves: dict[int, Moves] = {}
        for project in self._plan.projects:
            moves |= await self._moves(project, leads, rows, sights)
        return await move_leads(self._session, self._scope, self._plan.segments, moves, cause, now=self._now)

    async def _moves(
        self,
        project: ProjectPlan,
        leads: BitMap64,
        rows: Mapping[int, Mapping[int, Origin]],
        sights: Sights,
    ) -> dict[int, Moves]:
        follow, organisation_id = project.follow, self._scope.organisation_id
        values = await values_of(
            self._session,
            organisation_id,
            project.project_id,
            list(leads),
            follow.fields,
            project.rules.source,
        )
        known = await sights.easily_known(follow.sights)
        moving = project.moving(self._now)
        while True:
            moves = {
                lead: follow.moves(lead, each, rows.get(lead, {}), known, moving)
                for lead, each in values.items()
            }
            asked = {actor for each in moves.values() for actor in each.asked}
            if not asked:
                return {lead: each for lead, each in moves.items() if each.joined or each.left}
            for actor in asked:
                known[actor] = await sights.ask(actor)


@asynccontextmanager
async def automating(database: Database, settings: Settings, clock: Clock) -> AsyncIterator[None]:
    """Has automated segments follow their leads for as long as the block lasts."""
    worker = AutomationWorker(database, clock, tick_seconds=settings.automation_tick_seconds)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task
