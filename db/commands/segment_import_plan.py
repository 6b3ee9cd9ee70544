"""Planning an import straight into a segment, and submitting it by the plan if nothing moved since.

Its rows are judged without writing anything (`db.commands.import_plan`): new leads are counted, and of those
that rows match it is found out who would join.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from pyroaring import BitMap64
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Scope
from core.errors import Conflict
from core.import_accounts import Accounts
from core.lead_rows import LeadDraft
from core.plan import PlanKind
from core.rules import matches
from core.segment_import import SegmentImport, held_of_row, sort_out
from core.upload import settings_from
from db.commands.exclusivity import find_way
from db.commands.lead_upload import SubmittedImport, check_submittable
from db.commands.membership_rows import pack, standing_in
from db.commands.plan import MOVED_SINCE, PATH, Outcome, claim_plan, log_applied, states_of
from db.commands.segment_import import arrivals_of, check_segment_import, submit_segment_import
from db.commands.segment_member import members_to_edit
from db.commands.segment_update import saved_rule
from db.models import LeadUpload, Plan

Fits = Callable[[LeadDraft], bool]


@dataclass(frozen=True, slots=True)
class ImportIntoSegment:
    """The import of an upload into a segment, as a plan keeps it."""

    upload_id: int
    wanted: SegmentImport
    kind = PlanKind.IMPORT

    @property
    def segment_ids(self) -> tuple[int, ...]:
        return (self.wanted.segment_id,)

    def record(self) -> dict[str, Any]:
        return {"upload": self.upload_id, "segment": self.wanted.record()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(record["upload"], SegmentImport.from_record(record["segment"]))


@dataclass(slots=True)
class PlannedRows:
    """What the rows of a file come to.

    upload   version of the upload
    fitting  rows that would become leads and join     unfit  rows that would become leads and not join
    matched  leads that are there and that rows match
    """

    upload: int
    accounts: Accounts = field(default_factory=Accounts)
    fitting: int = 0
    unfit: int = 0
    matched: BitMap64 = field(default_factory=BitMap64)


async def fitting_rows(
    session: AsyncSession, scope: Scope, planned: ImportIntoSegment, now: datetime
) -> tuple[LeadUpload, Fits]:
    """The upload, and which of its rows would become leads that may join.

    Raises  what the submission raises; Conflict where the segment's filter picks some of those that match
    """
    upload = await check_submittable(session, scope, planned.upload_id)
    segment = await check_segment_import(session, scope, upload, planned.wanted, now=now)
    if not segment.uploads_must_match:
        return upload, lambda draft: True
    if (segment.filter or {}).get("pick"):
        raise Conflict(
            "Which rows a filter picks is known once they are leads.", field=("input", "segmentId")
        )
    _, rule = await saved_rule(session, scope, segment, now)
    settings, campaign_id = settings_from(upload.settings or {}), upload.campaign_id
    return upload, lambda draft: matches(rule, held_of_row(draft, campaign_id, settings, now))


async def outcome_of_rows(
    session: AsyncSession, scope: Scope, planned: ImportIntoSegment, rows: PlannedRows, now: datetime
) -> Outcome:
    """What the import would do to segments; the session's work must be undone. Raises ExclusiveConflict."""
    wanted = planned.wanted
    segment = await members_to_edit(session, scope, wanted.segment_id, wanted.exclusive)
    states = await states_of(session, scope, planned.segment_ids)
    arrivals = await arrivals_of(session, scope, segment, BitMap64(), rows.matched, now)
    found = sort_out(arrivals, await standing_in(session, segment, arrivals.all))
    way = await find_way(session, scope, segment, found.new, wanted.exclusive)
    joining = found.new - way.held
    counts = {
        "joined": len(joining) + rows.fitting,
        "left": 0,
        "moved": len(way.moved),
        "kept": 0,
        "barred": len(found.hidden) + len(found.unfit) + rows.unfit,
        "held": len(way.held),
        "pinned": len(found.pinned),
    }
    segments: list[dict[str, Any]] = [
        {"segment": one, "joined": pack(BitMap64()), "left": pack(leads), "counts": None}
        for one, leads in way.taken.items()
    ]
    own = {"segment": segment.id, "joined": pack(joining), "left": pack(BitMap64()), "counts": counts}
    segments.append({**own, "rows": asdict(rows.accounts), "upload": rows.upload})
    return Outcome(states, sorted(segments, key=_number))


async def import_by_plan(
    session: AsyncSession, scope: Scope, plan_id: int, outcome: Outcome, now: datetime
) -> tuple[Plan, SubmittedImport]:
    """Asks for the import that was planned, once.

    outcome  what it would do as things stand
    Raises   NotFound, Conflict as any plan; and what the submission raises
    """
    plan = await claim_plan(session, scope, plan_id, now)
    planned = ImportIntoSegment.from_record(plan.input)
    states = await states_of(session, scope, planned.segment_ids)
    if (states, outcome.digest) != (plan.states, plan.digest):
        raise Conflict(MOVED_SINCE, field=PATH)
    done = await submit_segment_import(session, scope, planned.upload_id, planned.wanted, now=now)
    await log_applied(session, scope, plan, {planned.wanted.segment_id: done.changeset}, now)
    return plan, done


def _number(record: Mapping[str, Any]) -> int:
    return int(record["segment"])
