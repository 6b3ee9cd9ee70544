"""Connections with keyset cursors."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from typing import Annotated, Generic, TypeVar

import orjson
import strawberry

from core.errors import BadInput
from db.paging import MAX_FIRST, Page, Paging, json_key, key_of_json

T = TypeVar("T")
R = TypeVar("R")

First = Annotated[int, strawberry.argument(description=f"How many at most, 1 to {MAX_FIRST}.")]
After = Annotated[str | None, strawberry.argument(description="Cursor of the item to go on after.")]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more items follow.")
    has_previous_page: bool = strawberry.field(description="Whether the page was asked for after a cursor.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first item.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last item; pass it as `after`.")


@strawberry.type(description="An item of a list with its cursor.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="The item.")
    cursor: str = strawberry.field(description="Its place in the list.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items of the page with their cursors.")
    nodes: list[T] = strawberry.field(description="The items of the page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    async def resolve_total_count(self) -> int:
        return await self.count()

    total_count: int = strawberry.field(
        resolver=resolve_total_count,
        description="Items in the whole list, exact; computed only when asked for.",
    )


def paging_of(first: int, after: str | None) -> Paging:
    """The page a client asks for. Raises BadInput for an impossible size or a foreign cursor."""
    if not 1 <= first <= MAX_FIRST:
        raise BadInput(f"`first` must be from 1 to {MAX_FIRST}.", field=["first"])
    if after is None:
        return Paging(first)
    try:
        values = orjson.loads(urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        return Paging(first, key_of_json(values))
    except (ValueError, TypeError, Base64Error):
        raise BadInput("`after` is not a cursor of this list.", field=["after"]) from None


def connection_of(
    page: Page[R], paging: Paging, convert: Callable[[R], T], count: Callable[[], Awaitable[int]]
) -> Connection[T]:
    """The connection of a page; `count` is called only when `totalCount` is asked for."""
    nodes = [convert(row) for row in page.rows]
    cursors = [urlsafe_b64encode(orjson.dumps(json_key(key))).decode().rstrip("=") for key in page.keys]
    return Connection(
        edges=[Edge(node=node, cursor=cursor) for node, cursor in zip(nodes, cursors, strict=True)],
        nodes=nodes,
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=paging.after is not None,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
        count=count,
    )
