"""Planning operations on members, and applying plans if nothing moved.

A plan is what the operation itself did in a transaction that was undone, so it speaks of the same leads. When
it is applied, the operation is done anew and must do just that.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import Conflict, NotFound
from db import change_log
from db.actor_record import actor_record
from db.commands.member_operation import Operation, Planned, operation_from
from db.commands.membership_rows import lock_projects, pack
from db.commands.segment_member import MembersUpdated
from db.ids import allocate
from db.membership_log import MembersMoved, watch
from db.models import Plan, Segment
from db.queries.plan import visible_plans
from db.scope_sql import among

PATH = ("input", "planId")
MOVED_SINCE = "Data or rules moved since the plan was made: make a new one."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation did or would do.

    states    of the segments it names, before it
    segments  what it does to each of them, and to those that lose leads to them
    """

    states: dict[str, list[int]]
    segments: list[dict[str, Any]]

    @property
    def digest(self) -> str:
        """The same for two outcomes just when they do the same to the same leads."""
        return sha256(json.dumps(self.segments, sort_keys=True).encode()).hexdigest()


async def try_out(session: AsyncSession, scope: Scope, operation: Operation, now: datetime) -> Outcome:
    """What the operation would do; the session's work must be undone. Raises what the operation raises."""
    outcome, _ = await _run(session, scope, operation, now)
    return outcome


async def store_plan(
    session: AsyncSession,
    scope: Scope,
    operation: Planned,
    outcome: Outcome,
    *,
    lifetime: timedelta,
    now: datetime,
) -> Plan:
    """Keeps a plan for as long as said; those of the organisation that have expired go."""
    expired = delete(Plan).where(
        col(Plan.organisation_id) == scope.organisation_id, col(Plan.expires_at) <= now
    )
    await session.execute(expired)
    plan = Plan(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "plan"),
        kind=operation.kind.value,
        input=operation.record(),
        states=outcome.states,
        segments=outcome.segments,
        digest=outcome.digest,
        created_by=actor_record(scope.actor),
        created_at=now,
        expires_at=now + lifetime,
    )
    session.add(plan)
    return plan


async def apply_plan(
    session: AsyncSession, scope: Scope, plan_id: int, now: datetime
) -> tuple[Plan, list[MembersUpdated]]:
    """Does what a plan says, once, whoever made it.

    Raises  NotFound, also for one that has expired or is about a segment out of sight; Conflict where it was
            applied already or data or rules moved since; and what the operation raises
    """
    plan = await claim_plan(session, scope, plan_id, now)
    operation = operation_from(plan.kind, plan.input)
    outcome, done = await _run(session, scope, operation, now)
    if (outcome.states, outcome.digest) != (plan.states, plan.digest):
        raise Conflict(MOVED_SINCE, field=PATH)
    await log_applied(session, scope, plan, {one.segment.id: one.changeset for one in done}, now)
    return plan, done


async def log_applied(
    session: AsyncSession, scope: Scope, plan: Plan, changesets: Mapping[int, int], now: datetime
) -> None:
    """Enters in the change log of each segment that a plan was applied, and what it was done by."""
    after = {"plan": plan.id, "kind": plan.kind, "planned_by": plan.created_by["user"]}
    for segment_id, changeset in changesets.items():
        await change_log.append(
            session,
            scope,
            noun="segment",
            noun_id=segment_id,
            action="plan_applied",
            now=now,
            after={**after, "changeset": changeset},
        )


async def claim_plan(session: AsyncSession, scope: Scope, plan_id: int, now: datetime) -> Plan:
    """The plan, marked as applied, so that nobody else applies it as well. Raises NotFound, Conflict."""
    claim = (
        update(Plan)
        .where(
            col(Plan.organisation_id) == scope.organisation_id,
            col(Plan.id) == plan_id,
            col(Plan.applied_at).is_(None),
        )
        .values(applied_at=now)
        .returning(col(Plan.id))
        .execution_options(synchronize_session=False)
    )
    claimed = (await session.execute(claim)).scalar_one_or_none()
    plan = (await visible_plans(session, scope, [plan_id])).get(plan_id)
    if plan is None or plan.expires_at <= now:
        raise NotFound(field=PATH)
    if claimed is None:
        raise Conflict("The plan was applied already.", field=PATH)
    return plan


async def _run(
    session: AsyncSession, scope: Scope, operation: Operation, now: datetime
) -> tuple[Outcome, list[MembersUpdated]]:
    """Does an operation; the segments it names are locked before their state is read."""
    states = await states_of(session, scope, operation.segment_ids)
    moves = watch(session)
    done = await operation.run(session, scope, now)
    return Outcome(states, _segments(moves, done)), done


async def states_of(session: AsyncSession, scope: Scope, segment_ids: Sequence[int]) -> dict[str, list[int]]:
    """Version, rule revision and newest entry of segments, which it locks first."""
    await lock_projects(session, scope, segment_ids)
    locked: Any = (
        select(col(Segment.id), col(Segment.version), col(Segment.rule_revision), col(Segment.last_seq))
        .where(col(Segment.organisation_id) == scope.organisation_id, among(col(Segment.id), segment_ids))
        .order_by(col(Segment.id))
    )
    rows = await session.execute(locked.with_for_update(of=Segment, key_share=True))
    return {str(row[0]): list(row[1:]) for row in rows}


def _segments(moves: Sequence[MembersMoved], done: Sequence[MembersUpdated]) -> list[dict[str, Any]]:
    """What was done to each segment: its counts where it was named, and who moved."""
    joined: dict[int, BitMap64] = {one.segment.id: BitMap64() for one in done}
    left: dict[int, BitMap64] = {one.segment.id: BitMap64() for one in done}
    for move in moves:
        joined[move.segment_id] = joined.get(move.segment_id, BitMap64()) | move.joined
        left[move.segment_id] = left.get(move.segment_id, BitMap64()) | move.left
    counts = {one.segment.id: _counts(one) for one in done}
    return [
        {
            "segment": segment,
            "joined": pack(joined[segment]),
            "left": pack(left[segment]),
            "counts": counts.get(segment),
        }
        for segment in sorted(joined)
    ]


def _counts(done: MembersUpdated) -> dict[str, int]:
    known = {field.name: getattr(done, field.name) for field in fields(done)}
    return {name: value for name, value in known.items() if name not in ("segment", "changeset")}
