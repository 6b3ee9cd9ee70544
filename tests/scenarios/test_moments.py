"""Every moment that a root field takes, with what cannot be one and with the outermost that can."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    get_named_type,
    get_nullable_type,
)

from core.access import Role
from core.errors import ErrorCode
from tests.databases import Template
from tests.root_fields import RootField, root_fields
from tests.two_houses import OWN, Houses, ask, codes, two_houses

pytestmark = pytest.mark.anyio

Way = tuple[str, ...]

IMPOSSIBLE = (
    "2026-01-01",
    "2026-01-01T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "2026-02-30T00:00:00Z",
    "soon",
)
OUTERMOST = ("0002-01-01T00:00:00+14:00", "9998-12-31T23:59:59-12:00")
OUTERMOST_DAYS = ("0001-01-01", "9999-12-31")

OF_A_SEGMENT = """query($id: ID!, $at: DateTime!) { segment(id: $id) { asOf(at: $at) { at } } }"""
DAY_BY_DAY = """query($id: ID!, $from: Date!, $to: Date!) {
  segment(id: $id) { sizeHistory(from: $from, to: $to) { day } } }"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def houses(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[Houses]:
    template: Template = request.getfixturevalue(
        "sqlite_template" if request.param == "sqlite" else "postgres_template"
    )
    with template.copy() as url:
        async with two_houses(url, tmp_path_factory.mktemp("moments")) as houses:
            yield houses


def ways_to_moments(given: GraphQLInputType, above: Way = ()) -> Iterator[Way]:
    """The ways to each moment that an argument may have in it; no type is entered within itself."""
    named = get_named_type(given)
    if named.name == "DateTime":
        yield ()
    elif isinstance(named, GraphQLInputObjectType) and named.name not in above:
        for name, field in named.fields.items():
            for way in ways_to_moments(field.type, (*above, named.name)):
                yield (name, *way)


def with_moment(given: GraphQLInputType, value: Any, way: Way, moment: str) -> Any:
    """The argument with the moment put in, all else as in the field's case."""
    if not way:
        return moment
    nullable = get_nullable_type(given)
    if isinstance(nullable, GraphQLList):
        return [with_moment(nullable.of_type, value[0] if value else None, way, moment)]
    named = get_named_type(given)
    assert isinstance(named, GraphQLInputObjectType)
    beside = {} if named.is_one_of or value is None else value
    inner = with_moment(named.fields[way[0]].type, beside.get(way[0]), way[1:], moment)
    return {**beside, way[0]: inner}


def asked(field: RootField, moment: str) -> Iterator[tuple[Way, str, dict[str, Any]]]:
    """Each way to a moment of a field, its document, and its arguments with the moment there."""
    for name, argument in field.field.args.items():
        for way in ways_to_moments(argument.type):
            case = {**field.case, name: with_moment(argument.type, field.case.get(name), way, moment)}
            yield (name, *way), RootField(field.kind, field.name, field.field, case).document(), case


FIELDS = [field for field in root_fields() if field.kind != "subscription"]


async def test_what_is_no_moment_without_offset_or_beyond_the_calendar_is_refused_wherever_it_stands(
    houses: Houses,
) -> None:
    wrong, met = {}, set()
    async with houses.open() as app:
        for moment in IMPOSSIBLE:
            for field in FIELDS:
                for way, document, case in asked(field, moment):
                    answer = await ask(app, houses.tokens[Role.ADMIN], document, houses.filled(case, OWN))
                    met.add((field.name, *way))
                    if codes(answer) != {ErrorCode.BAD_USER_INPUT} or answer.get("data"):
                        wrong[field.name, way, moment] = answer
    assert wrong == {}
    assert ("createSegment", "input", "activeFrom") in met
    assert await houses.rows() == houses.made


async def test_the_outermost_moments_and_days_are_no_fault_of_the_server_wherever_they_stand(
    houses: Houses,
) -> None:
    wrong, admin = {}, houses.tokens[Role.ADMIN]
    segment = {"id": houses.ids[0]["Segment"]}
    for moment in OUTERMOST:
        for field in FIELDS:
            for way, document, case in asked(field, moment):
                async with houses.open() as app:
                    answer = await ask(app, admin, document, houses.filled(case, OWN))
                if ErrorCode.INTERNAL in codes(answer):
                    wrong[field.name, way, moment] = answer
        await houses.restore()
    async with houses.open() as app:
        for moment in OUTERMOST:
            answer = await ask(app, admin, OF_A_SEGMENT, {**segment, "at": moment})
            if ErrorCode.INTERNAL in codes(answer):
                wrong["asOf", (), moment] = answer
        for first in OUTERMOST_DAYS:
            for last in OUTERMOST_DAYS:
                answer = await ask(app, admin, DAY_BY_DAY, {**segment, "from": first, "to": last})
                if ErrorCode.INTERNAL in codes(answer):
                    wrong["sizeHistory", (first,), last] = answer
    assert wrong == {}
