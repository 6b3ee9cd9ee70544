"""One operation from request to answer, on graphql-core itself rather than on `strawberry.Schema.execute`.

Strawberry's resolvers, field extensions, `Info` and exception handlers are compiled into the schema; what
they need at run time is the schema's execution context class and nothing else. Schema extensions and custom
operation directives would need Strawberry's own runner, so a schema that has them is refused.
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, TypeGuard, cast

import orjson
import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute,
    subscribe,
)
from strawberry.execution import optimized_is_awaitable

from core.errors import BadInput, LeadgraphError, TooCostly
from gql.execution.documents import Documents, KnownDocument, RequestRefused
from gql.execution.failures import (
    FormattedError,
    Tell,
    brief_request_failures,
    failure,
    field_failures,
    request_failures,
    unexpected,
    without_suggestions,
)
from gql.execution.guard import Limits, check_strings
from gql.execution.visible_schema import Shown, VisibleSchemas, asks_about_the_schema
from gql.metrics import Metrics

_is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """What a client asks for, its parts already of the right type.

    document_id  of a registered document, whose text `query` is once it has been found
    """

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A valid, affordable operation, ready to execute.

    cost  what it may cost, see `gql.execution.cost`
    left     what its caller has left to spend; None where nobody counts
    visible  by what its caller is shown the schema; None shows all of it
    """

    document: DocumentNode
    definition: OperationDefinitionNode
    request: OperationRequest
    cost: int
    left: int | None = None
    visible: Shown | None = None

    @property
    def kind(self) -> OperationType:
        return self.definition.operation


