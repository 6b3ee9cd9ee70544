"""`GET /downloads/{id}`: reports as CSV, streamed, behind a signed link that lives for minutes.

The link stands for the token it was made for: what that token may do is looked up again when it is followed,
and before each page of the file. A file that is cut off so has no end, and no client takes it for the whole.
With `?bom=1` it begins with a byte order mark, without which Excel takes UTF-8 for the machine's encoding.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from core.access import Permission, Scope
from core.errors import Forbidden, LeadgraphError, NotFound, Unauthenticated
from db.models import LeadPool, Segment
from db.queries.api_token import token_state
from db.queries.visible import visible_or_not_found
from gql.authz.links import Link, read_link, server_key
from gql.authz.scope import scope_of
from gql.authz.tokens import Principal
from gql.context import Services
from gql.schema.segment_export import MEMBERS
from gql.transport.pool_reports import REPORTS, Asked
from gql.transport.problems import problem
from gql.transport.segment_reports import member_lines

BYTE_ORDER_MARK = "\ufeff"


class DownloadEndpoint:
    """The ASGI endpoint behind `/downloads/{id}`."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    async def respond(self, request: Request) -> Response:
        try:
            return await self._respond(request)
        except LeadgraphError as error:
            return problem(error)

    async def _respond(self, request: Request) -> Response:
        services = self._services()
        given = request.path_params["id"]
        link = read_link(server_key(services.settings.data_dir), given, services.clock())
        scope = await _scope_of(services, link)
        try:
            lines = await _lines_of(services, scope, link)
        except Forbidden as denial:
            address = request.client.host if request.client else None
            services.audit.denied(scope, "downloads", denial, address)
            raise
        mark = BYTE_ORDER_MARK if request.query_params.get("bom") == "1" else ""
        return _File(
            _while_permitted(services, link, scope, lines, mark),
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{link.kind}-{link.object_id}.csv"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )


class _File(StreamingResponse):
    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        with suppress(LeadgraphError):
            await super().__call__(scope, receive, send)


async def _while_permitted(
    services: Services, link: Link, begun: Scope, lines: AsyncIterator[str], mark: str
) -> AsyncIterator[str]:
    """The file, for as long as the token may do just what it could. Raises Unauthenticated, Forbidden."""
    async for page in lines:
        yield mark + page
        mark = ""
        now = await _scope_of(services, link)
        if replace(now, policy_revision=begun.policy_revision) != begun:
            raise Forbidden


async def _lines_of(services: Services, scope: Scope, link: Link) -> AsyncIterator[str]:
    """The lines of the file that the link is for. Raises NotFound, Forbidden."""
    scope.need(Permission.LEAD_EXPORT)
    scope.need(Permission.LEAD_VIEW)
    async with services.database.reading() as session:
        if link.kind == MEMBERS:
            scope.need(Permission.SEGMENT_VIEW)
            segment = await visible_or_not_found(session, scope, Segment, link.object_id)
            return member_lines(services, scope, segment)
        if link.kind not in REPORTS:
            raise NotFound
        report = REPORTS[link.kind]
        if report.needs is not None:
            scope.need(report.needs)
        pool = await visible_or_not_found(session, scope, LeadPool, link.object_id)
        return report.lines(Asked(services, scope, pool))


async def _scope_of(services: Services, link: Link) -> Scope:
    """What the link's token may do now. Raises Unauthenticated."""
    async with services.database.reading() as session:
        state = await token_state(session, link.organisation_id, link.token_id)
        if state is None:
            raise Unauthenticated
        principal = Principal(link.organisation_id, link.token_id, state.token.secret_hash)
        return await scope_of(session, principal, services.clock(), services.policies)
