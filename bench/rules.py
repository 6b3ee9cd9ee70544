"""Counting the leads of a rule: checked, turned into SQL and run, against the SQL a person would write."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import func, select, text

from bench.engines import Engine
from bench.measure import Comparison, in_turn, timed
from bench.world import NOW, World
from core.segment_filter import SegmentFilter
from db.models import Lead
from db.queries.segment_filter import plan_filter

Rule = Mapping[str, Any]


def _is(field: str, operator: str, value: object) -> Rule:
    return {"field": field, "operator": operator, "value": value}


def _group(combinator: str, *rules: Rule, negated: bool = False) -> Rule:
    return {"combinator": combinator, "rules": list(rules), "not": negated}


RULES: Mapping[str, tuple[Rule, str]] = {
    "in and between": (
        _group("and", _is("state", "in", ["TX", "CA"]), _is("beds", "between", [100, 300])),
        "{state} IN ('tx', 'ca') AND {beds} BETWEEN 100 AND 300",
    ),
    "nested and, or, not": (
        _group(
            "and",
            _group("or", _is("rating", ">=", 4), _is("kind", "=", "Psychiatric")),
            _group("or", _is("state", "=", "NY"), negated=True),
        ),
        "({rating} >= 4 OR {kind} = 'psychiatric') AND ({state} = 'ny') IS NOT TRUE",
    ),
    "contains and empty": (
        _group("and", _is("note", "contains", "renewal"), _is("rating", "null", None)),
        "{position}({note}, 'renewal') > 0 AND {rating} IS NULL",
    ),
    "not equal": (_group("and", _is("kind", "!=", "Acute Care")), "({kind} = 'acute care') IS NOT TRUE"),
}
"""A rule, and the WHERE that means the same; in it a field's key stands for its column."""

BARE = "SELECT count(*) FROM lead WHERE organisation_id = :organisation AND project_id = :project AND "


async def compare_rules(engine: Engine, world: World, repeats: int) -> list[Comparison]:
    """Seconds a count; both sides must find the same number."""
    comparisons = []
    for name, (rule, where) in RULES.items():
        position = {"position": "instr" if engine.name == "sqlite" else "strpos"}
        bare_sql = BARE + where.format_map({**world.slots, **position})
        found, bare_found = await _count(world, rule), await _bare_count(world, bare_sql)
        if found != bare_found:
            raise RuntimeError(f"{name}: {found} leads, but {bare_found} by hand")
        taken, bare = await in_turn(
            timed(partial(_count, world, rule)),
            timed(partial(_bare_count, world, bare_sql)),
            repeats,
        )
        comparisons.append(Comparison(f"count: {name}", engine.name, "count", taken, bare, {"found": found}))
    return comparisons


async def _count(world: World, rule: Rule) -> int:
    async with world.database.reading() as session:
        plan = await plan_filter(
            session,
            world.scope,
            project_id=world.project_id,
            segment_id=None,
            chosen=SegmentFilter(rule=rule),
            now=NOW,
        )
        counted = plan.statement(select(func.count()).select_from(Lead), world.scope)
        return int((await session.execute(counted)).scalar_one())


async def _bare_count(world: World, sql: str) -> int:
    values = {"organisation": world.scope.organisation_id, "project": world.project_id}
    async with world.database.reading() as session:
        return int((await session.execute(text(sql), values)).scalar_one())
