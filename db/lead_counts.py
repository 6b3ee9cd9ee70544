"""Keeping the counts of pools in step with their leads and calls, in the transaction that changes those.

Leads changed through the session are noticed by themselves. A bulk statement on leads is wrapped in
`counting`, or says with `note_leads` what it did. What was noted is added to the counts as the last step of
the transaction, in the order of their keys: so writers of one pool wait for each other only while they
commit, and never in a circle.
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, case, event, func, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, Session, object_session
from sqlmodel import col

from db.models import CallCount, Lead, LeadCount
from db.scope_sql import among

NOTED, LAST_STEP = "noted", "lead_counts"


class Alike(NamedTuple):
    """What the leads of one count have alike; empty text is none."""

    organisation_id: int
    pool_id: int
    status: str
    is_open: bool
    active: bool
    processed: bool
    result_key: str
    redial_kind: str


class Calls(NamedTuple):
    """What the calls of one count have alike."""

    organisation_id: int
    pool_id: int
    result_key: str


class Noted:
    """What a transaction did so far that the counts do not know yet."""

    def __init__(self) -> None:
        self.leads: Counter[Alike] = Counter()
        self.attempts: Counter[Alike] = Counter()
        self.calls: Counter[Calls] = Counter()
        self.last_at: dict[Calls, datetime] = {}


def note_leads(session: AsyncSession, alike: Alike, leads: int, attempts: int = 0) -> None:
    """So many leads of this kind more, or fewer."""
    _note(session.sync_session, alike, leads, attempts)


def note_call(
    session: AsyncSession, organisation_id: int, pool_id: int, result_key: str, at: datetime
) -> None:
    """One more call of a pool's lead."""
    noted = _noted(session.sync_session)
    key = Calls(organisation_id, pool_id, result_key)
    noted.calls[key] += 1
    noted.last_at[key] = max(at, noted.last_at.get(key, at))


def alike_of(lead: Lead) -> Alike:
    """The count that a lead belongs to."""
    return Alike(
        lead.organisation_id,
        lead.pool_id,
        lead.status,
        lead.is_open,
        lead.active,
        lead.processed,
        lead.result_key or "",
        lead.redial_kind or "",
    )


@asynccontextmanager
async def counting(
    session: AsyncSession, organisation_id: int, lead_ids: Collection[int]
) -> AsyncIterator[None]:
    """Around bulk statements on these leads: what becomes of them is found out before and after."""
    for alike, attempts in await _read(session, organisation_id, lead_ids, lock=True):
        note_leads(session, alike, -1, -attempts)
    yield
    for alike, attempts in await _read(session, organisation_id, lead_ids, lock=False):
        note_leads(session, alike, 1, attempts)


async def recount(session: AsyncSession, organisation_id: int) -> None:
    """Makes the counts of leads anew from the leads: for data that came in past the commands."""
    counted = LeadCount.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
    await session.execute(counted.delete().where(counted.c.organisation_id == organisation_id))
    groups = _columns()
    rows = (
        select(*groups, func.count(), func.sum(col(Lead.attempts)))
        .where(col(Lead.organisation_id) == organisation_id)
        .group_by(*groups)
    )
    await session.execute(counted.insert().from_select([*Alike._fields, "leads", "attempts"], rows))


async def store_counts(session: AsyncSession) -> None:
    """Adds to the counts what was noted; done by itself at the end, and again where more is noted after."""
    noted: Noted | None = session.info.pop(NOTED, None)
    if noted is None:
        return
    leads = [
        {**alike._asdict(), "leads": noted.leads[alike], "attempts": noted.attempts[alike]}
        for alike in sorted(noted.leads)
        if noted.leads[alike] or noted.attempts[alike]
    ]
    calls = [
        {**key._asdict(), "calls": count, "last_at": noted.last_at[key]}
        for key, count in sorted(noted.calls.items())
    ]
    for model, rows in ((LeadCount, leads), (CallCount, calls)):
        if rows:
            await session.execute(_adding(session.get_bind().dialect.name, model), rows)


@cache
def _adding(dialect_name: str, model: type[Any]) -> Any:
    dialect = postgresql if dialect_name == "postgresql" else sqlite
    table = model.__table__
    added = dialect.insert(table)
    new: Any = added.excluded
    if model is LeadCount:
        changed: dict[str, Any] = {name: table.c[name] + new[name] for name in ("leads", "attempts")}
    else:
        last = case((new.last_at > table.c.last_at, new.last_at), else_=table.c.last_at)
        changed = {"calls": table.c.calls + new.calls, "last_at": last}
    return added.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changed)


async def _read(
    session: AsyncSession, organisation_id: int, lead_ids: Collection[int], *, lock: bool
) -> Sequence[tuple[Alike, int]]:
    statement = (
        select(*_columns(), col(Lead.attempts))
        .where(col(Lead.organisation_id) == organisation_id, among(col(Lead.id), frozenset(lead_ids)))
        .order_by(col(Lead.id))
    )
    rows = await session.execute(statement.with_for_update(of=Lead) if lock else statement)
    return [(Alike(*row[:-1]), row[-1]) for row in rows]


def _columns() -> list[ColumnElement[Any]]:
    """The columns of `Alike`, as a lead has them."""
    columns = [getattr(Lead, name) for name in Alike._fields]
    return [func.coalesce(each, "") if each.nullable else each for each in columns]


@event.listens_for(Lead, "before_insert")
def _inserted(mapper: Mapper[Lead], connection: Connection, lead: Lead) -> None:
    _note(_session(lead), alike_of(lead), 1, lead.attempts)


@event.listens_for(Lead, "before_delete")
def _deleted(mapper: Mapper[Lead], connection: Connection, lead: Lead) -> None:
    alike, attempts = _as_stored(lead)
    _note(_session(lead), alike, -1, -attempts)


@event.listens_for(Lead, "before_update")
def _updated(mapper: Mapper[Lead], connection: Connection, lead: Lead) -> None:
    alike, attempts = _as_stored(lead)
    session = _session(lead)
    _note(session, alike, -1, -attempts)
    _note(session, alike_of(lead), 1, lead.attempts)


def _as_stored(lead: Lead) -> tuple[Alike, int]:
    """The count that the lead belongs to in the database, and its attempts there."""
    attributes = inspect(lead).attrs
    stored: list[Any] = []
    for name in (*Alike._fields, "attempts"):
        replaced = attributes[name].history.deleted
        value = replaced[0] if replaced else getattr(lead, name)
        stored.append("" if value is None else value)
    return Alike._make(stored[:-1]), stored[-1]


def _session(lead: Lead) -> Session:
    session = object_session(lead)
    if session is None:
        raise RuntimeError("a lead is flushed by its session")
    return session


def _note(session: Session, alike: Alike, leads: int, attempts: int) -> None:
    noted = _noted(session)
    noted.leads[alike] += leads
    noted.attempts[alike] += attempts


def _noted(session: Session) -> Noted:
    session.info["last_steps"][LAST_STEP] = store_counts
    noted: Noted = session.info.setdefault(NOTED, Noted())
    return noted
