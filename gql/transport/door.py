"""The parts that HTTP and WebSocket share."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Generic

from core.errors import LeadgraphError, NotFound
from gql.execution.failures import FormattedError, failure, unexpected
from gql.execution.operation import Operation, OperationRequest, OperationRunner
from gql.transport.caller import (
    Admit,
    Authenticate,
    Caller,
    Charge,
    FindDocument,
    P,
    PrincipalKey,
    TransportSettings,
)
from gql.transport.open_streams import Close, OpenStreams


@dataclass(frozen=True, slots=True)
class Door(Generic[P]):
    """Everything an endpoint needs to serve operations.

    principal_key  by what the open streams of a principal are counted (the id of its token), None for
                   anonymous callers, of whom only the address counts
    """

    runner: OperationRunner
    authenticate: Authenticate[P]
    admit: Admit[P]
    find_document: FindDocument[P]
    charge: Charge[P]
    principal_key: PrincipalKey[P]
    settings: TransportSettings = field(default_factory=TransportSettings)
    streams: OpenStreams = field(default_factory=OpenStreams)

    async def prepared(self, caller: Caller[P], request: OperationRequest) -> Operation:
        """The operation that is asked for. Raises NotFound, RateLimited, RequestRefused."""
        found = await self._with_text(caller, request)
        if price := self.runner.price_of_reading(found):
            self.charge(caller, price)
        return self.runner.prepare(found)

    async def _with_text(self, caller: Caller[P], request: OperationRequest) -> OperationRequest:
        """The request with the text of the document it names. Raises NotFound."""
        if request.document_id is None:
            return request
        text = await self.find_document(caller, request.document_id)
        if text is None:
            raise NotFound("No document is registered under this id.")
        return replace(request, query=text)

    async def admitted(self, caller: Caller[P], operation: Operation) -> tuple[Operation, object]:
        """The operation, paid for, and its context. Raises what `admit` raises."""
        admission = await self.admit(caller, operation)
        paid = replace(operation, left=admission.left, visible=admission.visible)
        return paid, admission.context

    @contextlib.contextmanager
    def opened(self, address: str | None, close: Close) -> Iterator[None]:
        """Count a stream of that address while open; the server's end calls `close`. Raises RateLimited."""
        with (
            self.streams.counted("address", address, self.settings.streams_per_address),
            self.streams.registered(close),
        ):
            yield

    @contextlib.contextmanager
    def held_by(self, principal: P) -> Iterator[None]:
        """Count a stream of that principal while it is open. Raises RateLimited."""
        key = self.principal_key(principal)
        with self.streams.counted("principal", key, self.settings.streams_per_principal):
            yield


def formatted(error: Exception) -> FormattedError:
    """An error raised outside of execution, as the caller sees it."""
    return failure(error) if isinstance(error, LeadgraphError) else unexpected(error)
