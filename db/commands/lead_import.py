"""Importing leads: a batch of rows, with its duplicate search, in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.import_accounts import Accounts, DuplicateAction, DuplicateRule, DuplicateScope, Verdict, judge
from core.lead_rows import LeadDraft, RowProblem
from core.statuses import LeadStatus
from db.commands.import_report import insert_reports, problem_report, repeat_report, warning_report
from db.commands.lead import LeadHome, insert_leads
from db.ids import allocate
from db.models import Lead, LeadPool, Project


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


@dataclass(slots=True)
class _Known:
    """A lead that a row may repeat; `place` is its place among the batch's own leads until it has an id."""

    line: int | None
    in_file: bool
    is_open: bool = True
    active: bool = True
    id: int = 0
    place: int | None = None


@dataclass(slots=True)
class _Repeat:
    """A row that repeats a lead, and what is done about it."""

    draft: LeadDraft
    of: _Known
    verdict: Verdict


@dataclass(slots=True)
class _Judged:
    """A batch sorted out: which rows become leads, which repeat one, and which leads are acted on."""

    accepted: list[LeadDraft] = field(default_factory=list)
    repeats: list[_Repeat] = field(default_factory=list)
    acted_on: list[_Known] = field(default_factory=list)


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
    known = await _known_leads(session, scope, target, drafts)
    judged = _judge_all(drafts, known, target.duplicates)
    first = await _insert_accepted(session, scope, target, judged, now)
    await _act_on(session, scope, judged.acted_on, target.duplicates.action, now)
    await _insert_reports(session, scope, target.pool_id, problems, judged)
    discarded = sum(not repeat.verdict.imported for repeat in judged.repeats)
    accounts = Accounts(
        rows=len(rows),
        valid=len(judged.accepted),
        invalid=len(problems),
        duplicates=discarded,
        flagged=len(judged.repeats) - discarded,
        acted_on=len(judged.acted_on),
    )
    await _add_accounts(session, scope, target.pool_id, accounts)
    lead_ids = {draft.line: lead_id for lead_id, draft in enumerate(judged.accepted, first)}
    repeats = {repeat.draft.line: (repeat.of.id, repeat.verdict) for repeat in judged.repeats}
    return StoredBatch(accounts, lead_ids, repeats)


async def _known_leads(
    session: AsyncSession, scope: Scope, target: ImportTarget, drafts: Sequence[LeadDraft]
) -> dict[str, list[_Known]]:
    """The leads that rows of the batch repeat, by duplicate key, oldest first; one statement for all."""
    keys = {draft.duplicate_key for draft in drafts if draft.duplicate_key is not None}
    if not keys:
        return {}
    await _hold_off_other_imports(session, scope, target)
    found = await session.execute(
        select(
            col(Lead.duplicate_key),
            col(Lead.id),
            col(Lead.line),
            col(Lead.is_open),
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
    known: dict[str, list[_Known]] = defaultdict(list)
    for key, lead_id, line, is_open, in_file in sorted(found, key=lambda row: row.id):
        known[str(key)].append(_Known(line if in_file else None, bool(in_file), is_open, id=lead_id))
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


def _judge_all(drafts: Sequence[LeadDraft], known: dict[str, list[_Known]], rule: DuplicateRule) -> _Judged:
    judged = _Judged()
    for draft in drafts:
        if draft.duplicate_key is None:
            judged.accepted.append(draft)
            continue
        repeated = [lead for lead in known.get(draft.duplicate_key, ()) if _still_counts(lead, rule)]
        if repeated:
            _judge_repeat(judged, draft, repeated, rule.action)
            if not judged.repeats[-1].verdict.imported:
                continue
        if rule.within_file:
            place = len(judged.accepted)
            known.setdefault(draft.duplicate_key, []).append(_Known(draft.line, in_file=True, place=place))
        judged.accepted.append(draft)
    return judged


def _still_counts(lead: _Known, rule: DuplicateRule) -> bool:
    """An earlier row of this very batch may have changed the lead."""
    return lead.active and (lead.is_open or lead.in_file or not rule.only_open)


def _judge_repeat(
    judged: _Judged, draft: LeadDraft, repeated: Sequence[_Known], action: DuplicateAction
) -> None:
    open_ones = [lead for lead in repeated if lead.is_open]
    verdict = judge(action, existing_is_open=bool(open_ones))
    named = open_ones[0] if verdict.touches_existing else repeated[0]
    judged.repeats.append(_Repeat(draft, named, verdict))
    if not verdict.touches_existing:
        return
    for lead in open_ones:
        if action is DuplicateAction.DEACTIVATE:
            lead.active = False
        else:
            lead.is_open = False
    judged.acted_on.extend(open_ones)


async def _insert_accepted(
    session: AsyncSession, scope: Scope, target: ImportTarget, judged: _Judged, now: datetime
) -> int:
    """The id of the first new lead; those of the others follow it."""
    if not judged.accepted:
        return 0
    first = await allocate(session, scope.organisation_id, "lead", len(judged.accepted))
    for lead in (*judged.acted_on, *(repeat.of for repeat in judged.repeats)):
        if lead.place is not None:
            lead.id = first + lead.place
    await insert_leads(session, scope, target, judged.accepted, first_id=first, now=now)
    return first


async def _act_on(
    session: AsyncSession, scope: Scope, leads: Sequence[_Known], action: DuplicateAction, now: datetime
) -> None:
    if not leads:
        return
    values: dict[str, Any] = (
        {"active": False}
        if action is DuplicateAction.DEACTIVATE
        else {"status": LeadStatus.REMOVED.value, "is_open": False}
    )
    ids = [lead.id for lead in leads]
    changed = (
        update(Lead)
        .where(col(Lead.organisation_id) == scope.organisation_id, col(Lead.id).in_(ids))
        .values(changed_at=now, version=col(Lead.version) + 1, **values)
        .execution_options(synchronize_session=False)
    )
    await session.execute(changed)


async def _insert_reports(
    session: AsyncSession, scope: Scope, pool_id: int, problems: Sequence[RowProblem], judged: _Judged
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
