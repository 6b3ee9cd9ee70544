"""Look-ups of rows by id, of any noun, within what the caller may see."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import NotFound, StaleVersion
from db.models import (
    Campaign,
    FieldDefinition,
    ImportMapping,
    Job,
    Lead,
    LeadPool,
    LeadUpload,
    Pipeline,
    Project,
    Segment,
    SegmentGroup,
    Tag,
    Team,
    User,
)
from db.models.columns import OrganisationRow
from db.scope_sql import (
    visible_campaigns,
    visible_groups,
    visible_jobs,
    visible_leads_by_id,
    visible_mappings,
    visible_pipelines,
    visible_pools,
    visible_projects,
    visible_segments,
    visible_tags,
    visible_uploads,
)

Row = TypeVar("Row", bound=OrganisationRow)

VISIBLE: dict[type[OrganisationRow], Callable[[Scope], ColumnElement[bool]]] = {
    Campaign: visible_campaigns,
    FieldDefinition: lambda scope: true(),
    ImportMapping: visible_mappings,
    Job: visible_jobs,
    Lead: visible_leads_by_id,
    LeadPool: visible_pools,
    LeadUpload: visible_uploads,
    Pipeline: visible_pipelines,
    Project: visible_projects,
    Segment: visible_segments,
    SegmentGroup: visible_groups,
    Tag: visible_tags,
    Team: lambda scope: true(),
    User: lambda scope: true(),
}


async def visible_by_id(
    session: AsyncSession, scope: Scope, model: type[Row], ids: Sequence[int]
) -> dict[int, Row]:
    """The rows with these ids that the caller may see, by id; at most 1,000 ids."""
    statement = select(model).where(
        col(model.organisation_id) == scope.organisation_id, col(model.id).in_(ids), VISIBLE[model](scope)
    )
    return {row.id: row for row in (await session.execute(statement)).scalars()}


async def visible_or_not_found(
    session: AsyncSession, scope: Scope, model: type[Row], object_id: int, *, lock: bool = False
) -> Row:
    """The row, locked against other writers where asked. Raises NotFound, also for what may not be seen."""
    statement: Any = select(model).where(
        col(model.organisation_id) == scope.organisation_id, col(model.id) == object_id, VISIBLE[model](scope)
    )
    if lock:
        # What this session has read before may be older than what it waited for.
        statement = statement.with_for_update(of=model, key_share=True).execution_options(
            populate_existing=True
        )
    row = (await session.execute(statement)).scalars().one_or_none()
    if row is None:
        raise NotFound
    return row  # type: ignore[no-any-return]  # a statement of type Any, for the sake of the lock


def check_version(
    current: int, expected: int | None, field: Sequence[str] = ("input", "expectedVersion")
) -> None:
    """Raises StaleVersion, at the field, where the caller expected another version than there is."""
    if expected is not None and expected != current:
        raise StaleVersion(field=field, details={"version": current})