@dataclass(frozen=True, slots=True)
class Answer:
    """One GraphQL response.

    executed  whether execution began: only then the response has `data`, null included
    """

    executed: bool
    data: Mapping[str, Any] | None = None
    errors: list[FormattedError] = field(default_factory=list)
    extensions: Mapping[str, Any] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The response as JSON on one line."""
        response: dict[str, Any] = {}
        if self.errors:
            response["errors"] = self.errors
        if self.executed:
            response["data"] = self.data
        if self.extensions:
            response["extensions"] = self.extensions
        try:
            return orjson.dumps(response)
        except TypeError as error:
            # A scalar gave something that is not JSON.
            return orjson.dumps({"errors": [unexpected(error)], "data": None})


class OperationRunner:
    """Executes operations of one schema.

    limits         what a document may hold and cost
    introspection  whether `__schema` and `__type` are answered; without them errors do not tell of the schema
    suggestions    whether errors suggest names of the schema
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        limits: Limits | None = None,
        *,
        metrics: Metrics | None = None,
        introspection: bool = True,
        suggestions: bool = True,
    ) -> None:
        if schema.extensions or schema.directives:
            raise ValueError("Schema extensions and custom operation directives are not run.")
        self.limits = limits or Limits()
        self._metrics = metrics or Metrics()
        self._schema = schema._schema
        self._visible = VisibleSchemas(schema._schema)
        self._executor_class = schema.execution_context_class
        self._hide_suggestions = not suggestions
        self._tell = _told(introspection, suggestions)
        self._documents = Documents(
            schema, self.limits, self._tell, introspection=introspection, suggestions=suggestions
        )

    def prepare(self, request: OperationRequest) -> Operation:
        """Parse, guard, validate and price. Raises RequestRefused."""
        try:
            return self._prepared(request)
        except RequestRefused as refused:
            self._metrics.operation_refused(refused.errors[0]["extensions"]["code"])
            raise

    def price_of_reading(self, request: OperationRequest) -> int:
        """What preparing a request takes of its sender's budget, whatever comes of it."""
        return self._documents.price_of_reading(request.query)

    def faults(self, text: str) -> list[str]:
        """What is wrong with a document, as sentences; nothing where it could run."""
        try:
            self._documents.read(text)
        except RequestRefused as refused:
            return [error["message"] for error in refused.errors]
        return []

    def _prepared(self, request: OperationRequest) -> Operation:
        known = self._documents.read(request.query)
        try:
            check_strings(request.variables)
            definition = _choose(known, request.operation_name)
            cost = self._documents.cost(known, definition, request.variables)
            if cost > self.limits.cost:
                raise TooCostly(
                    f"The operation costs {cost}, more than the {self.limits.cost} allowed.",
                    details={"requested": cost, "limit": self.limits.cost},
                )
        except LeadgraphError as refusal:
            raise RequestRefused([failure(refusal)]) from None
        return Operation(known.document, definition, request, cost)

    async def run(self, operation: Operation, context: object) -> Answer:
        """Execute a query or mutation; `context` serves this one operation."""
        started = perf_counter()
        answer = await self._run(operation, context)
        self._metrics.operation_ended(
            operation.kind.value,
            failed=bool(answer.errors),
            seconds=perf_counter() - started,
            cost=operation.cost,
        )
        return answer

    async def _run(self, operation: Operation, context: object) -> Answer:
        try:
            result = execute(
                self._schema_for(operation),
                operation.document,
                executor_class=self._executor_class,
                is_awaitable=_is_awaitable,
                **self._arguments(operation, context),
            )
            if not isinstance(result, ExecutionResult):
                result = await result
        except Exception as error:
            return self._failed(operation, error)
        return self._answer(operation, result)

    async def stream(self, operation: Operation, context: object) -> AsyncGenerator[Answer]:
        """Execute any operation: one answer for a query or mutation, one per event for a subscription.

        Close it when leaving early. Errors end the stream as an answer, never as an exception.
        """
        if operation.kind is not OperationType.SUBSCRIPTION:
            yield await self.run(operation, context)
            return
        try:
            source = await self._source(operation, context)
            if isinstance(source, ExecutionResult):
                yield self._answer(operation, source)
                return
            async with contextlib.aclosing(source) as events:  # type: ignore[type-var]
                async for result in events:
                    self._metrics.event_sent()
                    yield self._answer(operation, result)
        except Exception as error:
            yield self._failed(operation, error)

    def _schema_for(self, operation: Operation) -> GraphQLSchema:
        """The whole schema, or what the caller is shown of it. Raises BadInput."""
        if operation.visible is None or not asks_about_the_schema(operation.document, operation.definition):
            return self._schema
        return self._visible.of(operation.visible)

    async def _source(
        self, operation: Operation, context: object
    ) -> AsyncIterator[ExecutionResult] | ExecutionResult:
        source = subscribe(
            self._schema,
            operation.document,
            executor_class=self._executor_class,
            **self._arguments(operation, context),
        )
        return source if isinstance(source, AsyncIterator | ExecutionResult) else await source

    def _arguments(self, operation: Operation, context: object) -> dict[str, Any]:
        request = operation.request
        name = operation.definition.name
        return {
            "context_value": context,
            "variable_values": dict(request.variables),
            "operation_name": name.value if name else None,
            "hide_suggestions": self._hide_suggestions,
            "operation_extensions": dict(request.extensions),
        }

    def _answer(self, operation: Operation, result: ExecutionResult) -> Answer:
        errors = result.errors or []
        # Variables that do not fit are found by the executor, before it resolves anything.
        if result.data is None and errors and all(error.path is None for error in errors):
            return Answer(False, errors=self._tell(errors), extensions=self._extensions(operation))
        return Answer(True, result.data, field_failures(errors), self._extensions(operation))

    def _failed(self, operation: Operation, error: Exception) -> Answer:
        located = error if isinstance(error, GraphQLError) else GraphQLError("", original_error=error)
        return Answer(True, None, field_failures([located]), self._extensions(operation))

    def _extensions(self, operation: Operation) -> dict[str, Any]:
        left = {} if operation.left is None else {"left": operation.left}
        return {"cost": {"requested": operation.cost, "limit": self.limits.cost, **left}}


def _told(introspection: bool, suggestions: bool) -> Tell:
    if not introspection:
        return brief_request_failures
    return request_failures if suggestions else without_suggestions


def _choose(known: KnownDocument, name: str | None) -> OperationDefinitionNode:
    """The operation to execute. Raises BadInput where the name does not choose exactly one."""
    operations = [
        definition
        for definition in known.document.definitions
        if isinstance(definition, OperationDefinitionNode)
    ]
    if name is None:
        if len(operations) == 1:
            return operations[0]
        raise BadInput("Must provide operation name if query contains multiple operations.")
    for operation in operations:
        if operation.name is not None and operation.name.value == name:
            return operation
    raise BadInput(f"Unknown operation named '{name}'.")
