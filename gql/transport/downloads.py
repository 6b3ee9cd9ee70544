"""`GET /downloads/{id}`: reports as CSV, streamed, behind a signed link that lives for minutes.

The link stands for the token it was made for: what that token may see is looked up again when it is followed.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from core.access import Permission, Scope
from core.csv_export import csv_lines
from core.errors import LeadgraphError, NotFound, Unauthenticated
from db.models import ImportRow, LeadPool
from db.queries.api_token import token_state
from db.queries.lead_pool import heading_of_pool, import_rows
from db.queries.visible import visible_or_not_found
from gql.authz.links import Link, read_link, server_key
from gql.authz.scope import scope_of
from gql.authz.tokens import Principal
from gql.context import Services
from gql.schema.ids import opaque
from gql.transport.problems import problem

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Report:
    """One kind of file: which rows it has, and their first columns; the file's own columns follow."""

    outcomes: tuple[str, ...]
    columns: tuple[str, ...]
    values: Callable[[ImportRow], list[object]]


def _invalid(row: ImportRow) -> list[object]:
    return [row.line, row.column, row.value, row.reason]


def _repeat(row: ImportRow) -> list[object]:
    lead = row.duplicate_of_lead
    lead_id = None if lead is None else opaque("Lead", row.organisation_id, lead)
    return [row.line, row.value, row.reason, lead_id, row.duplicate_of_line, row.action]


REPORTS = {
    "invalid": _Report(("invalid",), ("line", "column", "value", "reason"), _invalid),
    "duplicates": _Report(
        ("duplicate", "flagged"),
        ("line", "value", "reason", "duplicate_of_lead", "duplicate_of_line", "action"),
        _repeat,
    ),
}


class DownloadEndpoint:
    """The ASGI endpoint behind `/downloads/{id}`."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    async def respond(self, request: Request) -> Response:
        try:
            return await self._respond(request.path_params["id"])
        except LeadgraphError as error:
            return problem(error)

    async def _respond(self, given: str) -> Response:
        services = self._services()
        link = read_link(server_key(services.settings.data_dir), given, services.clock())
        if link.kind not in REPORTS:
            raise NotFound
        scope = await _scope_of(services, link)
        async with services.database.reading() as session:
            pool = await visible_or_not_found(session, scope, LeadPool, link.object_id)
            heading = await heading_of_pool(session, scope, pool.id)
        return StreamingResponse(
            _lines(services, scope, pool.id, REPORTS[link.kind], heading),
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{link.kind}-{pool.id}.csv"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )


async def _scope_of(services: Services, link: Link) -> Scope:
    """What the link's token may do now. Raises Unauthenticated, Forbidden."""
    async with services.database.reading() as session:
        state = await token_state(session, link.organisation_id, link.token_id)
        if state is None:
            raise Unauthenticated
        principal = Principal(link.organisation_id, link.token_id, state.token.secret_hash)
        scope = await scope_of(session, principal, services.clock(), services.policies)
    scope.need(Permission.LEAD_EXPORT)
    return scope


async def _lines(
    services: Services, scope: Scope, pool_id: int, report: _Report, heading: list[str]
) -> AsyncIterator[str]:
    yield csv_lines([[*report.columns, *heading]])
    after = 0
    while True:
        async with services.database.reading() as session:
            rows = await import_rows(
                session, scope, pool_id, report.outcomes, after=after, first=ROWS_AT_ONCE
            )
        if not rows:
            return
        yield csv_lines([*report.values(row), *(row.cells or ())] for row in rows)
        after = rows[-1].line
