"""Registering documents, and forgetting them."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.errors import NotFound
from core.names import checked_name
from db import change_log
from db.ids import allocate
from db.models import TrustedDocument


async def register_document(
    session: AsyncSession, scope: Scope, text: str, name: str, *, now: datetime
) -> TrustedDocument:
    """Keeps a document under its hash; one that is kept already is answered as it is."""
    scope.need(Permission.INTEGRATION_MANAGE)
    digest = sha256(text.encode()).hexdigest()
    known = await session.scalar(
        select(TrustedDocument).where(
            col(TrustedDocument.organisation_id) == scope.organisation_id, col(TrustedDocument.hash) == digest
        )
    )
    if known is not None:
        return known
    document = TrustedDocument(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "trusted_document"),
        hash=digest,
        name=checked_name(name),
        text=text,
        created_at=now,
        created_by=scope.actor.user_id,
    )
    session.add(document)
    await _log(session, scope, document, "registered", now)
    return document


async def unregister_document(
    session: AsyncSession, scope: Scope, document_id: int, *, now: datetime
) -> None:
    """Forgets a document: it is run by its hash no longer. Raises NotFound."""
    scope.need(Permission.INTEGRATION_MANAGE)
    document = await session.get(TrustedDocument, (scope.organisation_id, document_id))
    if document is None:
        raise NotFound(field=["input", "id"])
    await _log(session, scope, document, "unregistered", now)
    await session.delete(document)


async def _log(
    session: AsyncSession, scope: Scope, document: TrustedDocument, action: str, now: datetime
) -> None:
    await change_log.append(
        session,
        scope,
        noun="trusted_document",
        noun_id=document.id,
        action=action,
        now=now,
        after={"name": document.name, "hash": document.hash},
    )
