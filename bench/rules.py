"""Looking at the leads of a rule, checked and turned into SQL, against the SQL a person would write."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import func, select, text

from bench.engines import Engine
from bench.measure import Comparison, in_turn, timed
from bench.world import NOW, World
from core.segment_filter import SegmentFilter
from db.models import Lead
from db.paging import Paging
from db.queries.segment_filter import page_of_plan, plan_filter

Rule = Mapping[str, Any]


def _is(field: str, operator: str, value: object) -> Rule:
    return {"field": field, "operator": operator, "value": value}


def _group(combinator: str, *rules: Rule, negated: bool = False) -> Rule:
    return {"combinator": combinator, "rules": list(rules), "not": negated}


RULES: Mapping[str, tuple[Rule, str]] = {
    "pinpoint": (_group("and", _is("zip", "=", "10001")), "{zip} = '10001'"),
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
    "contains and date": (
        _group("and", _is("note", "contains", "renewal"), _is("renewed", ">=", "2024-01-01")),
        "{position}({note}, 'renewal') > 0 AND {renewed} >= 1704067200000000",
    ),
    "contains and empty": (
        _group("and", _is("note", "contains", "renewal"), _is("rating", "null", None)),
        "{position}({note}, 'renewal') > 0 AND {rating} IS NULL",
    ),
    "not equal": (_group("and", _is("kind", "!=", "Acute Care")), "({kind} = 'acute care') IS NOT TRUE"),
    "broad": (_group("and", _is("beds", ">", 400)), "{beds} > 400"),
}
"""A rule, and the WHERE that means the same; in it a field's key stands for its column."""

OF_PROJECT = "FROM lead WHERE organisation_id = :organisation AND project_id = :project AND "
OF_CAMPAIGN = OF_PROJECT + "campaign_id = :campaign AND "
FIRST = 50


async def compare_rules(engine: Engine, world: World, repeats: int) -> list[Comparison]:
    """Seconds to count and show a first page; over all leads, and over those of one campaign of ten."""
    comparisons = []
    for name, (rule, where) in RULES.items():
        position = {"position": "instr" if engine.name == "sqlite" else "strpos"}
        condition = where.format_map({**world.slots, **position})
        for place, chosen, source in (
            ("", SegmentFilter(rule=rule), OF_PROJECT),
            (", one campaign", SegmentFilter((world.campaign_id,), rule=rule), OF_CAMPAIGN),
        ):
            asked, by_hand = partial(_asked, world, chosen), partial(_by_hand, world, source + condition)
            found, found_by_hand = await asked(), await by_hand()
            if found != found_by_hand:
                raise RuntimeError(f"{name}{place}: {found} leads, but {found_by_hand} by hand")
            taken, alone = await in_turn(timed(asked), timed(by_hand), repeats)
            notes = {"found": float(found)}
            comparisons.append(Comparison(f"rule: {name}{place}", engine.name, "look", taken, alone, notes))
    return comparisons


async def _asked(world: World, chosen: SegmentFilter) -> int:
    async with world.database.reading() as session:
        plan = await plan_filter(
            session,
            world.scope,
            project_id=world.project_id,
            segment_id=None,
            chosen=chosen,
            now=NOW,
        )
        counted = plan.statement(select(func.count()).select_from(Lead), world.scope)
        found = int((await session.execute(counted)).scalar_one())
        page = await page_of_plan(session, world.scope, plan, Paging(FIRST))
    return _checked(found, len(page.rows))


async def _by_hand(world: World, source: str) -> int:
    values = {
        "organisation": world.scope.organisation_id,
        "project": world.project_id,
        "campaign": world.campaign_id,
    }
    page = text(f"SELECT * {source} ORDER BY id LIMIT {FIRST}")
    async with world.database.reading() as session:
        found = int((await session.execute(text(f"SELECT count(*) {source}"), values)).scalar_one())
        rows = (await session.execute(page, values)).all()
    return _checked(found, len(rows))


def _checked(found: int, shown: int) -> int:
    if shown != min(found, FIRST):
        raise RuntimeError(f"a page of {shown} out of {found}")
    return found
