"""An agent at work in a session: the next lead under a lease, the result of the call."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.calling import (
    MAX_NOTE,
    PERSONAL,
    Owner,
    Reason,
    Redial,
    RedialKind,
    WorkState,
    after_call,
    owner_record,
    without_personal_redial,
)
from core.errors import BadInput, Conflict, NotFound
from core.goals import CallOutcome
from core.statuses import LeadStatus, is_open
from db import change_log
from db.commands.call_session import held_by, own_session
from db.commands.lead_claim import claim_next
from db.commands.owner_team import owner_teams_id
from db.commands.segment_goal import count_call
from db.ids import allocate
from db.lead_counts import note_call
from db.models import Call, CallSession, CampaignResult, Lead, SegmentMember
from db.queries.calling import offer_of
from db.queries.lead_readiness import redial_of
from db.queries.owner_team import owners_of, teams_still_there
from db.queries.visible import visible_or_not_found
from db.scope_sql import is_member


@dataclass(frozen=True, slots=True)
class Taken:
    """A lead in the agent's hands until the lease ends."""

    lead: Lead
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class NoneLeft:
    """Nothing to call now, why, and when the hours next allow more."""

    reasons: frozenset[Reason]
    next_opening: datetime | None


async def take_next(
    session: AsyncSession, scope: Scope, session_id: int, *, lease: timedelta, now: datetime
) -> Taken | NoneLeft:
    """The next lead of a session, leased to it; the one it already holds is handed back, its lease renewed.

    Raises  NotFound for no session of this agent, Conflict for one that has ended
    """
    scope.need(Permission.SEGMENT_CALL)
    call_session = await own_session(session, scope, session_id)
    offer = await offer_of(session, scope, call_session, now)
    lead = await claim_next(session, scope, call_session, offer, lease_until=now + lease, now=now)
    if lead is None:
        return NoneLeft(offer.reasons | {Reason.NO_LEADS_READY}, offer.next_opening)
    return Taken(lead, now + lease)


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call with the lead as it is afterwards."""

    call: Call
    lead: Lead


async def record_call(
    session: AsyncSession,
    scope: Scope,
    session_id: int,
    lead_id: int,
    *,
    result_key: str,
    note: str,
    redial: tuple[RedialKind, datetime] | None,
    now: datetime,
) -> RecordedCall:
    """Records the result of a call and lets the lead go.

    A lease that ran out is no hindrance while nobody else has been handed the lead.

    redial  kind and time; a private or VIP one is the agent's own
    Raises  Conflict for who does not hold the lead, BadInput for a result the campaign does not have
    """
    scope.need(Permission.SEGMENT_CALL)
    call_session = await own_session(session, scope, session_id)
    lead = await _held_lead(session, scope, call_session, lead_id)
    if len(note) > MAX_NOTE or "\x00" in note:
        raise BadInput(f"A note has at most {MAX_NOTE} characters.", field=("input", "note"))
    result = await _result(session, scope, lead, result_key)
    before = await _work_state(session, scope, lead)
    original = await _owner_before_redial(session, scope, lead, before.owner)
    agreed = _redial_for(scope, redial)
    try:
        after = after_call(
            before,
            result_key=result.key,
            status=LeadStatus(result.status),
            redial=agreed,
            owner_before=original,
            now=now,
        )
    except BadInput as error:
        raise BadInput(str(error), field=("input", *error.field)) from None
    await _apply(session, scope, lead, before, after, now)
    lead.last_called_at = now
    call = Call(
        organisation_id=scope.organisation_id,
        id=await allocate(session, scope.organisation_id, "call"),
        session_id=call_session.id,
        lead_id=lead.id,
        campaign_id=lead.campaign_id,
        segment_id=await _segment_of(session, scope, call_session, lead),
        user_id=call_session.user_id,
        result_key=result.key,
        note=note,
        redial=_redial_record(agreed, original),
        at=now,
    )
    session.add(call)
    note_call(session, scope.organisation_id, lead.pool_id, result.key, now)
    closed = is_open(before.status) and not is_open(after.status)
    outcome = CallOutcome(result.is_contact, result.is_success, closed)
    await count_call(session, scope, lead.id, outcome, now=now)
    await _log(session, scope, lead, "call_recorded", before, after, now)
    return RecordedCall(call, lead)


async def release_lead(
    session: AsyncSession, scope: Scope, session_id: int, lead_id: int, *, now: datetime
) -> Lead:
    """Hands a lead back without a call; a personal redial becomes shared and the owner before it returns.

    Raises  Conflict for who does not hold the lead
    """
    scope.need(Permission.SEGMENT_CALL)
    call_session = await own_session(session, scope, session_id)
    lead = await _held_lead(session, scope, call_session, lead_id)
    before = await _work_state(session, scope, lead)
    original = await _owner_before_redial(session, scope, lead, before.owner)
    after = without_personal_redial(before, original)
    if after == before:
        lead.lease_session_id = lead.lease_until = None
        return lead
    await _apply(session, scope, lead, before, after, now)
    await _log(session, scope, lead, "redial_given_back", before, after, now)
    return lead


async def _work_state(session: AsyncSession, scope: Scope, lead: Lead) -> WorkState:
    """The part of a stored lead that calling changes."""
    return WorkState(
        status=LeadStatus(lead.status),
        result_key=lead.result_key,
        attempts=lead.attempts,
        call_after=lead.call_after,
        redial=redial_of(lead),
        owner=(await owners_of(session, scope, [lead]))[lead.id],
    )


async def _apply(
    session: AsyncSession, scope: Scope, lead: Lead, before: WorkState, state: WorkState, now: datetime
) -> None:
    lead.status, lead.is_open = state.status.value, is_open(state.status)
    lead.result_key, lead.attempts, lead.call_after = state.result_key, state.attempts, state.call_after
    lead.redial_kind = state.redial.kind.value if state.redial else None
    lead.redial_at = state.redial.at if state.redial else None
    lead.redial_user_id = state.redial.user_id if state.redial else None
    if state.owner != before.owner:
        lead.owner_user_id = state.owner.user_id
        lead.owner_teams_id = await owner_teams_id(session, scope, state.owner.team_ids)
    lead.lease_session_id = lead.lease_until = None
    lead.changed_at = now
    lead.version += 1


async def _held_lead(session: AsyncSession, scope: Scope, call_session: CallSession, lead_id: int) -> Lead:
    """The lead, if it is in this session's hands; what it is not and may not be seen is not found."""
    statement = select(Lead).where(held_by(scope, call_session), col(Lead.id) == lead_id)
    lead = (await session.execute(statement.with_for_update(key_share=True))).scalars().one_or_none()
    if lead is not None:
        return lead
    try:
        await visible_or_not_found(session, scope, Lead, lead_id)
    except NotFound:
        raise NotFound(field=("input", "leadId")) from None
    raise Conflict("This session does not hold the lead: take the next one.", field=("input", "leadId"))


