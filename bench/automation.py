"""Leads that changed against a thousand automated segments: the whole cycle, against a statement for each."""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import func, select, update
from sqlmodel import col

from bench.engines import Engine
from bench.measure import Comparison, in_turn
from bench.world import NOW, World
from core.access import Actor, ActorKind
from core.membership import Automation
from core.segment_filter import SegmentFilter, filter_record
from db.actor_record import actor_record
from db.commands.segment_group import create_segment_group
from db.database import Database
from db.ids import allocate
from db.lead_changes import note_changed
from db.models import Lead, MembershipLog, Segment, SegmentMember
from db.packed_ids import packed
from gql.jobs.automation import AutomationWorker

SEGMENTS, CITIES, CHANGED = 1_000, 200, 200
STATES = ["CA", "FL", "GA", "IL", "MA", "NY", "OH", "PA", "TX"]


async def compare_automation(
    engine: Engine, world: World, seed: int, leads: int, repeats: int
) -> list[Comparison]:
    """Seconds a cycle: leads are read, matched, moved and logged, until the queue is empty again."""
    chance = random.Random(seed)
    by_hand = ByHand(world, await _add_segments(world, chance))
    worker = AutomationWorker(world.database, lambda: datetime.now(UTC))
    comparisons = []
    for count, repeated in ((CHANGED, repeats), (1, 5 * repeats)):
        work = Work(world, worker, by_hand, chance, leads, count)
        taken, alone = await in_turn(work.cycle, work.one_by_one, repeated)
        notes: dict[str, float] = {"segments": SEGMENTS, "conditions": 5 * SEGMENTS, "moves": work.moves}
        name = f"automation, {count} changed lead{'s' if count > 1 else ''}"
        comparisons.append(Comparison(name, engine.name, "cycle", taken, alone, notes))
    await _check(world, worker, by_hand)
    return comparisons


class ByHand:
    """A prepared statement for each segment, run on the driver: who of some leads its rule selects."""

    def __init__(self, world: World, rules: Mapping[int, Mapping[str, Any]]) -> None:
        self._database = world.database
        self._sqlite = world.database.dialect == "sqlite"
        self._values = {segment: self._bound(rule) for segment, rule in rules.items()}
        self._sql = self._statement(world)

    async def run(self, lead_ids: Sequence[int]) -> dict[int, set[int]]:
        """The leads that each segment's rule selects."""
        if self._sqlite:
            return await asyncio.to_thread(self._run_sqlite, orjson.dumps(lead_ids).decode())
        async with self._database.engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            prepared = await driver.prepare(self._sql)
            return {
                segment: {row[0] for row in await prepared.fetch(lead_ids, *values)}
                for segment, values in self._values.items()
            }

    def _run_sqlite(self, lead_ids: str) -> dict[int, set[int]]:
        with contextlib.closing(sqlite3.connect(str(self._database.url.database))) as connection:
            return {
                segment: {row[0] for row in connection.execute(self._sql, (lead_ids, *values))}
                for segment, values in self._values.items()
            }

    def _bound(self, rule: Mapping[str, Any]) -> list[Any]:
        city, states, beds, kind, note = (each["value"] for each in rule["rules"])
        listed: Any = [state.casefold() for state in states]
        if self._sqlite:
            listed = orjson.dumps(listed).decode()
        return [city.casefold(), listed, *map(float, beds), kind.casefold(), note]

    def _statement(self, world: World) -> str:
        named = "IN (SELECT value FROM json_each({}))" if self._sqlite else "= ANY ({})"
        place = ["?" if self._sqlite else f"${number}" for number in range(8)]
        found = "instr" if self._sqlite else "strpos"
        slots = world.slots
        return (
            f"SELECT id FROM lead WHERE organisation_id = {world.scope.organisation_id}"
            f" AND id {named.format(place[1])} AND {slots['city']} = {place[2]}"
            f" AND {slots['state']} {named.format(place[3])}"
            f" AND {slots['beds']} BETWEEN {place[4]} AND {place[5]}"
            f" AND ({slots['kind']} = {place[6]}) IS NOT TRUE"
            f" AND ({found}({slots['note']}, {place[7]}) > 0) IS NOT TRUE"
        )


