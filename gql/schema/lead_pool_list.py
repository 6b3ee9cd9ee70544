"""What a list of lead pools can be asked: filters, columns, order."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from core.access import Scope
from core.errors import BadInput
from core.lead_pool import PoolColumn
from db.queries.lead_pool import PoolFilter
from gql.schema import ids
from gql.schema.enums import published
from gql.schema.lead_pool_status import PoolStatus

MAX_CHOSEN = 200
MAX_SEARCH = 200

published(
    PoolColumn,
    "LeadPoolColumn",
    "What a list of pools shows and sorts by. Shares are in percent.",
    {
        "NAME": "Its name, without regard to case.",
        "PROJECT": "Name of its project, without regard to case.",
        "CAMPAIGN": "Name of its campaign, without regard to case.",
        "STATUS": "Whether its leads are called.",
        "UPLOADED": "When it was made.",
        "PRIORITY": "Its priority.",
        "TOTAL_LEADS": "Leads in it now.",
        "READY_TO_DIAL": "Leads that could be offered to an agent if the hours were open.",
        "OPEN_LEADS": "Leads that may still be worked.",
        "CLOSED_PERCENT": "Leads that are not open, of all.",
        "USED_LEADS": "Leads processed at least once.",
        "USED_PERCENT": "The same, of all.",
        "CALLS": "Calls made to its leads.",
        "CONTACT_PERCENT": "Calls whose result counts as contact, of all calls.",
        "SUCCESS_PERCENT": "Calls whose result counts as success, of all calls.",
        "CONVERSION_PERCENT": "Calls whose result counts as success, of those that count as contact.",
        "AVERAGE_ATTEMPTS": "Calls to a used lead on average.",
        "CALLBACKS_DUE": "Open leads with a redial whose time has come.",
        "PRIVATE_REDIALS": "Open leads with a private redial, due or not.",
        "VIP_REDIALS": "Open leads with a VIP redial, due or not.",
        "INVALID_ROWS": "Rows of the upload that were refused.",
        "INVALID_PERCENT": "The same, of all rows.",
        "DUPLICATES": "Rows of the upload that were discarded as duplicates.",
        "LAST_CALLED": "When one of its leads was last called.",
        "STATUS_NEW": "Leads of status NEW.",
        "STATUS_OPEN": "Leads of status OPEN.",
        "STATUS_CLOSED": "Leads of status CLOSED.",
        "STATUS_REMOVED": "Leads of status REMOVED.",
        "RESULT": "Leads with a certain last result; `orderResult` says which.",
    },
)


@strawberry.input(description="Which pools to list; every part that is given must hold.")
class LeadPoolFilter:
    project_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description=f"Of one of these projects, at most {MAX_CHOSEN}."
    )
    campaign_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description=f"Of one of these campaigns, at most {MAX_CHOSEN}."
    )
    statuses: list[PoolStatus] = strawberry.field(
        default_factory=list, description="Of one of these statuses."
    )


def pool_filter(
    where: LeadPoolFilter | None, search: str | None, scope: Scope, path: Sequence[str] = ()
) -> PoolFilter:
    """What a client asks for. Raises NotFound for IDs of other organisations, BadInput for too many."""
    if search is not None and (len(search) > MAX_SEARCH or "\x00" in search):
        raise BadInput(f"A search has at most {MAX_SEARCH} characters.", field=[*path, "search"])
    where = where or LeadPoolFilter()
    if max(len(where.project_ids), len(where.campaign_ids)) > MAX_CHOSEN:
        raise BadInput(f"At most {MAX_CHOSEN} projects or campaigns.", field=[*path, "where"])
    return PoolFilter(
        project_ids=tuple(ids.locals_of("Project", where.project_ids, scope, [*path, "where", "projectIds"])),
        campaign_ids=tuple(
            ids.locals_of("Campaign", where.campaign_ids, scope, [*path, "where", "campaignIds"])
        ),
        statuses=tuple(where.statuses),
        search=search or "",
    )


PoolWhere = Annotated[LeadPoolFilter | None, strawberry.argument(description="Which pools.")]
PoolSearch = Annotated[
    str | None, strawberry.argument(description=f"Part of the name, in any case; {MAX_SEARCH} characters.")
]
PoolOrderBy = Annotated[PoolColumn, strawberry.argument(description="What to sort by.")]
OrderResult = Annotated[
    str | None, strawberry.argument(description="Key of the result, where it is sorted by RESULT.")
]
Descending = Annotated[bool, strawberry.argument(description="Greatest or newest first.")]
