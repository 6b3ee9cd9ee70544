"""Handing out leads to fifty agents at once: `take_next` against the bare claim statement."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text, update
from sqlmodel import col

from bench.engines import Engine
from bench.measure import Comparison, in_turn
from bench.world import NOW, World
from core.access import Actor, ActorKind
from db.commands.call_session import start_call_session
from db.commands.calling import Taken, take_next
from db.models import Lead

AGENTS = 50
LEASE = timedelta(minutes=5)

BARE_CLAIM = """
UPDATE lead SET lease_session_id = :session, lease_until = :until
WHERE organisation_id = :organisation AND id = (
  SELECT id FROM lead
  WHERE organisation_id = :organisation AND campaign_id = :campaign AND is_open AND active
    AND lease_session_id IS NULL
  ORDER BY priority DESC, pool_id, position, id LIMIT 1 {lock})
RETURNING id"""


async def compare_claims(
    engine: Engine, world: World, segment_id: int, claims: int, repeats: int
) -> Comparison:
    """Seconds a claim, each for a session of its own, while fifty agents ask; no lead is handed out twice."""
    scope = replace(world.scope, actor=Actor(ActorKind.USER, 1))
    bare = text(BARE_CLAIM.format(lock="FOR UPDATE SKIP LOCKED" if engine.name == "postgresql" else ""))
    until = NOW + LEASE
    async with world.database.writing() as session:
        started = [
            await start_call_session(session, scope, segment_ids=[segment_id], campaign_ids=[], now=NOW)
            for _ in range(claims)
        ]
    sessions = [each.id for each in started]

    async def take(session_id: int) -> int:
        async with world.database.writing() as session:
            taken = await take_next(session, scope, session_id, lease=LEASE, now=NOW)
        if not isinstance(taken, Taken):
            raise TypeError("there was no lead left")
        return taken.lead.id

    async def take_bare(session_id: int) -> int:
        stored_until = until if engine.name == "postgresql" else until.strftime("%Y-%m-%d %H:%M:%S.%f")
        values = {"session": session_id, "until": stored_until}
        values |= {"organisation": scope.organisation_id, "campaign": world.campaign_id}
        async with world.database.writing() as session:
            return int((await session.execute(bare, values)).scalar_one())

    async def all_at_once(one: Callable[[int], Awaitable[int]]) -> float:
        await _free_all(world)
        begin = time.perf_counter()
        taken = await _by_agents(one, sessions)
        seconds = time.perf_counter() - begin
        if len(set(taken)) != claims:
            raise RuntimeError(f"{claims - len(set(taken))} leads were handed out twice")
        return seconds / claims

    taken, alone = await in_turn(lambda: all_at_once(take), lambda: all_at_once(take_bare), repeats)
    notes = {"claims/s": 1 / min(taken), "bare claims/s": 1 / min(alone)}
    return Comparison(f"next lead, {AGENTS} agents", engine.name, "claim", taken, alone, notes)


async def _by_agents(one: Callable[[int], Awaitable[int]], sessions: list[int]) -> list[int]:
    waiting = iter(sessions)

    async def agent() -> list[int]:
        return [await one(session_id) for session_id in waiting]

    return [lead for taken in await asyncio.gather(*(agent() for _ in range(AGENTS))) for lead in taken]


async def _free_all(world: World) -> None:
    held = col(Lead.organisation_id) == world.scope.organisation_id, col(Lead.lease_session_id).is_not(None)
    freed = update(Lead).where(*held).values(lease_session_id=None, lease_until=None)
    async with world.database.writing() as session:
        await session.execute(freed)
