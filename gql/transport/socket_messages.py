"""The messages of the graphql-transport-ws protocol: what clients may send, and what goes to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from core.errors import BadInput
from gql.execution.failures import FormattedError
from gql.execution.operation import Answer
from gql.transport.request_body import read_json

PROTOCOL = "graphql-transport-ws"

_NAMED = frozenset({"subscribe", "complete"})
_UNNAMED = frozenset({"connection_init", "ping", "pong"})


@dataclass(frozen=True, slots=True)
class Message:
    """A well-formed message of a client.

    kind     its `type`
    id       of the operation, empty where the message has none
    payload  None where absent; of `subscribe` still to be read
    """

    kind: str
    id: str
    payload: Mapping[str, Any] | None


def read_message(text: str, depth: int) -> Message:
    """The message in a text frame. Raises BadInput where the protocol does not allow it."""
    value = read_json(text, depth)
    if not isinstance(value, dict):
        raise BadInput("A message must be a JSON object.")
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in _NAMED | _UNNAMED:
        raise BadInput("A message must have a `type` that clients may send.")
    payload = value.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise BadInput("`payload` must be an object.")
    return Message(kind, _name(value) if kind in _NAMED else "", payload)


def _name(value: Mapping[str, Any]) -> str:
    name = value.get("id")
    if not isinstance(name, str) or not name:
        raise BadInput("`id` must be a string that is not empty.")
    return name


def plain(kind: str, payload: Mapping[str, Any] | None = None) -> str:
    """`connection_ack` or `pong`."""
    return _encoded({"type": kind} if payload is None else {"type": kind, "payload": payload})


def next_message(name: str, answer: Answer) -> str:
    return _encoded({"id": name, "type": "next", "payload": orjson.Fragment(answer.encoded())})


def error_message(name: str, errors: list[FormattedError]) -> str:
    return _encoded({"id": name, "type": "error", "payload": errors})


def complete_message(name: str) -> str:
    return _encoded({"id": name, "type": "complete"})


def _encoded(message: Mapping[str, Any]) -> str:
    return orjson.dumps(message).decode()
