"""The pipeline by itself: what resolvers get, what errors look like, what is kept."""

from typing import Any

import pytest
import strawberry
from graphql import OperationType
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from structlog.testing import capture_logs

from gql.execution.documents import RequestRefused
from gql.execution.guard import Limits
from gql.execution.operation import Answer, OperationRequest, OperationRunner
from gql.transport.caller import Caller, Transport
from tests.gql.door import SCHEMA, Probe, Query, admit

CALLER: Caller[str | None] = Caller("ann", {}, "127.0.0.1", Transport.HTTP)


async def run(query: str, runner: OperationRunner | None = None, **variables: Any) -> Answer:
    runner = runner or OperationRunner(SCHEMA)
    operation = runner.prepare(OperationRequest(query, variables))
    return await runner.run(operation, (await admit(Probe())(CALLER, operation)).context)


async def stream(query: str) -> list[Answer]:
    runner = OperationRunner(SCHEMA)
    operation = runner.prepare(OperationRequest(query))
    context = (await admit(Probe())(CALLER, operation)).context
    return [answer async for answer in runner.stream(operation, context)]


def refusal(query: str, runner: OperationRunner | None = None, name: str | None = None) -> dict[str, Any]:
    with pytest.raises(RequestRefused) as refused:
        (runner or OperationRunner(SCHEMA)).prepare(OperationRequest(query, operation_name=name))
    return refused.value.errors[0]


async def test_a_query_gets_its_data_and_its_cost() -> None:
    answer = await run("query Q($n: String!) { hello(name: $n) }", n="you")

    assert answer.data == {"hello": "hello you"}
    assert answer.extensions == {"cost": {"requested": 1, "limit": 50_000}}
    assert not answer.errors


async def test_field_extensions_and_info_work_as_under_strawberry() -> None:
    runner = OperationRunner(SCHEMA)
    operation = runner.prepare(OperationRequest("{ shout whoami sentExtensions }", extensions={"a": 1}))

    answer = await runner.run(operation, (await admit(Probe())(CALLER, operation)).context)

    assert answer.data == {"shout": "HELLO WORLD", "whoami": "ann http", "sentExtensions": {"a": 1}}


async def test_a_data_loader_reads_siblings_in_one_batch() -> None:
    probe = Probe()
    runner = OperationRunner(SCHEMA)
    operation = runner.prepare(OperationRequest("{ books(first: 3) { nodes { title } } }"))

    answer = await runner.run(operation, (await admit(probe)(CALLER, operation)).context)

    assert answer.data == {"books": {"nodes": [{"title": f"book {number}"} for number in range(3)]}}
    assert probe.batches == [[0, 1, 2]]


async def test_one_of_inputs_are_checked_in_literals_and_in_variables() -> None:
    assert (await run('{ choose(choice: {word: "a"}) }')).data == {"choose": "None Some('a')"}
    assert refusal('{ choose(choice: {word: "a", number: 1}) }')["extensions"]["code"] == "BAD_USER_INPUT"
    answer = await run("query ($c: Choice!) { choose(choice: $c) }", c={"word": "a", "number": 1})
    assert not answer.executed
    assert answer.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_our_errors_keep_message_code_field_and_details() -> None:
    answer = await run("{ missing }")

    assert answer.data == {"missing": None}
    assert answer.errors == [
        {
            "message": "No such book.",
            "locations": [{"line": 1, "column": 3}],
            "path": ["missing"],
            "extensions": {
                "code": "NOT_FOUND",
                "field": ["input", "number"],
                "details": {"number": 7},
            },
        }
    ]


async def test_an_unexpected_error_is_masked_and_logged_once_without_its_message() -> None:
    with capture_logs() as logs:
        answer = await run("{ boom }")

    [error] = answer.errors
    assert error["message"] == "Internal error"
    assert error["path"] == ["boom"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert [entry["error_id"] for entry in logs] == [error["extensions"]["id"]]
    assert logs[0]["exception"] == "builtins.RuntimeError"
    assert logs[0]["frames"][-1].endswith("_boom")
    assert "4512345678" not in repr(logs) + repr(answer)


async def test_an_error_of_the_library_with_a_code_of_ours_passes_and_one_without_is_masked() -> None:
    with capture_logs() as logs:
        passed, masked = (await run("{ deliberate careless }")).errors

    assert passed["message"] == "Not today."
    assert passed["extensions"] == {"code": "CONFLICT", "until": "tomorrow"}
    assert masked["message"] == "Internal error"
    assert len(logs) == 1
    assert "4512345678" not in repr(logs)


class Broken(StrawberryGraphQLCoreExecutionContext):
    def execute_operation(self, serially: bool | None = None) -> Any:
        raise RuntimeError("secret")


async def test_a_fault_of_the_executor_itself_is_masked() -> None:
    runner = OperationRunner(strawberry.Schema(query=Query, execution_context_class=Broken))

    answer = await run("{ hello }", runner)

    assert answer.data is None
    assert answer.errors[0]["extensions"]["code"] == "INTERNAL"


async def test_a_resolver_that_breaks_the_schema_is_a_fault_of_the_program() -> None:
    with capture_logs() as logs:
        answer = await run("{ mustBoom }")

    assert answer.executed
    assert answer.data is None
    assert answer.errors[0]["extensions"]["code"] == "INTERNAL"
    assert len(logs) == 1


async def test_a_value_that_is_not_json_is_a_fault_of_the_program() -> None:
    answer = await run("{ notJson }")

    with capture_logs() as logs:
        encoded = answer.encoded()

    assert b"INTERNAL" in encoded
    assert len(logs) == 1


async def test_variables_that_do_not_fit_are_the_callers_fault_and_nothing_runs() -> None:
    answer = await run("query ($n: Int!) { books(first: $n) { totalCount } }", n="many")

    assert not answer.executed
    assert [error["extensions"]["code"] for error in answer.errors] == ["BAD_USER_INPUT"]


async def test_null_for_a_required_argument_by_variable_is_the_callers_fault() -> None:
    answer = await run('query ($n: String = "a") { hello(name: $n) }', n=None)

    assert answer.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "",
        "# nothing",
        "{ nothing }",
        "{ hello { a } }",
        "{ }",
        "query A { hello } query B { hello }",
        "type A { b: Int }",
        "fragment F on Query { hello }",
        "{ hello @nothing }",
        "{ ...F }",
        "query ($a: Nothing) { hello }",
        "{ books(first: 99999999999999999999999) { totalCount } }",
    ],
)
def test_a_document_that_cannot_run_is_the_callers_fault(query: str) -> None:
    assert refusal(query)["extensions"]["code"] == "BAD_USER_INPUT"


