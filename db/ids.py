"""Ids for new rows."""

from sqlalchemy.ext.asyncio import AsyncSession


async def allocate(session: AsyncSession, organisation_id: int, noun: str, count: int = 1) -> int:
    """The first of `count` consecutive ids of a noun (its table's name) in an organisation."""
    return int(await session.info["ids"].take(session, organisation_id, noun, count))
