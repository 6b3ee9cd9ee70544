"""What each condition of a filter keeps, before it is saved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Scope
from core.rules import Combinator, Condition, Path, Rule, conditions_of, steps_of
from db.models import Lead
from db.queries.segment_filter import FilterPlan
from db.scope_sql import visible_leads


@dataclass(frozen=True, slots=True)
class Kept:
    """What one condition or group keeps; exact, over the leads the caller may see.

    alone      leads that satisfy it, whatever the rest says
    remaining  leads that satisfy it and all before it; None where not every lead has to satisfy it
    """

    part: Rule
    alone: int
    remaining: int | None


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A filter, part by part in the order in which it was written.

    leads  those of the project, before anything is asked
    """

    leads: int
    parts: tuple[Kept, ...]


async def waterfall_of(session: AsyncSession, scope: Scope, plan: FilterPlan) -> Waterfall:
    """What must hold, in order, and the conditions in it; in one pass over the leads of the project."""
    parts, steps = list(_parts_of(plan.rule)), steps_of(plan.rule)
    asked = plan.source.answering(select().select_from(Lead), conditions_of(plan.rule))
    # The offset keeps both engines from asking each condition anew wherever its column is used.
    answers = asked.where(visible_leads(scope)).offset(0).subquery()
    columns = {one.path: answers.c[f"c{n}"] == 1 for n, one in enumerate(conditions_of(plan.rule))}
    fallen = case(
        *((not_(_holds(step, columns)), place) for place, step in enumerate(steps)), else_=len(steps)
    )
    numbers = (func.sum(case((_holds(part, columns), 1), else_=0)) for part, _ in parts)
    counted = select(fallen.label("fallen"), func.count(), *numbers).group_by("fallen")
    rows = (await session.execute(counted)).all()
    leads = sum(row[1] for row in rows)
    falling = {row[0]: row[1] for row in rows}
    remaining = list(accumulate((-falling.get(place, 0) for place in range(len(steps))), initial=leads))[1:]
    return Waterfall(
        leads,
        tuple(
            Kept(part, sum(row[place] for row in rows), None if step is None else remaining[step])
            for place, (part, step) in enumerate(parts, 2)
        ),
    )


def _parts_of(rule: Rule) -> Iterator[tuple[Rule, int | None]]:
    """Each step with its place among the steps, and after it the conditions in it."""
    for place, step in enumerate(steps_of(rule)):
        yield step, place
        if not isinstance(step, Condition):
            yield from ((condition, None) for condition in conditions_of(step))


def _holds(rule: Rule, columns: Mapping[Path, ColumnElement[Any]]) -> ColumnElement[bool]:
    """Whether a part holds, given the columns of the conditions' answers, none of which is NULL."""
    if isinstance(rule, Condition):
        return columns[rule.path]
    members = [_holds(member, columns) for member in rule.members]
    joined = and_(*members) if rule.combinator is Combinator.AND else or_(*members)
    return not_(joined) if rule.negated else joined
