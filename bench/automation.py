"""Leads that changed against a thousand automated segments: the whole cycle, against a statement for each."""

import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlmodel import col

from bench.engines import Engine
from bench.measure import Comparison, in_turn
from bench.world import NOW, World
from core.access import Actor, ActorKind
from core.membership import Automation
from core.segment_filter import SegmentFilter, check_filter, filter_record
from db.actor_record import actor_record
from db.commands.segment_group import create_segment_group
from db.database import Database
from db.ids import allocate
from db.lead_changes import note_changed, note_rules
from db.models import Lead, MembershipLog, Segment, SegmentMember
from db.packed_ids import packed
from db.queries.field_catalogue import rules_of_project
from db.scope_sql import among
from gql.jobs.automation import AutomationWorker

SEGMENTS, CITIES, CHANGED = 1_000, 200, 200
STATES = ["CA", "FL", "GA", "IL", "MA", "NY", "OH", "PA", "TX"]


async def compare_automation(engine: Engine, world: World, seed: int, repeats: int) -> list[Comparison]:
    """Seconds a cycle: leads are read, matched, moved and logged, until the queue is empty again."""
    chance = random.Random(seed)
    await _add_segments(world, chance)
    worker = AutomationWorker(world.database, lambda: datetime.now(UTC))
    statements = await _statements(world)
    comparisons = []
    for count, repeated in ((CHANGED, repeats), (1, 5 * repeats)):
        moves: list[int] = []

        async def cycle(count: int = count, moves: list[int] = moves) -> float:
            await _change(world, chance, count)
            before = await _moved(world.database)
            begin = time.perf_counter()
            await worker.catch_up()
            taken = time.perf_counter() - begin
            moves.append(await _moved(world.database) - before)
            return taken

        async def one_by_one(count: int = count) -> float:
            return await _ask_each(world, statements, _some(chance, count))

        taken, alone = await in_turn(cycle, one_by_one, repeated)
        notes = {"segments": SEGMENTS, "conditions": 5 * SEGMENTS, "moves": moves[-1]}
        work = f"automation, {count} changed lead{'s' if count > 1 else ''}"
        comparisons.append(Comparison(work, engine.name, "cycle", taken, alone, notes))
    await _check(world, statements)
    return comparisons


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


async def _add_segments(world: World, chance: random.Random) -> None:
    organisation_id = world.scope.organisation_id
    async with world.database.writing() as session:
        group = await create_segment_group(
            session, world.scope, project_id=world.project_id, name="Automated", active=True, now=NOW
        )
        first = await allocate(session, organisation_id, "segment", SEGMENTS)
        alike = {
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
        rows = [
            {
                **alike,
                "id": number,
                "name": f"S{number}",
                "position": number,
                "filter": filter_record(SegmentFilter(rule=_rule(number, chance))),
            }
            for number in range(first, first + SEGMENTS)
        ]
        await session.execute(insert(Segment), rows)
        note_rules(session, organisation_id)


def _some(chance: random.Random, count: int) -> list[int]:
    return chance.sample(range(1, 10_001), count)


async def _change(world: World, chance: random.Random, count: int) -> None:
    """So many leads are in another city."""
    organisation_id, now = world.scope.organisation_id, datetime.now(UTC)
    async with world.database.writing() as session:
        ids = _some(chance, count)
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
