"""The members of a segment as CSV, streamed page by page, and safe to open in a spreadsheet."""

from collections.abc import AsyncIterator

from core.access import Permission, Scope
from core.csv_export import csv_lines
from db.models import Segment
from db.queries.lead import fields_of_projects
from db.queries.owner_team import owners_of
from db.queries.segment_member import leads_of_members
from gql.context import Services
from gql.transport.lead_cells import LEAD_COLUMNS, lead_cells, moment_text

ROWS_AT_ONCE = 500
MEMBER_COLUMNS = ("member_origin", "member_since")


async def member_lines(services: Services, scope: Scope, segment: Segment) -> AsyncIterator[str]:
    """The leads in the segment, in the order of their IDs, with how and when each came in."""
    async with services.database.reading() as session:
        by_project = await fields_of_projects(session, scope, [segment.project_id])
    fields = list(by_project[segment.project_id].values())
    yield csv_lines([[*LEAD_COLUMNS, *MEMBER_COLUMNS, *(field.key for field in fields)]])
    shows_phones = scope.may(Permission.PHONE_VIEW)
    after = 0
    while True:
        async with services.database.reading() as session:
            found = await leads_of_members(session, scope, segment.id, after=after, first=ROWS_AT_ONCE)
            owners = await owners_of(session, scope, [lead for _, lead in found])
        if not found:
            return
        lines = []
        for member, lead in found:
            cells = lead_cells(lead, owners[lead.id], fields, shows_phones=shows_phones)
            own = len(LEAD_COLUMNS)
            lines.append([*cells[:own], member.origin, moment_text(member.added_at), *cells[own:]])
        yield csv_lines(lines)
        after = found[-1][1].id
