"""Bringing the members of a segment in line with a filter, against inserting as many members by hand."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import delete, text, update
from sqlmodel import col

from bench.engines import Engine
from bench.measure import Comparison, in_turn
from bench.world import NOW, World, add_segment
from core.membership import UpdateMode
from core.segment_filter import SegmentFilter, filter_record
from db.commands.segment_update import UpdateChoice, update_segment_members
from db.models import MembershipLog, MembershipUndo, Segment, SegmentMember

REPLACE = UpdateChoice(UpdateMode.REPLACE)
BARE = """
INSERT INTO segment_member (organisation_id, segment_id, lead_id, origin, exclusive_scope, added_at, added_by)
SELECT organisation_id, :segment, id, 'rule', NULL, :now, NULL FROM lead
WHERE organisation_id = :organisation AND project_id = :project AND {where}"""


def _in_states(*states: str) -> Mapping[str, Any]:
    rule = {"field": "state", "operator": "in", "value": list(states)}
    return {"combinator": "and", "rules": [rule]}


async def compare_members(engine: Engine, world: World, repeats: int) -> list[Comparison]:
    """Seconds a lead that moves; the segment is as before at the beginning of each round.

    fill     a segment without members gets those who match
    replace  those of one state leave and as many of another join
    """
    fill = await add_segment(world, "Fill", _in_states("TX", "NY"))
    replace = await add_segment(world, "Replace", _in_states("TX"))
    bare = await add_segment(world, "Bare", _in_states("TX"))
    where = f"{world.slots['state']} IN ('tx', 'ny')"
    await _empty(world, bare)
    comparisons = []
    for name, segment, first, then in (
        ("fill", fill, (), ("TX", "NY")),
        ("replace", replace, ("TX",), ("NY",)),
    ):
        moved = await _moved(world, segment, first, then)
        taken, baseline = await in_turn(
            partial(_update, world, segment, first, then),
            partial(_insert, world, bare, BARE.format(where=where), engine.name),
            repeats,
        )
        each, bare_each = [one / moved for one in taken], [one / moved for one in baseline]
        notes = {"moved": float(moved)}
        comparisons.append(Comparison(f"members: {name}", engine.name, "change", each, bare_each, notes))
    return comparisons


async def _moved(world: World, segment: int, first: tuple[str, ...], then: tuple[str, ...]) -> int:
    """How many leads the update moves, which has to be as many as the bare statement inserts."""
    await _reset(world, segment, first, then)
    async with world.database.writing() as session:
        done = await update_segment_members(session, world.scope, segment, REPLACE, now=NOW)
    return done.joined + done.left


async def _update(world: World, segment: int, first: tuple[str, ...], then: tuple[str, ...]) -> float:
    await _reset(world, segment, first, then)
    begin = time.perf_counter()
    async with world.database.writing() as session:
        await update_segment_members(session, world.scope, segment, REPLACE, now=NOW)
    return time.perf_counter() - begin


async def _insert(world: World, segment: int, sql: str, engine: str) -> float:
    await _empty(world, segment)
    now = NOW if engine == "postgresql" else NOW.strftime("%Y-%m-%d %H:%M:%S.%f")
    values = {
        "organisation": world.scope.organisation_id,
        "project": world.project_id,
        "segment": segment,
        "now": now,
    }
    begin = time.perf_counter()
    async with world.database.writing() as session:
        await session.execute(text(sql), values)
    return time.perf_counter() - begin


async def _reset(world: World, segment: int, first: tuple[str, ...], then: tuple[str, ...]) -> None:
    """The segment has the leads of the first states as members, and the filter for the next ones."""
    await _empty(world, segment)
    if first:
        await _set_filter(world, segment, first)
        async with world.database.writing() as session:
            await update_segment_members(session, world.scope, segment, REPLACE, now=NOW)
    await _set_filter(world, segment, then)


async def _set_filter(world: World, segment: int, states: tuple[str, ...]) -> None:
    stored = filter_record(SegmentFilter(rule=_in_states(*states)))
    async with world.database.writing() as session:
        own = col(Segment.organisation_id) == world.scope.organisation_id, col(Segment.id) == segment
        await session.execute(update(Segment).where(*own).values(filter=stored))


async def _empty(world: World, segment: int) -> None:
    async with world.database.writing() as session:
        for table in (SegmentMember, MembershipLog, MembershipUndo):
            own = (
                col(table.organisation_id) == world.scope.organisation_id,
                col(table.segment_id) == segment,
            )
            await session.execute(delete(table).where(*own))
        counted = update(Segment).where(col(Segment.id) == segment).values(member_count=0)
        await session.execute(counted)
