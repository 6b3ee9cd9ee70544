"""Calling: sessions, the next lead, results, and which segments may be called."""

from datetime import timedelta

from db.commands import call_session as sessions
from db.commands import calling as commands
from db.queries import calling as queries
from gql.context import Context, Info
from gql.schema import ids
from gql.schema.calling import (
    CallableSegment,
    CallSession,
    CallSessionPayload,
    EndCallSessionInput,
    RecordCallInput,
    RecordCallPayload,
    ReleaseLeadInput,
    ReleaseLeadPayload,
    StartCallSessionInput,
    TakeNextLeadInput,
    TakeNextLeadPayload,
)
from gql.schema.lead import Lead


async def list_callable_segments(info: Info) -> list[CallableSegment]:
    context = info.context
    async with context.database.reading() as session:
        standings = await queries.callable_segments(session, context.scope, context.now)
    return [CallableSegment.from_core(standing) for standing in standings]


async def start_call_session(info: Info, input: StartCallSessionInput) -> CallSessionPayload:
    context = info.context
    segments = ids.locals_of("Segment", input.segment_ids, context.scope, ["input", "segmentIds"])
    campaigns = ids.locals_of("Campaign", input.campaign_ids, context.scope, ["input", "campaignIds"])
    async with context.writing() as (session, scope):
        row = await sessions.start_call_session(
            session, scope, segment_ids=segments, campaign_ids=campaigns, now=context.now
        )
    return CallSessionPayload(call_session=CallSession.from_row(row))


async def take_next_lead(info: Info, input: TakeNextLeadInput) -> TakeNextLeadPayload:
    context = info.context
    session_id = _session(context, input.session_id)
    lease = timedelta(seconds=context.settings.lease_seconds)
    async with context.writing() as (session, scope):
        outcome = await commands.take_next(session, scope, session_id, lease=lease, now=context.now)
    return TakeNextLeadPayload.from_core(outcome)


async def record_call(info: Info, input: RecordCallInput) -> RecordCallPayload:
    context, redial = info.context, input.redial
    session_id, lead_id = _session(context, input.session_id), _lead(context, input.lead_id)
    async with context.writing() as (session, scope):
        recorded = await commands.record_call(
            session,
            scope,
            session_id,
            lead_id,
            result_key=input.result_key,
            note=input.note,
            redial=None if redial is None else (redial.kind, redial.at),
            now=context.now,
        )
    return RecordCallPayload.from_core(recorded)


async def release_lead(info: Info, input: ReleaseLeadInput) -> ReleaseLeadPayload:
    context = info.context
    session_id, lead_id = _session(context, input.session_id), _lead(context, input.lead_id)
    async with context.writing() as (session, scope):
        row = await commands.release_lead(session, scope, session_id, lead_id, now=context.now)
    return ReleaseLeadPayload(lead=Lead.from_row(row))


async def end_call_session(info: Info, input: EndCallSessionInput) -> CallSessionPayload:
    context = info.context
    session_id = _session(context, input.session_id)
    async with context.writing() as (session, scope):
        row = await sessions.end_call_session(session, scope, session_id, now=context.now)
    return CallSessionPayload(call_session=CallSession.from_row(row))


def _session(context: Context, given: str) -> int:
    return ids.local("CallSession", given, context.scope, ["input", "sessionId"])


def _lead(context: Context, given: str) -> int:
    return ids.local("Lead", given, context.scope, ["input", "leadId"])
