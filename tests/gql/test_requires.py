from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest
import strawberry
from graphql import parse, print_ast

from core.access import FEATURES, Actor, ActorKind, Permission, Scope, TokenLimits
from core.errors import Forbidden, Unauthenticated
from gql.authz.requires import (
    PlansAtMost,
    permission_of,
    plans_at_most,
    requires,
    signed_in,
    undeclared_fields,
)


def answer() -> int:
    return 42


async def later() -> int:
    return 43


async def numbers() -> AsyncGenerator[int]:
    yield 1
    yield 2


@strawberry.type
class Query:
    sync: int = strawberry.field(resolver=answer, extensions=[requires(Permission.LEAD_VIEW)])
    open: int = strawberry.field(resolver=answer, extensions=[signed_in()])
    later: int = strawberry.field(resolver=later, extensions=[requires(Permission.LEAD_VIEW)])


@strawberry.type
class Subscription:
    numbers: AsyncGenerator[int] = strawberry.subscription(
        resolver=numbers, extensions=[requires(Permission.LEAD_VIEW)]
    )


@strawberry.type
class Careless:
    forgotten: int = strawberry.field(resolver=answer)
    declared: int = strawberry.field(resolver=later, extensions=[signed_in()])


SCHEMA = strawberry.Schema(Query, subscription=Subscription)


@dataclass
class Caller:
    """A context with a scope, or without one; it remembers what was denied."""

    features: frozenset[Permission] | None
    denials: list[str] = field(default_factory=list)
    limits: TokenLimits = TokenLimits()

    @property
    def scope(self) -> Scope:
        if self.features is None:
            raise Unauthenticated
        return Scope(1, Actor(ActorKind.API_KEY), self.features, frozenset(), 1, limits=self.limits)

    def denied(self, action: str, denial: Forbidden) -> None:
        self.denials.append(action)


NOBODY = Caller(None)
POOR = Caller(frozenset())
RICH = Caller(frozenset({Permission.LEAD_VIEW}))


async def run(query: str, caller: Caller) -> tuple[Any, list[type | None]]:
    result = await SCHEMA.execute(query, context_value=caller)
    return result.data, [type(error.original_error) for error in result.errors or []]


async def test_what_is_denied_is_noted_with_the_name_of_the_field_whatever_its_alias() -> None:
    caller = Caller(frozenset())
    for query in ("{ mine: sync }", "{ open }", "{ also: later }"):
        await run(query, caller)
    assert caller.denials == ["sync", "later"]


@pytest.mark.parametrize("name", ["sync", "later"])
async def test_a_field_answers_those_with_the_permission_and_no_one_else(name: str) -> None:
    query = "{" + name + "}"
    assert await run(query, RICH) == ({name: 42 if name == "sync" else 43}, [])
    assert await run(query, POOR) == (None, [Forbidden])
    assert await run(query, NOBODY) == (None, [Unauthenticated])


async def test_a_field_for_the_signed_in_answers_whoever_has_a_token() -> None:
    assert await run("{open}", POOR) == ({"open": 42}, [])
    assert await run("{open}", NOBODY) == (None, [Unauthenticated])


async def test_a_subscription_starts_only_with_the_permission() -> None:
    events = []
    stream = await SCHEMA.subscribe("subscription {numbers}", context_value=RICH)
    assert not isinstance(stream, strawberry.types.ExecutionResult)
    async for event in stream:
        events.append(event.data)
    assert events == [{"numbers": 1}, {"numbers": 2}]


def test_the_schema_says_what_each_field_needs() -> None:
    printed = {
        field.name.value: [print_ast(directive) for directive in field.directives]
        for definition in parse(SCHEMA.as_str()).definitions
        if getattr(definition, "name", None) and definition.name.value in {"Query", "Subscription"}  # type: ignore[attr-defined]
        for field in definition.fields  # type: ignore[attr-defined]
    }
    assert printed == {
        "sync": ["@permission(feature: LEAD_VIEW)"],
        "open": ["@permission"],
        "later": ["@permission(feature: LEAD_VIEW)"],
        "numbers": ["@permission(feature: LEAD_VIEW)"],
    }


def test_each_permission_is_described_in_the_schema() -> None:
    text = SCHEMA.as_str()
    assert all(f"{feature.title}: {feature.meaning}." in text for feature in FEATURES)


def test_a_field_that_declares_nothing_is_named() -> None:
    assert undeclared_fields(SCHEMA) == []
    assert undeclared_fields(strawberry.Schema(Query, mutation=Careless)) == ["Careless.forgotten"]


@strawberry.input
class Wanted:
    dry_run: bool = False


async def act(input: Wanted) -> int:
    return 1


@strawberry.type
class Mutation:
    act: int | None = strawberry.mutation(resolver=act, extensions=[PlansAtMost(), signed_in()])


async def test_a_token_that_only_plans_may_ask_for_dry_runs_and_nothing_else() -> None:
    schema = strawberry.Schema(Query, Mutation)
    planner = Caller(frozenset(), limits=TokenLimits(plan_only=True))
    for caller, dry_run, answers in ((planner, "true", 1), (planner, "false", None), (POOR, "false", 1)):
        result = await schema.execute(
            f"mutation {{ act(input: {{dryRun: {dry_run}}}) }}", context_value=caller
        )
        assert result.data == {"act": answers}
    assert planner.denials == ["act"]


def test_fields_of_the_schema_tell_what_they_need_and_what_a_planner_may_not() -> None:
    schema = strawberry.Schema(Query, Mutation)._schema
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    fields = {**schema.query_type.fields, **schema.mutation_type.fields}
    assert {name: permission_of(each) for name, each in fields.items()} == {
        "sync": Permission.LEAD_VIEW,
        "open": None,
        "later": Permission.LEAD_VIEW,
        "act": None,
    }
    assert [name for name, each in fields.items() if plans_at_most(each)] == ["act"]
