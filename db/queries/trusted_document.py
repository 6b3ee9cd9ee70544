"""Reading registered documents."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from db.models import TrustedDocument
from db.paging import OrderKey, Page, Paging, fetch_page

ORDER = [OrderKey(col(TrustedDocument.id))]


async def text_of_document(session: AsyncSession, organisation_id: int, digest: str) -> str | None:
    """The document with that hash; what it may do is decided when it runs, so this takes no scope."""
    found = select(col(TrustedDocument.text)).where(
        col(TrustedDocument.organisation_id) == organisation_id, col(TrustedDocument.hash) == digest
    )
    return (await session.execute(found)).scalar_one_or_none()


async def page_of_documents(session: AsyncSession, scope: Scope, paging: Paging) -> Page[TrustedDocument]:
    scope.need(Permission.INTEGRATION_MANAGE)
    own = select(TrustedDocument).where(col(TrustedDocument.organisation_id) == scope.organisation_id)
    return await fetch_page(session, own, ORDER, paging)


async def count_documents(session: AsyncSession, scope: Scope) -> int:
    scope.need(Permission.INTEGRATION_MANAGE)
    counted = (
        select(func.count())
        .select_from(TrustedDocument)
        .where(col(TrustedDocument.organisation_id) == scope.organisation_id)
    )
    return (await session.execute(counted)).scalar_one()
