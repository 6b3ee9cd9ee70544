"""JSON from outside, into an operation request or a refusal."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from core.errors import BadInput
from gql.execution.operation import OperationRequest


class Stalled(Exception):
    """A client that has stopped sending the body it announced."""


async def timely(body: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """The chunks of a body. Raises Stalled where one takes longer than `seconds`."""
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(body, None)
        except TimeoutError:
            raise Stalled(f"Nothing more of the body came within {seconds:g} seconds.") from None
        if chunk is None:
            return
        yield chunk


def read_json(text: bytes | str, depth: int) -> object:
    """The decoded value. Raises BadInput where it is not JSON or nests deeper than `depth`."""
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadInput("The request is not valid JSON.") from None
    if _deeper_than(value, depth):
        raise BadInput(f"The request is nested too deeply: at most {depth} levels are allowed.")
    return value


def read_request(value: object) -> OperationRequest:
    """The operation request in a decoded body or `subscribe` payload. Raises BadInput."""
    if isinstance(value, list):
        raise BadInput("Batches of operations are not supported: send one object.")
    if not isinstance(value, dict):
        raise BadInput("The request must be a JSON object.")
    query, document_id = value.get("query"), value.get("documentId")
    if document_id is not None:
        if not isinstance(document_id, str) or query is not None:
            raise BadInput("`documentId` must be a string, without a `query` beside it.")
        query = ""
    if not isinstance(query, str):
        raise BadInput("`query` must be a string.")
    name = value.get("operationName")
    if name is not None and not isinstance(name, str):
        raise BadInput("`operationName` must be a string or null.")
    return OperationRequest(query, _map(value, "variables"), name, _map(value, "extensions"), document_id)


def _map(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadInput(f"`{key}` must be an object or null.")
    return found


def _deeper_than(value: object, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[object]:
    """The lists and objects directly within a value."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [inner for inner in values if isinstance(inner, dict | list)]