@dataclass(slots=True)
class Work:
    """What is timed; `moves` is how many leads joined and left in the last cycle."""

    world: World
    worker: AutomationWorker
    by_hand: ByHand
    chance: random.Random
    leads: int
    count: int
    moves: int = 0

    async def cycle(self) -> float:
        await _change(self.world, self.chance, self._some())
        before = await _moved(self.world.database)
        begin = time.perf_counter()
        await self.worker.catch_up([self.world.scope.organisation_id])
        taken = time.perf_counter() - begin
        self.moves = await _moved(self.world.database) - before
        return taken

    async def one_by_one(self) -> float:
        leads = self._some()
        begin = time.perf_counter()
        await self.by_hand.run(leads)
        return time.perf_counter() - begin

    def _some(self) -> list[int]:
        return self.chance.sample(range(1, self.leads + 1), self.count)


def _rule(number: int, chance: random.Random) -> Mapping[str, Any]:
    asked = [
        ("city", "=", f"City {number % CITIES}"),
        ("state", "in", chance.sample(STATES, 8)),
        ("beds", "between", [chance.randint(0, 100), chance.randint(800, 900)]),
        ("kind", "!=", "Rural Emergency"),
        ("note", "doesNotContain", chance.choice(["never", "gone", "late"])),
    ]
    rules = [{"field": field, "operator": operator, "value": value} for field, operator, value in asked]
    return {"combinator": "and", "rules": rules}


async def _add_segments(world: World, chance: random.Random) -> dict[int, Mapping[str, Any]]:
    """The rules of the new segments, by their numbers."""
    organisation_id = world.scope.organisation_id
    async with world.database.writing() as session:
        group = await create_segment_group(
            session, world.scope, project_id=world.project_id, name="Automated", active=True, now=NOW
        )
        await session.flush()
        first = await allocate(session, organisation_id, "segment", SEGMENTS)
        alike: dict[str, Any] = {
            "organisation_id": organisation_id,
            "project_id": world.project_id,
            "group_id": group.id,
            "kind": "dynamic",
            "automation": Automation.MIRROR.value,
            "automation_actor": actor_record(Actor(ActorKind.USER, 1)),
            "rule_revision": 1,
            "created_at": NOW,
            "updated_at": NOW,
        }
        rules = {number: _rule(number, chance) for number in range(first, first + SEGMENTS)}
        session.add_all(
            Segment(
                **alike,
                id=number,
                name=f"S{number}",
                position=number,
                filter=filter_record(SegmentFilter(rule=rule)),
            )
            for number, rule in rules.items()
        )
    return rules


async def _change(world: World, chance: random.Random, ids: Sequence[int]) -> None:
    """These leads are in another city."""
    organisation_id, now = world.scope.organisation_id, datetime.now(UTC)
    async with world.database.writing() as session:
        for lead_id in ids:
            changed = update(Lead).where(
                col(Lead.organisation_id) == organisation_id, col(Lead.id) == lead_id
            )
            city = {world.slots["city"]: f"city {chance.randrange(CITIES)}"}
            await session.execute(changed.values(changed_at=now, **city))
        note_changed(session, organisation_id, ids, now)


async def _moved(database: Database) -> int:
    counted = func.coalesce(func.sum(col(MembershipLog.joined_count) + col(MembershipLog.left_count)), 0)
    async with database.reading() as session:
        return int((await session.execute(select(counted))).scalar_one())


async def _check(world: World, worker: AutomationWorker, by_hand: ByHand) -> None:
    """Once all leads have been looked at, the members are those whom the statements by hand find."""
    organisation_id = world.scope.organisation_id
    own = col(Lead.organisation_id) == organisation_id
    async with world.database.writing() as session:
        leads = await packed(session, select(col(Lead.id)).where(own))
        note_changed(session, organisation_id, list(leads), NOW)
    await worker.catch_up()
    expected = await by_hand.run(list(leads))
    members: dict[int, set[int]] = {segment: set() for segment in expected}
    found = select(col(SegmentMember.segment_id), col(SegmentMember.lead_id)).where(
        col(SegmentMember.organisation_id) == organisation_id, col(SegmentMember.segment_id).in_(expected)
    )
    async with world.database.reading() as session:
        for segment_id, lead_id in await session.execute(found):
            members[segment_id].add(lead_id)
    if members != expected:
        raise RuntimeError("automation and the statements by hand do not agree")
