"""Importing leads: a batch of rows, with its duplicate search, in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import Conflict
from core.import_accounts import Accounts, DuplicateAction, DuplicateRule, DuplicateScope, Verdict
from core.import_judgement import Effect, Judgement, KnownLead, judge_batch
from core.lead_rows import LeadDraft, RowProblem
from core.statuses import LeadStatus
from db import change_log
from db.bulk import bulk_insert
from db.commands.import_report import insert_reports, problem_report, repeat_report, warning_report
from db.commands.lead import LeadHome, insert_leads
from db.ids import allocate
from db.lead_changes import note_changed
from db.lead_counts import counting
from db.models import Campaign, ImportEffect, Lead, LeadPool, Project


@dataclass(frozen=True, slots=True)
class ImportTarget(LeadHome):
    """Where the leads of an import go, and how duplicates are treated.

    after_line  what the pool holds up to this line came before: other leads, not earlier rows of this file
    """

    duplicates: DuplicateRule = DuplicateRule()
    after_line: int = 0


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """What became of a batch.

    lead_ids    the new leads, by line      repeats  what rows that repeat a lead repeat, and why, by line
    """

    accounts: Accounts
    lead_ids: dict[int, int]
    repeats: dict[int, tuple[int, Verdict]]


async def check_still_open(session: AsyncSession, scope: Scope, target: ImportTarget) -> None:
    """Raises Conflict once the campaign or its project takes no leads any more: what is in stays."""
    archived = (
        select(col(Campaign.archived_at), col(Project.archived_at))
        .join(
            Project,
            and_(
                col(Project.organisation_id) == scope.organisation_id,
                col(Project.id) == col(Campaign.project_id),
            ),
        )
        .where(col(Campaign.organisation_id) == scope.organisation_id, col(Campaign.id) == target.campaign_id)
    )
    if any((await session.execute(archived)).one()):
        raise Conflict("The campaign was archived while its leads were coming in: those that are in stay.")


async def import_batch(
    session: AsyncSession,
    scope: Scope,
    target: ImportTarget,
    rows: Sequence[LeadDraft | RowProblem],
    *,
    now: datetime,
) -> Accounts:
    """Stores rows of a file as leads of a pool, or as reports of what they are, and keeps its accounts."""
    return (await store_batch(session, scope, target, rows, now=now)).accounts


async def store_batch(
    session: AsyncSession,
    scope: Scope,
    target: ImportTarget,
    rows: Sequence[LeadDraft | RowProblem],
    *,
    now: datetime,
) -> StoredBatch:
    """The same, for who wants to know of each row."""
    drafts = [row for row in rows if isinstance(row, LeadDraft)]
    problems = [row for row in rows if isinstance(row, RowProblem)]
    await _hold_off_other_imports(session, scope, target)
    acts = target.duplicates.action in (DuplicateAction.DEACTIVATE, DuplicateAction.REMOVE)
    known = await known_leads(session, scope, target, drafts, lock=acts)
    judged = judge_batch(drafts, known, target.duplicates)
    first = await _insert_accepted(session, scope, target, judged, now)
    await _act_on(session, scope, target, judged.effects, now)
    await _insert_reports(session, scope, target.pool_id, problems, judged)
    accounts = judged.accounts(len(problems))
    await _add_accounts(session, scope, target.pool_id, accounts)
    lead_ids = {draft.line: lead_id for lead_id, draft in enumerate(judged.accepted, first)}
    repeats = {repeat.draft.line: (repeat.of.id, repeat.verdict) for repeat in judged.repeats}
    return StoredBatch(accounts, lead_ids, repeats)


async def known_leads(
    session: AsyncSession,
    scope: Scope,
    target: ImportTarget,
    drafts: Sequence[LeadDraft],
    *,
    lock: bool = False,
) -> dict[str, list[KnownLead]]:
    """The leads that rows of the batch repeat, by duplicate key, oldest first; one statement for all.

    lock  as they are about to be judged and changed: whoever is recording a call of one is waited for
    """
    keys = {draft.duplicate_key for draft in drafts if draft.duplicate_key is not None}
    if not keys:
        return {}
    repeated = (
        select(
            col(Lead.duplicate_key),
            col(Lead.id),
            col(Lead.created_at),
            col(Lead.line),
            col(Lead.is_open),
            col(Lead.status),
            _of_file(target, col(Lead.pool_id)),
        )
        .join(
            LeadPool,
            and_(
                col(LeadPool.organisation_id) == scope.organisation_id,
                col(LeadPool.id) == col(Lead.pool_id) + 0,
            ),
        )
        .where(
            col(Lead.organisation_id) == scope.organisation_id,
            col(Lead.duplicate_key).in_(keys),
            col(Lead.active),
            or_(*_searched(target)),
        )
    )
    if lock:
        repeated = repeated.order_by(col(Lead.id) + 0).with_for_update(key_share=True, of=Lead)
    found = await session.execute(repeated)
    known: dict[str, list[KnownLead]] = defaultdict(list)
    # Not by number alone: processes take their numbers in blocks.
    for key, lead_id, _, line, is_open, status, in_file in sorted(
        found, key=lambda row: (row.created_at, row.id)
    ):
        place = line if in_file else None
        known[str(key)].append(KnownLead(place, bool(in_file), is_open, status=status, id=lead_id))
    return known


def _searched(target: ImportTarget) -> list[ColumnElement[bool]]:
    """Which leads count: earlier rows of the file, and leads within the chosen scope."""
    # Adding nothing keeps both engines from walking the index of the pool or campaign instead of the keys'.
    rule, pool_id = target.duplicates, col(Lead.pool_id) + 0
    own = _of_file(target, pool_id)
    searched: list[ColumnElement[bool]] = [own if rule.within_file else false()]
    if rule.scope is DuplicateScope.NONE:
        return searched
    others: list[ColumnElement[bool]] = [~own]
    if rule.scope is DuplicateScope.CAMPAIGN:
        others.append(col(Lead.campaign_id) + 0 == target.campaign_id)
    if rule.scope is DuplicateScope.PROJECT:
        others.append(col(Lead.project_id) + 0 == target.project_id)
    if rule.only_open:
        others.append(col(Lead.is_open).is_(True))
    if not rule.include_inactive_pools:
        others.append(col(LeadPool.active).is_(True))
    return [*searched, and_(*others)]


def _of_file(target: ImportTarget, pool_id: Any) -> ColumnElement[bool]:
    in_pool: ColumnElement[bool] = pool_id == target.pool_id
    if not target.after_line:
        return in_pool
    return and_(in_pool, func.coalesce(col(Lead.line), 0) > target.after_line)


async def _hold_off_other_imports(session: AsyncSession, scope: Scope, target: ImportTarget) -> None:
    """Lets no other import look for duplicates in the same leads until this batch is stored.

    Without it two imports at once would miss what each is about to add. SQLite has one writer anyway.
    """
    rule = target.duplicates.scope
    if rule is DuplicateScope.NONE or session.get_bind().dialect.name == "sqlite":
        return
    of_project = [] if rule is DuplicateScope.ALL else [col(Project.id) == target.project_id]
    await session.execute(
        select(col(Project.id))
        .where(col(Project.organisation_id) == scope.organisation_id, *of_project)
        .order_by(col(Project.id))
        .with_for_update(key_share=True)
    )


async def _insert_accepted(
    session: AsyncSession, scope: Scope, target: ImportTarget, judged: Judgement, now: datetime
) -> int:
    """The id of the first new lead; those of the others follow it."""
    if not judged.accepted:
        return 0
    first = await allocate(session, scope.organisation_id, "lead", len(judged.accepted))
    for lead in (*(effect.on for effect in judged.effects), *(repeat.of for repeat in judged.repeats)):
        if lead.place is not None:
            lead.id = first + lead.place
    await insert_leads(session, scope, target, judged.accepted, first_id=first, now=now)
    return first


async def _act_on(
    session: AsyncSession, scope: Scope, target: ImportTarget, effects: Sequence[Effect], now: datetime
) -> None:
    """Changes the existing leads, and keeps what each was before: in its history, and for an undo."""
    if not effects:
        return
    removes = target.duplicates.action is DuplicateAction.REMOVE
    values: dict[str, Any] = (
        {"status": LeadStatus.REMOVED.value, "is_open": False} if removes else {"active": False}
    )
    by_id = {effect.on.id: effect for effect in effects}
    changed = (
        update(Lead)
        .where(col(Lead.organisation_id) == scope.organisation_id, col(Lead.id).in_(by_id))
        .values(changed_at=now, version=col(Lead.version) + 1, **values)
        .returning(col(Lead.id), col(Lead.version))
        .execution_options(synchronize_session=False)
    )
    async with counting(session, scope.organisation_id, list(by_id)):
        versions = [(lead_id, version) for lead_id, version in await session.execute(changed)]
    note_changed(session, scope.organisation_id, list(by_id), now)
    rows = [[lead, by_id[lead].draft.line, by_id[lead].on.status, version] for lead, version in versions]
    alike = {
        "organisation_id": scope.organisation_id,
        "pool_id": target.pool_id,
        "action": target.duplicates.action.value,
    }
    await bulk_insert(
        session, ImportEffect, ["lead_id", "line", "status_before", "version"], rows, alike=alike
    )
    edits = [_edit_of(by_id[lead_id], target) for lead_id, _ in versions]
    await change_log.append_all(session, scope, edits, now=now)


def _edit_of(effect: Effect, target: ImportTarget) -> change_log.Edit:
    after: dict[str, Any] = {"pool": target.pool_id, "line": effect.draft.line}
    if target.duplicates.action is DuplicateAction.REMOVE:
        before, after = {"status": effect.on.status}, {"status": LeadStatus.REMOVED.value, **after}
        return change_log.Edit("lead", effect.on.id, "removed_as_duplicate", before, after)
    return change_log.Edit(
        "lead", effect.on.id, "deactivated_as_duplicate", {"active": True}, {"active": False, **after}
    )


async def _insert_reports(
    session: AsyncSession, scope: Scope, pool_id: int, problems: Sequence[RowProblem], judged: Judgement
) -> None:
    reports = [
        *(problem_report(problem) for problem in problems),
        *(
            repeat_report(repeat.draft, repeat.verdict, repeat.of.id, repeat.of.line)
            for repeat in judged.repeats
        ),
        *(warning_report(draft) for draft in judged.accepted if draft.warnings),
    ]
    await insert_reports(session, scope, pool_id, reports)


async def _add_accounts(session: AsyncSession, scope: Scope, pool_id: int, accounts: Accounts) -> None:
    added = (
        update(LeadPool)
        .where(col(LeadPool.organisation_id) == scope.organisation_id, col(LeadPool.id) == pool_id)
        .values(
            rows=col(LeadPool.rows) + accounts.rows,
            valid=col(LeadPool.valid) + accounts.valid,
            invalid=col(LeadPool.invalid) + accounts.invalid,
            duplicates=col(LeadPool.duplicates) + accounts.duplicates,
            flagged=col(LeadPool.flagged) + accounts.flagged,
            acted_on=col(LeadPool.acted_on) + accounts.acted_on,
        )
        .execution_options(synchronize_session=False)
    )
    await session.execute(added)
