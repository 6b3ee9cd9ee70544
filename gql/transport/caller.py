"""What the door asks of the rest of the process: who calls, and a context for each operation."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from gql.execution.operation import Operation
from gql.execution.visible_schema import Shown

P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)


class Transport(StrEnum):
    """How an operation reached us."""

    HTTP = "http"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class Caller(Generic[P]):
    """Who runs an operation, and the request it came with.

    principal      what `Authenticate` answered
    headers        of the request (of the handshake for a WebSocket), names in lower case
    address        of the client, None where the server does not know it
    last_event_id  cursor after which a client of an event stream wants to resume
    """

    principal: P
    headers: Mapping[str, str]
    address: str | None
    transport: Transport
    last_event_id: str | None = None


class Authenticate(Protocol[P_co]):
    """Who sends this request. An anonymous caller is a principal too.

    headers             of the request, names in lower case
    connection_payload  of `connection_init` over WebSocket (`{"Authorization": "Bearer …"}`, empty where none
                        came), None over HTTP
    Raises              Unauthenticated where a credential came and is not valid
    """

    async def __call__(
        self, headers: Mapping[str, str], connection_payload: Mapping[str, object] | None, /
    ) -> P_co: ...


@dataclass(frozen=True, slots=True)
class Admission:
    """An operation may run, in this context.

    left     what its caller can spend after it
    visible  by what the caller is shown the schema; None shows all of it
    """

    context: object
    left: int | None = None
    visible: Shown | None = None


class Admit(Protocol[P]):
    """Lets one operation in, with a context of its own; called for each operation of a WebSocket.

    Raises  any LeadgraphError, which becomes the answer (a token that expired meanwhile)
    """

    async def __call__(self, caller: Caller[P], operation: Operation, /) -> Admission: ...


class FindDocument(Protocol[P]):
    """The text of a registered document, None where there is none. Raises BadInput for no possible id."""

    async def __call__(self, caller: Caller[P], document_id: str, /) -> str | None: ...


class Charge(Protocol[P]):
    """Takes what it costs to read a document from its sender's budget. Raises RateLimited."""

    def __call__(self, caller: Caller[P], cost: int, /) -> None: ...


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """Limits of the transports, and whether the page to try queries on is served.

    body_bytes              of a POST
    body_timeout            seconds a body may stop coming
    frame_bytes             of a WebSocket message; give it to the server as `ws_max_size` too
    json_depth              of nested lists and objects in a request
    init_timeout            seconds a new socket has for `connection_init`
    keep_alive              seconds between comments on a quiet event stream
    operations_per_socket   running at once
    streams_per_principal   sockets and event streams open at once
    streams_per_address     the same, from one address
    allowed_origins         besides the server's own, `https://host[:port]`, for WebSockets
    """

    body_bytes: int = 1_048_576
    body_timeout: float = 30.0
    frame_bytes: int = 262_144
    json_depth: int = 64
    init_timeout: float = 5.0
    keep_alive: float = 15.0
    operations_per_socket: int = 100
    streams_per_principal: int = 20
    streams_per_address: int = 100
    allowed_origins: frozenset[str] = field(default_factory=frozenset)
    graphiql: bool = False


PrincipalKey = Callable[[P], Hashable | None]
