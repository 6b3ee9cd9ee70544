"""The routes of the door."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from gql.transport.caller import P
from gql.transport.door import Door
from gql.transport.graphiql_page import graphiql_files
from gql.transport.http import HttpEndpoint
from gql.transport.websocket import WebSocketEndpoint


def graphql_routes(door: Door[P]) -> list[BaseRoute]:
    """`/graphql` over HTTP and WebSocket; where its page is on, the way to it and its files."""
    routes: list[BaseRoute] = [
        Route("/graphql", HttpEndpoint(door), name="graphql"),
        WebSocketRoute("/graphql", WebSocketEndpoint(door), name="graphql-socket"),
    ]
    if door.settings.graphiql:
        routes.append(Mount("/graphiql", graphiql_files(), name="graphiql"))
        routes.append(Route("/", to_the_page))
    return routes


async def to_the_page(request: Request) -> Response:
    """From the address that a browser is given first."""
    return RedirectResponse("/graphql")
