"""The segments that a rule names: there, in sight of whoever names them, and not in a circle."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import NotFound, RuleCycle
from core.field_catalogue import Catalogue
from core.rules.segments import cycle_through, named_in
from db.models import Segment
from db.scope_sql import among, visible_segments

UNSEEN = "a segment out of your sight"


async def check_named_segments(
    session: AsyncSession,
    scope: Scope,
    rule: object,
    catalogue: Catalogue,
    *,
    segment_id: int | None,
    path: Sequence[str],
) -> None:
    """What a rule may name, perhaps not checked yet.

    segment_id  whose rule it is to be
    path        of the rule in the input
    Raises      NotFound for a segment of another project or out of sight; RuleCycle
    """
    named = list(named_in(rule))
    seen = await _seen(session, scope, {one.number for one in named} & catalogue.segments.keys())
    for one in named:
        if one.number not in seen:
            raise NotFound(field=[*path, *one.path, "value"])
    filters = {number: known.filter for number, known in catalogue.segments.items()}
    if segment_id is not None and named:
        way = cycle_through(segment_id, (one.number for one in named), filters)
        if way is not None:
            raise await _cycle(session, scope, catalogue, way, path)


async def _cycle(
    session: AsyncSession, scope: Scope, catalogue: Catalogue, way: Sequence[int], path: Sequence[str]
) -> RuleCycle:
    seen = await _seen(session, scope, way)
    names = [catalogue.segments[one].name if one in seen else UNSEEN for one in way]
    return RuleCycle(
        f"A segment would depend on itself: {' → '.join(names)}.",
        field=path,
        details={"path": [], "segments": list(way)},
    )


async def _seen(session: AsyncSession, scope: Scope, numbers: Iterable[int]) -> set[int]:
    asked = frozenset(numbers)
    statement = select(col(Segment.id)).where(
        col(Segment.organisation_id) == scope.organisation_id,
        among(col(Segment.id), asked),
        visible_segments(scope),
    )
    return set((await session.execute(statement)).scalars()) if asked else set()