def test_the_operation_is_chosen_by_its_name() -> None:
    runner = OperationRunner(SCHEMA)
    both = "query A { hello } mutation B { touch }"

    assert runner.prepare(OperationRequest(both, operation_name="B")).kind is OperationType.MUTATION
    assert refusal(both, name="C")["message"] == "Unknown operation named 'C'."


GUESSES = [
    "{ helo }",
    "{ book }",
    "{ book { nothing } }",
    "{ hello(nam: 1) }",
    "{ hello(name: 1) }",
    "{ choose }",
    "{ choose(choice: {numbr: 1}) }",
    "{ book { ... on Boook { number } } }",
    "query ($a: Choise) { hello }",
    "query ($a: Choice) { choose(choice: $a) }",
    "{ hello @inclde(if: true) }",
    "{ __schema { description } }",
    '{ __type(name: "Book") { name } }',
]


def test_suggestions_can_be_switched_off() -> None:
    quiet = OperationRunner(SCHEMA, suggestions=False)

    for guess in ("{ helo }", "{ book }", "{ hello(nam: 1) }", "{ book { ... on Boook { number } } }"):
        assert "Did you mean" in refusal(guess)["message"]
        assert "Did you mean" not in refusal(guess, quiet)["message"]
        assert refusal(guess, quiet)["locations"]


@pytest.mark.parametrize("guess", GUESSES)
def test_without_introspection_no_guess_tells_anything_of_the_schema(guess: str) -> None:
    closed = OperationRunner(SCHEMA, introspection=False, suggestions=False)

    assert refusal(guess, closed) == {
        "message": "The document or its variables do not fit the schema.",
        "extensions": {"code": "BAD_USER_INPUT"},
    }


async def test_without_introspection_variables_tell_nothing_of_the_schema_either() -> None:
    closed = OperationRunner(SCHEMA, introspection=False, suggestions=False)
    query = "query ($choice: Choice!) { choose(choice: $choice) }"
    for given in ({"numbr": 1}, {"number": "x"}, {}, None):
        answer = await closed.run(closed.prepare(OperationRequest(query, {"choice": given})), None)
        assert [error["message"] for error in answer.errors] == [
            "The document or its variables do not fit the schema."
        ]


def test_a_document_is_read_once_and_the_oldest_are_forgotten() -> None:
    runner = OperationRunner(SCHEMA)
    first = runner.prepare(OperationRequest("{ hello }")).document
    assert runner.prepare(OperationRequest("{ hello }")).document is first

    for number in range(120):
        runner.prepare(OperationRequest(f"query Q{number} {{ hello }} #" + "-" * 90_000))

    assert runner.prepare(OperationRequest("{ hello }")).document is not first


def test_a_schema_that_needs_strawberrys_own_runner_is_refused() -> None:
    with pytest.raises(ValueError, match="Schema extensions"):
        OperationRunner(strawberry.Schema(query=Query, extensions=[SchemaExtension]))


async def test_a_query_streams_one_answer() -> None:
    assert [answer.data for answer in await stream("{ hello }")] == [{"hello": "hello world"}]


async def test_a_subscription_streams_an_answer_for_each_event() -> None:
    answers = await stream("subscription { count(to: 3) { number } }")

    assert [answer.data for answer in answers] == [{"count": {"number": number}} for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "code", "events"),
    [("revoked", "FORBIDDEN", 1), ("crashing", "INTERNAL", 1), ("refused", "FORBIDDEN", 0)]
    + [("refusedAtOnce", "FORBIDDEN", 0)],
)
async def test_a_failing_subscription_ends_with_its_code(name: str, code: str, events: int) -> None:
    *before, last = await stream(f"subscription {{ {name} }}")

    assert len(before) == events
    assert last.executed
    assert last.data is None
    assert last.errors[0]["extensions"]["code"] == code


async def test_the_cost_limit_counts_the_page_sizes_of_this_request() -> None:
    query = "query ($n: Int = 10) { books(first: $n) { nodes { shelf(first: $n) { nodes { number } } } } }"
    runner = OperationRunner(SCHEMA, Limits(cost=1_000))

    def cost(**variables: Any) -> int:
        return runner.prepare(OperationRequest(query, variables)).cost

    # 1 + 10 × (1 + 1 + 10 × 2)
    assert cost() == 221
    assert cost(n=5) == 61
    with pytest.raises(RequestRefused) as refused:
        cost(n=None)
    assert refused.value.errors[0]["extensions"] == {
        "code": "TOO_COSTLY",
        "details": {"requested": 5_101, "limit": 1_000},
    }
