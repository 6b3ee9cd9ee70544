"""What it takes to refuse or accept documents: the guard, hostile documents, thousands of random ones."""

import contextlib
import gc
import time
from random import Random

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
    parse,
    specified_rules,
    validate,
)

from bench.hot_read import QUERY
from bench.measure import Comparison, in_turn, timed
from gql.execution.documents import RequestRefused
from gql.execution.guard import Limits, check_shape
from gql.execution.operation import OperationRequest, OperationRunner
from gql.root import build_schema
from tests.gql.hostile_documents import HOSTILE

RANDOM_DOCUMENTS = 5_000
DEPTH = 7
ORDINARY = (
    QUERY,
    "{ viewer { user { id name email roles teams { name } } } }",
    """query($after: String) { leads(first: 50, after: $after) { pageInfo { hasNextPage endCursor }
      nodes { id phone status values { key value } campaign { id name } owner { user { name } } } } }""",
)

LITERALS = {
    "Int": "1",
    "Float": "1.5",
    "Boolean": "true",
    "Date": '"2026-01-01"',
    "DateTime": '"2026-01-01T00:00:00Z"',
}


class RandomDocuments:
    """Valid documents at random: fields, aliases, fragments and directives in any mixture."""

    def __init__(self, schema: GraphQLSchema, random: Random) -> None:
        self._schema = schema
        self._random = random
        self._aliases = 0
        self._fragments: list[str] = []

    def next(self) -> str:
        self._aliases, self._fragments = 0, []
        root = self._schema.query_type
        assert root is not None
        return " ".join([self._selections(root, DEPTH), *self._fragments])

    def _selections(
        self, parent: GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType, depth: int
    ) -> str:
        chosen = ["__typename"]
        if not isinstance(parent, GraphQLUnionType):
            fields = sorted(parent.fields.items())
            for name, field in self._random.choices(fields, k=self._random.randint(1, 6)):
                chosen.append(self._field(name, field, depth))
        text = "{ " + " ".join(filter(None, chosen)) + " }"
        match self._random.random():
            case luck if luck < 0.1:
                return f"{{ ... on {parent.name} {text} }}"
            case luck if luck < 0.2:
                name = f"F{len(self._fragments)}"
                self._fragments.append(f"fragment {name} on {parent.name} {text}")
                return f"{{ ...{name} }}"
        return text

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        named = get_named_type(field.type)
        if not is_leaf_type(named) and not depth:
            return ""
        self._aliases += 1
        required = [
            f"{key}: {self._value(argument.type)}"
            for key, argument in field.args.items()
            if is_required_argument(argument)
        ]
        arguments = f"({', '.join(required)})" if required else ""
        directive = " @include(if: true)" if self._random.random() < 0.05 else ""
        inside = "" if is_leaf_type(named) else " " + self._selections(named, depth - 1)  # type: ignore[arg-type]
        return f"a{self._aliases}: {name}{arguments}{directive}{inside}"

    def _value(self, type_: GraphQLInputType) -> str:
        bare = get_nullable_type(type_)
        if is_list_type(bare):
            return f"[{self._value(bare.of_type)}]"
        if isinstance(bare, GraphQLEnumType):
            return str(next(iter(bare.values)))
        if isinstance(bare, GraphQLInputObjectType):
            fields = list(bare.fields.items())
            needed = [pair for pair in fields if is_required_input_field(pair[1])]
            # Where nothing is required, one is given: just what a choice of one wants.
            given = needed or fields[:1]
            return "{" + ", ".join(f"{key}: {self._value(one.type)}" for key, one in given) + "}"
        return LITERALS.get(get_named_type(bare).name, '"x"')


async def compare_documents(seed: int, repeats: int) -> list[Comparison]:
    """The guard against validation, and in the notes the slowest of hostile and of random documents."""
    schema = build_schema()
    known = [parse(text) for text in ORDINARY]
    limits = Limits()

    async def guard() -> None:
        for document in known:
            check_shape(document, limits)

    async def validation() -> None:
        for document in known:
            validate(schema._schema, document, specified_rules)

    subject, baseline = await in_turn(
        timed(guard, len(known)), timed(validation, len(known)), max(repeats, 20)
    )
    # As a server has done by then: else a document waits for the collector to look at the whole library.
    gc.collect()
    gc.freeze()
    notes = {**_hostile(OperationRunner(schema)), **_random(schema._schema, OperationRunner(schema), seed)}
    return [Comparison("guard, against validation", "none", "document", subject, baseline, notes)]


def _hostile(runner: OperationRunner) -> dict[str, float]:
    slowest = max(_seconds(runner, query) for query, _ in HOSTILE.values())
    return {"hostile": len(HOSTILE), "slowest refusal ms": slowest * 1000}


def _random(schema: GraphQLSchema, runner: OperationRunner, seed: int) -> dict[str, float]:
    documents = RandomDocuments(schema, Random(seed))
    took: list[float] = []
    while len(took) < RANDOM_DOCUMENTS:
        text = documents.next()
        begin = time.process_time()
        try:
            runner.prepare(OperationRequest(text))
        except RequestRefused:
            continue
        took.append(time.process_time() - begin)
    return {"random": len(took), "slowest accepted ms": max(took) * 1000}


def _seconds(runner: OperationRunner, query: str) -> float:
    begin = time.process_time()
    with contextlib.suppress(RequestRefused):
        runner.prepare(OperationRequest(query))
    return time.process_time() - begin