async def _result(session: AsyncSession, scope: Scope, lead: Lead, key: str) -> CampaignResult:
    statement = select(CampaignResult).where(
        col(CampaignResult.organisation_id) == scope.organisation_id,
        col(CampaignResult.campaign_id) == lead.campaign_id,
    )
    results = {row.key: row for row in (await session.execute(statement)).scalars()}
    if key not in results:
        known = ", ".join(sorted(results))
        raise BadInput(f"The campaign has no result {key!r}, only: {known}.", field=("input", "resultKey"))
    return results[key]


def _redial_for(scope: Scope, redial: tuple[RedialKind, datetime] | None) -> Redial | None:
    if redial is None:
        return None
    kind, at = redial
    return Redial(kind, at, scope.actor.user_id if kind in PERSONAL else None)


def _redial_record(redial: Redial | None, owner_before: Owner) -> dict[str, Any] | None:
    if redial is None:
        return None
    return {
        "kind": redial.kind.value,
        "at": redial.at.isoformat(),
        "user": redial.user_id,
        "owner_before": owner_record(owner_before),
    }


async def _owner_before_redial(session: AsyncSession, scope: Scope, lead: Lead, owner: Owner) -> Owner:
    """Whose lead it was before its personal redial, as the call that agreed on it says; else its owner.

    Teams that were deleted meanwhile do not come back.
    """
    redial = redial_of(lead)
    if redial is None or redial.kind not in PERSONAL or owner != Owner(user_id=redial.user_id):
        return owner
    statement = (
        select(col(Call.redial))
        .where(
            col(Call.organisation_id) == scope.organisation_id,
            col(Call.lead_id) == lead.id,
            col(Call.redial).is_not(None),
        )
        .order_by(col(Call.at).desc(), col(Call.id).desc())
    )
    agreed = (await session.execute(statement.limit(1))).scalars().first()
    if agreed is None:
        return owner
    before = agreed["owner_before"]
    return Owner(before["user"], await teams_still_there(session, scope, before["teams"]))


async def _segment_of(
    session: AsyncSession, scope: Scope, call_session: CallSession, lead: Lead
) -> int | None:
    """The first of the session's segments that the lead is in."""
    statement = select(col(SegmentMember.segment_id)).where(
        col(SegmentMember.organisation_id) == scope.organisation_id,
        col(SegmentMember.lead_id) == lead.id,
        col(SegmentMember.segment_id).in_(call_session.segment_ids),
        is_member(),
    )
    inside = set((await session.execute(statement)).scalars())
    return next((each for each in call_session.segment_ids if each in inside), None)


async def _log(
    session: AsyncSession,
    scope: Scope,
    lead: Lead,
    action: str,
    before: WorkState,
    after: WorkState,
    now: datetime,
) -> None:
    await change_log.append(
        session,
        scope,
        noun="lead",
        noun_id=lead.id,
        action=action,
        now=now,
        before=_logged(before),
        after=_logged(after),
    )


def _logged(state: WorkState) -> dict[str, Any]:
    return {
        "status": state.status.value,
        "result": state.result_key,
        "attempts": state.attempts,
        "redial": _redial_record(state.redial, state.owner),
        "owner": owner_record(state.owner),
    }
