"""Every role and none, at every root field, about objects of its own house, of the other and of none.

The fields come from the schema: one that is new needs a case in `tests/root_field_cases.py`.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from core.access import Permission, Role
from core.errors import ErrorCode
from gql import loaders
from gql.schema.ids import opaque
from tests.databases import Template
from tests.root_field_cases import CASES, REFUSED
from tests.root_fields import RootField, root_fields
from tests.two_houses import CALLERS, HOUSES, MISSING, NOWHERE, OTHER, OWN, Houses, ask, codes, two_houses

pytestmark = pytest.mark.anyio

FIELDS = root_fields()

OUT_OF_REACH = {
    "ChangeLogEntry",
    "HeldLead",
    "Lead",
    "LeadPool",
    "Plan",
    "SecondLead",
    "SecondSegment",
    "Segment",
}
"""Nouns that no permission by itself brings into reach."""

NEEDED = {noun.__name__: permission for noun, permission in loaders.NEEDED.items()}
STEPS = 2
THEMSELVES = opaque("User", 1, 1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def houses(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[Houses]:
    template: Template = request.getfixturevalue(
        "sqlite_template" if request.param == "sqlite" else "postgres_template"
    )
    with template.copy() as url:
        async with two_houses(url, tmp_path_factory.mktemp("houses")) as houses:
            yield houses


def test_every_root_field_has_a_case_and_every_case_its_field() -> None:
    assert [field.name for field in FIELDS if field.lacks_a_case] == []
    assert CASES.keys() - {field.name for field in FIELDS} == set()


async def test_without_a_token_every_field_answers_unauthenticated_and_nothing_changes(
    houses: Houses,
) -> None:
    wrong = {}
    async with houses.open() as app:
        for field in FIELDS:
            for house in HOUSES:
                answer = await ask(app, None, field.document(), houses.filled(field.case, house))
                shown = any((answer.get("data") or {}).values())
                if not field.anyone and (shown or codes(answer) != {ErrorCode.UNAUTHENTICATED}):
                    wrong[field.name, house] = answer
    assert wrong == {}
    assert await houses.rows() == houses.made


async def test_without_its_permission_a_field_is_forbidden_whatever_it_names_and_nothing_changes(
    houses: Houses,
) -> None:
    wrong, denied = {}, 0
    async with houses.open() as app:
        for role in CALLERS:
            for field in [field for field in FIELDS if not field.allows(role)]:
                answers = [
                    await ask(app, houses.tokens[role], field.document(), houses.filled(field.case, house))
                    for house in HOUSES
                ]
                denied += 1
                if codes(answers[0]) != {ErrorCode.FORBIDDEN} or answers != [answers[0]] * len(HOUSES):
                    wrong[role, field.name] = answers
    assert wrong == {}
    assert await houses.rows() == houses.made
    assert denied > len(FIELDS)


async def test_what_is_the_others_answers_as_what_does_not_exist_and_nothing_changes(houses: Houses) -> None:
    wrong = {}
    async with houses.open() as app:
        for role in CALLERS:
            for field in [field for field in FIELDS if field.allows(role) and field.names_objects]:
                other, nowhere, missing = [
                    await ask(app, houses.tokens[role], field.document(), houses.filled(field.case, house))
                    for house in (OTHER, NOWHERE, MISSING)
                ]
                refused = not field.changes or field.reports_each or codes(other)
                if other != nowhere or not refused or ErrorCode.INTERNAL in codes(other) | codes(missing):
                    wrong[role, field.name] = (other, nowhere, missing)
                if field.changes and codes(missing) not in (codes(other), {ErrorCode.FORBIDDEN}):
                    wrong[role, field.name] = (other, nowhere, missing)
    assert wrong == {}
    assert await houses.rows() == houses.made


async def test_what_is_of_ones_own_house_and_out_of_reach_answers_as_what_does_not_exist(
    houses: Houses,
) -> None:
    different = {}
    async with houses.open() as app:
        for field in [field for field in FIELDS if field.names(OUT_OF_REACH)]:
            answers = [
                await ask(
                    app, houses.reachless, field.document(), houses.filled(field.case, house, OUT_OF_REACH)
                )
                for house in (OWN, MISSING)
            ]
            if answers[0] != answers[1]:
                different[field.name] = answers
    assert different == {}
    assert await houses.rows() == houses.made


async def test_with_one_permission_objects_of_other_nouns_are_shown_at_no_depth(houses: Houses) -> None:
    shown: set[tuple[Permission, str, str]] = set()
    met: set[str] = set()
    async with houses.open() as app:
        for permission, token in houses.single.items():
            for field in [field for field in FIELDS if field.kind == "query"]:
                answer = await ask(app, token, field.document(STEPS), houses.filled(field.case, OWN))
                assert answer["status"] == 200, (field.name, answer)
                for name, number in _objects_in(list(answer["data"].values())):
                    met.add(name)
                    if NEEDED.get(name, permission) is not permission and number != THEMSELVES:
                        shown.add((permission, field.name, name))
    assert shown == set()
    assert len(met & NEEDED.keys()) > 8


def _objects_in(data: object) -> Iterator[tuple[str, str | None]]:
    """Type and ID of each object in an answer."""
    if isinstance(data, list):
        for each in data:
            yield from _objects_in(each)
    elif isinstance(data, dict):
        yield data["__typename"], data.get("id")
        for each in data.values():
            yield from _objects_in(each)


async def test_the_administrator_reaches_what_is_there_with_every_field(houses: Houses) -> None:
    wrong, admin = {}, houses.tokens[Role.ADMIN]
    async with houses.open() as app:
        for field in [field for field in FIELDS if not field.changes]:
            answer = await ask(app, admin, field.document(), houses.filled(field.case, OWN))
            if not reached(field, answer.get("data"), codes(answer)):
                wrong[field.name] = answer
    for field in [field for field in FIELDS if field.changes]:
        async with houses.open() as app:
            answer = await ask(app, admin, field.document(), houses.filled(field.case, OWN))
        if not reached(field, answer.get("data"), codes(answer)):
            wrong[field.name] = answer
        await houses.restore()
    assert wrong == {}
    assert await houses.rows() == houses.made


def reached(field: RootField, data: dict[str, object] | None, found: set[str]) -> bool:
    if field.name in REFUSED:
        return found == {REFUSED[field.name]}
    return data is not None and data[field.name] is not None and not found
