"""An import straight into a segment: its submission, whose the leads become, and who joins.

The leads come in as with any import; once all are there, all that are to join do so in one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap64
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Permission, Scope
from core.calling import Owner
from core.errors import BadInput
from core.lead_edit import LeadChanges
from core.membership import Cause, Origin
from core.segment_import import Arrivals, Outside, OwnerChoice, SegmentImport, Sorted, sort_out
from core.upload import ImportSettings, settings_from
from db.commands.exclusivity import clear_way, find_way
from db.commands.import_report import Report, insert_reports
from db.commands.lead_edit import update_leads
from db.commands.lead_many import Asked, LeadEdited
from db.commands.lead_upload import SubmittedImport, submit_lead_upload
from db.commands.membership_rows import Mark, change, standing_in
from db.commands.segment import segment_to_edit
from db.commands.segment_member import log_edit, members_to_edit
from db.commands.segment_update import saved_rule
from db.membership_log import Changeset
from db.models import Campaign, ImportRow, Lead, LeadUpload, Segment
from db.packed_ids import packed
from db.queries.lead_pool import import_rows
from db.queries.visible import visible_or_not_found
from db.scope_sql import among, visible_leads

DUPLICATE, OUTSIDE = "duplicate", "outside"
OWNERS_AT_ONCE = 200
REPORTS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class SegmentFilled:
    """What an import did to the members of a segment; each lead of the file is counted once.

    leads = joined + already + held + unfit + hidden

    matched  among `leads`: were there before     moved   among `joined`: left another segment for it
    pinned   among `already`: brought by a rule, and stay from now on
    """

    segment: int
    changeset: int
    leads: int
    matched: int
    joined: int
    moved: int
    already: int
    pinned: int
    held: int
    unfit: int
    hidden: int


async def submit_segment_import(
    session: AsyncSession, scope: Scope, upload_id: int, wanted: SegmentImport, *, now: datetime
) -> SubmittedImport:
    """Asks for the import of an upload into a segment; asking again answers with the same.

    Raises  NotFound, Forbidden; BadInput for another project or a missing owner; Conflict where uploads
            must match and there is no rule; all that the submission of an upload raises
    """
    upload = await visible_or_not_found(session, scope, LeadUpload, upload_id)
    await check_segment_import(session, scope, upload, wanted, now=now)
    return await submit_lead_upload(session, scope, upload_id, into=wanted, now=now)


async def check_segment_import(
    session: AsyncSession, scope: Scope, upload: LeadUpload, wanted: SegmentImport, *, now: datetime
) -> Segment:
    """The segment that an upload can be imported into. Raises what the submission raises."""
    scope.need(Permission.LEAD_IMPORT)
    segment = await segment_to_edit(session, scope, wanted.segment_id)
    campaign = await visible_or_not_found(session, scope, Campaign, upload.campaign_id)
    if campaign.project_id != segment.project_id:
        raise BadInput("The upload is for a campaign of another project.", field=("input", "segmentId"))
    if wanted.owner is OwnerChoice.OVERWRITE:
        scope.need(Permission.LEAD_EDIT)
        if _owner(settings_from(upload.settings or {})) == Owner():
            raise BadInput("The upload's settings name no owner.", field=("input", "owner"))
    if segment.uploads_must_match:
        await saved_rule(session, scope, segment, now)
    return segment


async def overwrite_owners(
    session: AsyncSession, scope: Scope, upload_id: int, pool_id: int, *, after: int, now: datetime
) -> tuple[int, int] | None:
    """Gives the next existing leads that rows match the upload's owner; leads out of sight keep theirs.

    after  line to go on behind
    Returns the last line and how many leads changed; None when there are no more
    """
    rows = await import_rows(session, scope, pool_id, [DUPLICATE], after=after, first=OWNERS_AT_ONCE)
    if not rows:
        return None
    upload = await session.get_one(LeadUpload, (scope.organisation_id, upload_id))
    matched = sorted({row.duplicate_of_lead for row in rows if row.duplicate_of_lead is not None})
    changes = LeadChanges(owner=_owner(settings_from(upload.settings or {})))
    outcomes = await update_leads(session, scope, Asked(matched), changes, now=now)
    changed = sum(isinstance(one, LeadEdited) and one.changed for one in outcomes.values())
    return rows[-1].line, changed


async def fill_segment(
    session: AsyncSession, scope: Scope, pool_id: int, wanted: SegmentImport, *, now: datetime
) -> SegmentFilled:
    """Has the leads of a finished import join, and reports those that do not.

    Raises  NotFound, Forbidden, InvalidRule, ExclusiveConflict for REJECT where any is held
    """
    scope.need(Permission.LEAD_IMPORT)
    segment = await members_to_edit(session, scope, wanted.segment_id, wanted.exclusive)
    arrivals = await _arrivals(session, scope, segment, pool_id, now)
    standing = await standing_in(session, segment, arrivals.all)
    found = sort_out(arrivals, standing)
    way = await find_way(session, scope, segment, found.new, wanted.exclusive)
    joining = found.new - way.held
    counts = {"joined": len(joining), "held": len(way.held), "unfit": len(found.unfit)}
    number = await log_edit(
        session,
        scope,
        segment,
        "leads_imported",
        now,
        {"pool": pool_id, "leads": len(arrivals.all), **counts},
    )
    await clear_way(session, scope, way, to=segment, number=number, cause=Cause.IMPORT, now=now)
    changeset = Changeset(number, Cause.IMPORT, segment.rule_revision, now)
    mark = Mark(Origin.IMPORT, now, scope.actor.user_id)
    await change(session, scope, segment, changeset, standing, [(joining | found.pinned, mark)])
    await _report_outside(session, scope, pool_id, found, way.held)
    return SegmentFilled(
        segment=segment.id,
        changeset=number,
        leads=len(arrivals.all),
        matched=len(arrivals.matched),
        moved=len(way.moved),
        already=len(found.stay),
        pinned=len(found.pinned),
        hidden=len(found.hidden),
        **counts,
    )


def _owner(settings: ImportSettings) -> Owner:
    return Owner(settings.owner_user_id, tuple(sorted(settings.owner_team_ids)))


async def _arrivals(
    session: AsyncSession, scope: Scope, segment: Segment, pool_id: int, now: datetime
) -> Arrivals[BitMap64]:
    own = col(Lead.organisation_id) == scope.organisation_id, col(Lead.project_id) == segment.project_id
    came = await packed(session, select(col(Lead.id)).where(*own, _of_import(pool_id)))
    repeated = select(col(ImportRow.duplicate_of_lead)).where(*_repeats(scope, pool_id))
    there = select(col(Lead.id)).where(*own, col(Lead.id).in_(repeated))
    return await arrivals_of(session, scope, segment, came, await packed(session, there) - came, now)


async def arrivals_of(
    session: AsyncSession, scope: Scope, segment: Segment, came: BitMap64, matched: BitMap64, now: datetime
) -> Arrivals[BitMap64]:
    """Leads that a file made, and leads that were there before, sorted by who may see them and who fits."""
    seen = select(col(Lead.id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        among(col(Lead.id), matched),
        visible_leads(scope),
    )
    visible = await packed(session, seen) if matched else matched
    fit = came | matched
    if segment.uploads_must_match and fit:
        source, rule = await saved_rule(session, scope, segment, now)
        meeting = source.matching(select(col(Lead.id)), rule).where(among(col(Lead.id), fit))
        fit = await packed(session, meeting)
    return Arrivals(came, matched, visible, fit)


async def _report_outside(
    session: AsyncSession, scope: Scope, pool_id: int, found: Sorted[BitMap64], held: BitMap64
) -> None:
    reasons: Mapping[Outside, BitMap64] = {
        Outside.HIDDEN: found.hidden,
        Outside.UNFIT: found.unfit,
        Outside.HELD: held,
    }
    for reason, leads in reasons.items():
        if leads:
            reports = await _reports_of(session, scope, pool_id, leads, reason)
            for start in range(0, len(reports), REPORTS_AT_ONCE):
                await insert_reports(session, scope, pool_id, reports[start : start + REPORTS_AT_ONCE])


async def _reports_of(
    session: AsyncSession, scope: Scope, pool_id: int, leads: BitMap64, reason: Outside
) -> list[Report]:
    """One for each row of the file that stands for one of the leads."""
    own = select(col(Lead.line), col(Lead.id)).where(
        col(Lead.organisation_id) == scope.organisation_id, _of_import(pool_id), among(col(Lead.id), leads)
    )
    repeats = select(col(ImportRow.line), col(ImportRow.duplicate_of_lead)).where(
        *_repeats(scope, pool_id), among(col(ImportRow.duplicate_of_lead), leads)
    )
    rows = [*(await session.execute(own)).all(), *(await session.execute(repeats)).all()]
    return [
        {"line": line, "outcome": OUTSIDE, "reason": reason.value, "duplicate_of_lead": lead}
        for line, lead in sorted(tuple(row) for row in rows)
    ]


def _of_import(pool_id: int) -> ColumnElement[bool]:
    return (col(Lead.pool_id) == pool_id) & col(Lead.line).is_not(None)


def _repeats(scope: Scope, pool_id: int) -> list[ColumnElement[bool]]:
    return [
        col(ImportRow.organisation_id) == scope.organisation_id,
        col(ImportRow.pool_id) == pool_id,
        col(ImportRow.outcome) == DUPLICATE,
    ]
