"""The quick way makes of a selection what graphql-core makes of it, errors and their paths included."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse, subscribe
from graphql.execution.collect_fields import CollectedFields
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gql.execution.plain_fields import PlainFieldsExecutor, Selection


@strawberry.enum
class Light(Enum):
    RED = "red"
    GREEN = "green"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Value:
    key: str
    number: int | None


@strawberry.type
class Lead(Named):
    id: strawberry.ID
    open: bool
    attempts: int
    score: float | None
    light: Light
    at: datetime
    tags: list[str]
    values: list[Value | None]
    must: list[Value]

    @strawberry.field
    def shout(self, twice: bool = False) -> str:
        return self.name.upper() * (2 if twice else 1)

    @strawberry.field
    async def next(self) -> "Lead | None":
        await asyncio.sleep(0)
        return None if self.attempts else lead(attempts=1, name="next")

    @strawberry.field
    def boom(self) -> str | None:
        raise ValueError(self.name)


@strawberry.type
class Pool(Named):
    size: int


def lead(**given: Any) -> Lead:
    one: dict[str, Any] = {
        "name": "Ada",
        "id": strawberry.ID("7"),
        "open": True,
        "attempts": 0,
        "score": 1.5,
        "light": Light.RED,
        "at": datetime(2026, 1, 2, 3, tzinfo=UTC),
        "tags": ["a", "b"],
        "values": [Value(key="k", number=1), Value(key="l", number=None)],
        "must": [Value(key="m", number=3)],
    }
    return Lead(**one | given)


async def later() -> str:
    await asyncio.sleep(0)
    return "later"


ODD: dict[str, dict[str, Any]] = {
    "usual": {},
    "null where there may be none": {"name": None},
    "no value": {"score": None},
    "of a wrong type": {"attempts": "many", "open": "yes", "light": "violet"},
    "beyond what an integer holds": {"attempts": 2**40},
    "numbers for texts": {"name": 5, "id": 8, "attempts": True},
    "an error for a value": {"name": ValueError("bad"), "score": ValueError("worse")},
    "a null in a list that may hold it": {"values": [None, Value(key="k", number=1)]},
    "a null in a list that may not": {"must": [None]},
    "a broken item where a null may stand": {"values": [Value(key=None, number=1)]},  # type: ignore[arg-type]
    "a broken item where none may": {"must": [Value(key="m", number=2**40)]},
    "a foreign item": {"must": [Pool(name="p", size=1)]},
    "no list": {"values": 5},
    "a tuple for a list": {"values": (Value(key="k", number=1),)},
}


@strawberry.type
class Query:
    @strawberry.field
    def lead(self, odd: str = "usual") -> Lead | None:
        return lead(**ODD[odd])

    @strawberry.field
    def leads(self, odd: str = "usual") -> list[Lead | None]:
        return [lead(), lead(**ODD[odd]), lead(attempts=2)]

    @strawberry.field
    def all(self) -> list[Named]:
        return [lead(), Pool(name="p", size=3)]

    @strawberry.field
    def generated(self) -> list[Lead]:
        def each() -> Iterator[Lead]:
            yield lead()
            yield lead(attempts=4)

        return each()  # type: ignore[return-value]

    @strawberry.field
    def waiting(self) -> Lead:
        return lead(name=later(), score=later())


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def lead(self, events: int) -> AsyncIterator[Lead]:
        for number in range(events):
            yield lead(attempts=number)


PLAIN = "id name open attempts score light at __typename"
DOCUMENTS = (
    f"query($odd: String!) {{ lead(odd: $odd) {{ {PLAIN} }} }}",
    f"query($odd: String!) {{ leads(odd: $odd) {{ {PLAIN} }} }}",
    "query($odd: String!) { lead(odd: $odd) { values { key number } must { number key } tags } }",
    "query($odd: String!) { leads(odd: $odd) { name values { key } } }",
    "query($odd: String!) { leads(odd: $odd) { must { k: key key n: number } } }",
    "query($odd: String!) { lead(odd: $odd) { boom name shout(twice: true) attempts "
    "next { name next { id } } } }",
    "query($odd: String!) { lead(odd: $odd) { ...F ... on Lead { values { key } } } } "
    "fragment F on Lead { name values { number } }",
    "query($odd: String!, $yes: Boolean = true) { lead(odd: $odd) "
    "{ name @skip(if: $yes) id @include(if: $yes) } }",
    "query($odd: String!) { a: lead(odd: $odd) { name } b: leads { attempts } "
    "all { name ... on Pool { size } } }",
    "query($odd: String!) { generated { name attempts } lead(odd: $odd) { id } }",
    "query($odd: String!) { lead(odd: $odd) { id } waiting { name score id } }",
)


async def executed(executor: type[StrawberryGraphQLCoreExecutionContext], text: str, odd: str) -> Any:
    result = execute(
        strawberry.Schema(query=Query, types=[Lead, Pool])._schema,
        parse(text),
        variable_values={"odd": odd},
        executor_class=executor,
        operation_extensions={},
    )
    if not isinstance(result, ExecutionResult):
        result = await result
    errors = sorted((str(error.path), error.message, str(error.locations)) for error in result.errors or ())
    return result.data, errors


@pytest.mark.parametrize("text", DOCUMENTS)
async def test_answers_and_errors_are_those_of_graphql_core(text: str) -> None:
    for odd in ODD:
        quick = await executed(PlainFieldsExecutor, text, odd)
        assert quick == await executed(StrawberryGraphQLCoreExecutionContext, text, odd), odd


async def test_fields_come_in_the_order_in_which_they_are_selected() -> None:
    text = "query($odd: String!) { lead(odd: $odd) { shout name next { id name } id } }"

    data, _ = await executed(PlainFieldsExecutor, text, "usual")

    assert list(data["lead"]) == ["shout", "name", "next", "id"]


async def test_a_stream_keeps_nothing_of_the_events_it_has_told() -> None:
    kept: list[int] = []
    source = subscribe(
        strawberry.Schema(query=Query, subscription=Subscription, types=[Lead, Pool])._schema,
        parse("subscription { lead(events: 60) { name attempts next { name } must { number } } }"),
        executor_class=PlainFieldsExecutor,
        operation_extensions={},
    )
    told = source if isinstance(source, AsyncIterator | ExecutionResult) else await source
    assert isinstance(told, AsyncIterator)

    async for event in told:
        assert event.data is not None
        assert event.data["lead"]["must"] == [{"number": 3}]
        gc.collect()
        kept.append(sum(type(one) in (CollectedFields, Selection) for one in gc.get_objects()))

    assert len(kept) == 60
    assert kept[-1] == kept[1]
