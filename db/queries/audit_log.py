"""Reading the audit log; whoever may view it sees all of the organisation's."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.audit import AuditKind
from db.models import AuditLog
from db.paging import OrderKey, Page, Paging, fetch_page

ORDER = [OrderKey(col(AuditLog.at), descending=True), OrderKey(col(AuditLog.id), descending=True)]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; None leaves a question open."""

    kind: AuditKind | None = None
    user_id: int | None = None


async def page_of_audit(
    session: AsyncSession, scope: Scope, wanted: AuditFilter, paging: Paging
) -> Page[AuditLog]:
    """Entries, newest first."""
    return await fetch_page(session, select(AuditLog).where(*_matching(scope, wanted)), ORDER, paging)


async def count_audit(session: AsyncSession, scope: Scope, wanted: AuditFilter) -> int:
    counted = select(func.count()).select_from(AuditLog).where(*_matching(scope, wanted))
    return (await session.execute(counted)).scalar_one()


def _matching(scope: Scope, wanted: AuditFilter) -> list[ColumnElement[bool]]:
    scope.need(Permission.AUDIT_VIEW)
    conditions = [col(AuditLog.organisation_id) == scope.organisation_id]
    if wanted.kind is not None:
        conditions.append(col(AuditLog.kind) == wanted.kind.value)
    if wanted.user_id is not None:
        conditions.append(col(AuditLog.actor)["user"].as_integer() == wanted.user_id)
    return conditions
