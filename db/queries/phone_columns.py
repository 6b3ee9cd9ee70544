"""Which columns of imported files hold phones."""

from collections.abc import Sequence

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.jobs import JobKind
from core.masking import phone_columns
from core.upload import column_from
from db.models import Campaign, Job, LeadPool, LeadUpload
from db.queries.lead import fields_of_projects


async def phone_columns_of_pool(
    session: AsyncSession, scope: Scope, pool: LeadPool, heading: Sequence[str]
) -> frozenset[str]:
    """Names in the heading of a pool's reported rows; where no file is known they are read as field keys."""
    campaign = await session.get_one(Campaign, (scope.organisation_id, pool.campaign_id))
    fields = await fields_of_projects(session, scope, [campaign.project_id])
    types = {key: field.type for key, field in fields[campaign.project_id].items()}
    upload = await _upload_of_pool(session, scope, pool.id)
    if upload is None:
        return phone_columns((), {name: name for name in heading}, types)
    return phone_columns(map(column_from, upload.columns or ()), upload.mapping or {}, types)


async def _upload_of_pool(session: AsyncSession, scope: Scope, pool_id: int) -> LeadUpload | None:
    imports = select(col(Job.payload)).where(
        col(Job.organisation_id) == scope.organisation_id,
        col(Job.kind) == JobKind.LEAD_IMPORT.value,
        cast(col(Job.payload)["pool"], Text) == str(pool_id),
    )
    payload = (await session.execute(imports.limit(1))).scalar_one_or_none()
    return payload and await session.get(LeadUpload, (scope.organisation_id, payload["upload"]))
