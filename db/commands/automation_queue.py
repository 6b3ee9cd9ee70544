"""The queue of automation: leads that changed, until they have been looked at.

Who works on the queue of an organisation holds its row of `automation` until the end of the transaction, and
waits for no one while it does: what others have locked stays in the queue and is looked at again.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.membership import Cause
from db.database import Topic, announce
from db.ids import allocate
from db.models import Automation, LeadChange, Organisation

ROWS_AT_ONCE, LEADS_AT_ONCE = 200, 500
LEADS_IN_ROW = 5_000


@dataclass(frozen=True, slots=True)
class Queue:
    """The head of an organisation's queue, in the hands of one worker.

    revision  of the rules and of what they are read by; `policy_revision` of the rights of users
    settled   nobody is applying a rule to all leads: what was looked at may leave the queue
    rows      number, leads, and the segment that they joined or left
    is_full   there may be more of them
    """

    revision: int
    policy_revision: int
    settled: bool
    cause: Cause
    rows: Sequence[tuple[int, BitMap64, int | None]]
    is_full: bool


@dataclass(frozen=True, slots=True)
class Share:
    """The leads to look at now; the rows that are done with them, and what is left of one more."""

    leads: BitMap64
    done: Sequence[int]
    rest: tuple[int, BitMap64] | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """An organisation's automation in the hands of one worker; the rest as of a queue.

    ticked_at  up to when the passing of time has been seen to
    """

    revision: int
    policy_revision: int
    ticked_at: datetime
    settled: bool


async def hold(session: AsyncSession, organisation_id: int, *, now: datetime) -> Hold:
    """Takes hold of an organisation's automation until the end of the transaction."""
    found = (
        select(col(Automation.revision), col(Organisation.policy_revision), col(Automation.ticked_at))
        .join(Organisation, col(Organisation.id) == col(Automation.organisation_id))
        .where(col(Automation.organisation_id) == organisation_id)
    )
    free = found.with_for_update(of=Automation, skip_locked=True)
    if (row := (await session.execute(free)).one_or_none()) is not None:
        return Hold(*row, settled=True)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    # Not 0: the number of a discarded organisation comes back, and a worker may still hold its rules.
    first = {"organisation_id": organisation_id, "revision": int(now.timestamp()), "ticked_at": now}
    await session.execute(dialect.insert(Automation).values(first).on_conflict_do_nothing())
    row = (await session.execute(found.with_for_update(of=Automation, key_share=True))).one()
    return Hold(*row, settled=False)


async def take_queue(
    session: AsyncSession, organisation_id: int, *, passing: Collection[int], now: datetime
) -> Queue:
    """Takes hold of an organisation's queue and reads its head.

    passing  rows that are to wait for a later turn
    """
    held = await hold(session, organisation_id, now=now)
    revision = held.revision
    own = col(LeadChange.organisation_id) == organisation_id
    found = (
        select(col(LeadChange.id), col(LeadChange.leads), col(LeadChange.segment_id), col(LeadChange.cause))
        .where(own, col(LeadChange.id).not_in(passing))
        .order_by(col(LeadChange.leads).is_not(None), col(LeadChange.id))
        .limit(ROWS_AT_ONCE)
    )
    rows = (await session.execute(found)).all()
    full = len(rows) == ROWS_AT_ONCE
    if rows and rows[0].leads is None:
        # First of all: what follows is to be asked by the rules as they are now.
        revision += 1
        await _set(session, organisation_id, revision=revision)
        await session.execute(delete(LeadChange).where(own, col(LeadChange.leads).is_(None)))
        rows = [row for row in rows if row.leads is not None]
    cause = Cause(rows[0].cause) if rows else Cause.AUTOMATION
    alike = [row for row in rows if row.cause == cause]
    is_full = full or len(alike) < len(rows)
    return Queue(
        revision,
        held.policy_revision,
        held.settled,
        cause,
        [(row.id, BitMap64.deserialize(row.leads), row.segment_id) for row in alike],
        is_full,
    )


def everything_of(queue: Queue) -> Share:
    """Nothing to look at: where no segment is automated, the queue is only kept short."""
    return Share(BitMap64(), [row[0] for row in queue.rows])


def share_of(queue: Queue, heeds: Callable[[int], bool]) -> Share:
    """The next leads of a queue, a bounded number; moves count of segments that are heeded."""
    leads, done = BitMap64(), []
    for number, changed, segment_id in queue.rows:
        if segment_id is not None and not heeds(segment_id):
            done.append(number)
            continue
        if len(leads) + len(changed) > LEADS_AT_ONCE:
            if leads:
                break
            return Share(changed[:LEADS_AT_ONCE], done, (number, changed[LEADS_AT_ONCE:]))
        leads |= changed
        done.append(number)
    return Share(leads, done)


async def let_go(session: AsyncSession, organisation_id: int, share: Share) -> None:
    """Takes a share out of the queue: its leads have been looked at."""
    own = col(LeadChange.organisation_id) == organisation_id
    if share.done:
        await session.execute(delete(LeadChange).where(own, col(LeadChange.id).in_(share.done)))
    if share.rest is not None:
        number, leads = share.rest
        rest = update(LeadChange).where(own, col(LeadChange.id) == number).values(leads=leads.serialize())
        await session.execute(rest)


async def queue_for_time(
    session: AsyncSession, organisation_id: int, lead_ids: BitMap64, *, now: datetime
) -> None:
    """Has leads looked at because time has passed, and remembers up to when that has been seen to."""
    shares = [lead_ids[start : start + LEADS_IN_ROW] for start in range(0, len(lead_ids), LEADS_IN_ROW)]
    if shares:
        first = await allocate(session, organisation_id, "lead_change", len(shares))
        alike = {"organisation_id": organisation_id, "cause": Cause.TIME.value, "at": now}
        rows = [
            {"id": number, "leads": each.serialize(), **alike} for number, each in enumerate(shares, first)
        ]
        await session.execute(insert(LeadChange), rows)
        announce(session, organisation_id, Topic.LEADS)
    await _set(session, organisation_id, ticked_at=now)


async def _set(session: AsyncSession, organisation_id: int, **values: Any) -> None:
    own = update(Automation).where(col(Automation.organisation_id) == organisation_id)
    await session.execute(own.values(**values), execution_options={"synchronize_session": False})
