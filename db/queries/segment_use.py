"""What the filters of segments name, who depends on what, and filters that do not hold together any more."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Resource, Right, Scope
from core.errors import InUse
from core.filter_uses import Reference, Uses, uses_of
from core.references import reference_to
from core.rules.segments import MembersBy, named_in
from core.segment_filter import Breakage, breakage_of, filter_from
from db.models import Campaign, LeadPool, Segment, Team, User
from db.models.columns import OrganisationRow
from db.queries.field_catalogue import rules_of_project
from db.queries.visible import visible_by_id
from db.scope_sql import among

NOTHING = Uses(frozenset(), ())

NAMED: Mapping[str, tuple[type[OrganisationRow], str]] = {
    "Campaign": (Campaign, "The campaign"),
    "LeadPool": (LeadPool, "The lead pool"),
    "Segment": (Segment, "The segment"),
    "Team": (Team, "The team"),
    "User": (User, "The user"),
}
"""Objects that filters can name, and what they are called."""


async def segments_with_uses(
    session: AsyncSession, scope: Scope, project_id: int | None = None
) -> list[tuple[Segment, Uses]]:
    """Every segment that has a filter, whoever sees it, with all that the filter names."""
    of_project = [] if project_id is None else [col(Segment.project_id) == project_id]
    statement = select(Segment).where(
        col(Segment.organisation_id) == scope.organisation_id, col(Segment.filter).is_not(None), *of_project
    )
    rows = (await session.execute(statement.order_by(col(Segment.id)))).scalars()
    return [(row, uses_of(row.filter, scope.organisation_id)) for row in rows if row.filter is not None]


async def segments_naming(
    session: AsyncSession, scope: Scope, noun: str, numbers: Collection[int]
) -> list[Segment]:
    """The segments whose filters name one of these objects, whoever sees them."""
    return [
        segment
        for segment, uses in await segments_with_uses(session, scope)
        if any(uses.names(noun, number) for number in numbers)
    ]


async def segments_selecting_by(session: AsyncSession, segment: Segment) -> list[Segment]:
    """The segments that select by the rules of this one, directly or by way of others, whoever sees them."""
    found: dict[int, Segment] = {}
    waiting = [segment.id]
    while waiting:
        number = waiting.pop()
        # An id stands in a stored filter as it is: few filters are read.
        written = cast(col(Segment.filter), Text).contains(
            reference_to("Segment", segment.organisation_id, number), autoescape=True
        )
        statement = select(Segment).where(
            col(Segment.organisation_id) == segment.organisation_id,
            col(Segment.project_id) == segment.project_id,
            col(Segment.filter).is_not(None),
            written,
        )
        for each in (await session.execute(statement.order_by(col(Segment.id)))).scalars():
            named = named_in((each.filter or {}).get("rule"))
            if each.id not in found and any(
                (one.number, one.by) == (number, MembersBy.RULES) for one in named
            ):
                found[each.id] = each
                waiting.append(each.id)
    return [found[number] for number in sorted(found)]


async def segments_depending(
    session: AsyncSession, scope: Scope, noun: str, key: int | str, *, project_id: int | None = None
) -> list[Segment]:
    """The segments in sight that depend on an object, or on a field (`noun` "field") of a project, by id."""
    seen = scope.within(Resource.SEGMENT, Right.VIEW)
    statement = select(Segment).where(
        col(Segment.organisation_id) == scope.organisation_id, among(col(Segment.id), seen)
    )
    if project_id is not None:
        statement = statement.where(col(Segment.project_id) == project_id)
    found = []
    for segment in (await session.execute(statement.order_by(col(Segment.id)))).scalars():
        uses = uses_of(segment.filter, scope.organisation_id) if segment.filter else NOTHING
        named = key in uses.fields if isinstance(key, str) else uses.names(noun, key)
        if named or (noun == "Team" and segment.team_id == key):
            found.append(segment)
    return found


def in_use(scope: Scope, message: str, segments: Sequence[Segment]) -> InUse:
    """The refusal to take away what segments depend on: those in sight by name, of the others how many."""
    seen = [each for each in segments if scope.reaches(Resource.SEGMENT, Right.VIEW, each.id)]
    details = {
        "dependents": [{"type": "Segment", "id": each.id, "name": each.name} for each in seen],
        "hidden": len(segments) - len(seen),
    }
    return InUse(message, field=["input", "id"], details=details)


async def breakages(
    session: AsyncSession, scope: Scope, segments: Iterable[Segment], now: datetime
) -> dict[int, Breakage]:
    """Which of these segments are broken, and why: a field, a value or an object that they name is gone."""
    by_project: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        if segment.filter is not None:
            by_project[segment.project_id].append(segment)
    found: dict[int, Breakage] = {}
    whole: list[tuple[int, Uses]] = []
    for project_id, of_project in by_project.items():
        catalogue = (await rules_of_project(session, scope.organisation_id, project_id)).catalogue
        for segment in of_project:
            stored: dict[str, Any] = segment.filter or {}
            broken = breakage_of(filter_from(stored), catalogue, now)
            if broken is not None:
                found[segment.id] = broken
            else:
                whole.append((segment.id, uses_of(stored, scope.organisation_id)))
    gone = await _gone(session, scope, [each for _, uses in whole for each in uses.references])
    for segment_id, uses in whole:
        missing = next((each for each in uses.references if (each.noun, each.number) in gone), None)
        if missing is not None:
            found[segment_id] = Breakage(f"{NAMED[missing.noun][1]} it names is gone.", missing.path)
    return found


async def breakages_of_segments(
    session: AsyncSession, scope: Scope, segment_ids: Sequence[int], now: datetime
) -> dict[int, Breakage]:
    """The same of segments given by id, as far as the caller sees them."""
    segments = await visible_by_id(session, scope, Segment, segment_ids)
    return await breakages(session, scope, segments.values(), now)


async def _gone(session: AsyncSession, scope: Scope, references: Sequence[Reference]) -> set[tuple[str, int]]:
    """Objects that are named and are not there any more."""
    named: dict[str, set[int]] = defaultdict(set)
    for each in references:
        if each.noun in NAMED:
            named[each.noun].add(each.number)
    gone: set[tuple[str, int]] = set()
    for noun, numbers in named.items():
        model = NAMED[noun][0]
        there = select(col(model.id)).where(
            col(model.organisation_id) == scope.organisation_id, among(col(model.id), frozenset(numbers))
        )
        gone |= {(noun, number) for number in numbers - set((await session.execute(there)).scalars())}
    return gone
