"""Importing leads: a batch of rows, with its duplicate search, in one transaction."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.import_accounts import Accounts, DuplicateAction, DuplicateRule, DuplicateScope, Verdict, judge
from core.lead_rows import LeadDraft, RowProblem
from core.statuses import LeadStatus
from db.ids import allocate
from db.models import ImportRow, Lead, LeadPool, LeadSlots, Project

MAX_REPORTED_CELL = 1_000


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """Where the leads of an import go, and by which rules.

    slots  set number and slot of each field, by its key
    """

    project_id: int
    campaign_id: int
    pool_id: int
    duplicates: DuplicateRule
    slots: Mapping[str, tuple[int, str]]
    priority: int = 0
    owner_user_id: int | None = None
    owner_team_id: int | None = None


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
    drafts = [row for row in rows if isinstance(row, LeadDraft)]
    problems = [row for row in rows if isinstance(row, RowProblem)]
    known = await _known_leads(session, scope, target, drafts)
    judged = _judge_all(drafts, known, target.duplicates)
    await _insert_leads(session, scope, target, judged, now)
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
    return accounts


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
            col(Lead.pool_id) == target.pool_id,
        )
        .join(
            LeadPool,
            and_(
                col(LeadPool.organisation_id) == scope.organisation_id,
                col(LeadPool.id) == col(Lead.pool_id),
            ),
        )
        .where(
            col(Lead.organisation_id) == scope.organisation_id,
            col(Lead.duplicate_key).in_(keys),
            col(Lead.active),
            or_(*_searched(target)),
        )
        .order_by(col(Lead.id))
    )
    known: dict[str, list[_Known]] = defaultdict(list)
    for key, lead_id, line, is_open, in_file in found:
        known[str(key)].append(_Known(line if in_file else None, bool(in_file), is_open, id=lead_id))
    return known


def _searched(target: ImportTarget) -> list[ColumnElement[bool]]:
    """Which leads count: earlier rows of the file, and leads within the chosen scope."""
    rule, own = target.duplicates, col(Lead.pool_id) == target.pool_id
    searched: list[ColumnElement[bool]] = [own if rule.within_file else false()]
    if rule.scope is DuplicateScope.NONE:
        return searched
    others: list[ColumnElement[bool]] = [col(Lead.pool_id) != target.pool_id]
    if rule.scope is DuplicateScope.CAMPAIGN:
        others.append(col(Lead.campaign_id) == target.campaign_id)
    if rule.scope is DuplicateScope.PROJECT:
        others.append(col(Lead.project_id) == target.project_id)
    if rule.only_open:
        others.append(col(Lead.is_open).is_(True))
    if not rule.include_inactive_pools:
        others.append(col(LeadPool.active).is_(True))
    return [*searched, and_(*others)]


async def _hold_off_other_imports(session: AsyncSession, scope: Scope, target: ImportTarget) -> None:
    """Lets no other import look for duplicates in the same leads until this batch is stored.

    Without it two imports at once would each miss what the other is about to add.
    """
    rule = target.duplicates.scope
    if rule is DuplicateScope.NONE:
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


async def _insert_leads(
    session: AsyncSession, scope: Scope, target: ImportTarget, judged: _Judged, now: datetime
) -> None:
    if not judged.accepted:
        return
    first = await allocate(session, scope.organisation_id, "lead", len(judged.accepted))
    for lead in (*judged.acted_on, *(repeat.of for repeat in judged.repeats)):
        if lead.place is not None:
            lead.id = first + lead.place
    shared = {
        "organisation_id": scope.organisation_id,
        "project_id": target.project_id,
        "campaign_id": target.campaign_id,
        "pool_id": target.pool_id,
        "priority": target.priority,
        "owner_user_id": target.owner_user_id,
        "owner_team_id": target.owner_team_id,
        "status": LeadStatus.NEW.value,
        "is_open": True,
        "active": True,
        "attempts": 0,
        "processed": False,
        "created_at": now,
        "changed_at": now,
        "version": 1,
    }
    own_slots = {name: None for set_number, name in target.slots.values() if set_number == 0}
    leads, further = [], []
    for lead_id, draft in enumerate(judged.accepted, start=first):
        row = {**shared, **own_slots, **_lead_values(lead_id, draft)}
        for set_number, values in _slot_values(draft, target.slots).items():
            if set_number == 0:
                row.update(values)
            else:
                key = {
                    "organisation_id": scope.organisation_id,
                    "lead_id": lead_id,
                    "set_number": set_number,
                }
                further.append((set_number, key, values))
        leads.append(row)
    connection = await session.connection()
    await connection.execute(insert(Lead), leads)
    for rows in _further_rows(further, target.slots):
        await connection.execute(insert(LeadSlots), rows)


def _lead_values(lead_id: int, draft: LeadDraft) -> dict[str, Any]:
    return {
        "id": lead_id,
        "position": draft.line,
        "line": draft.line,
        "phone": draft.phone,
        "phone_raw": draft.phone_raw,
        "duplicate_key": draft.duplicate_key,
        "field_values": draft.values,
    }


def _slot_values(draft: LeadDraft, slots: Mapping[str, tuple[int, str]]) -> dict[int, dict[str, Any]]:
    by_set: dict[int, dict[str, Any]] = {}
    for key, value in draft.search.items():
        set_number, slot = slots[key]
        by_set.setdefault(set_number, {})[slot] = value
    return by_set


def _further_rows(
    further: Iterable[tuple[int, dict[str, Any], dict[str, Any]]], slots: Mapping[str, tuple[int, str]]
) -> Iterable[list[dict[str, Any]]]:
    """Rows of the further slot sets, one list a set: the rows of a statement must have the same columns."""
    names: dict[int, dict[str, None]] = {}
    for set_number, slot in slots.values():
        names.setdefault(set_number, {})[slot] = None
    by_set: dict[int, list[dict[str, Any]]] = {}
    for set_number, key, values in further:
        by_set.setdefault(set_number, []).append({**names[set_number], **key, **values})
    return by_set.values()


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
    changed = (
        update(Lead)
        .where(
            col(Lead.organisation_id) == scope.organisation_id, col(Lead.id).in_([lead.id for lead in leads])
        )
        .values(changed_at=now, version=col(Lead.version) + 1, **values)
        .execution_options(synchronize_session=False)
    )
    await session.execute(changed)


async def _insert_reports(
    session: AsyncSession, scope: Scope, pool_id: int, problems: Sequence[RowProblem], judged: _Judged
) -> None:
    reports = [
        *(_problem_report(problem) for problem in problems),
        *(_repeat_report(repeat) for repeat in judged.repeats),
        *(_warning_report(draft) for draft in judged.accepted if draft.warnings),
    ]
    if not reports:
        return
    first = await allocate(session, scope.organisation_id, "import_row", len(reports))
    rows = [
        {**report, "organisation_id": scope.organisation_id, "id": report_id, "pool_id": pool_id}
        for report_id, report in enumerate(reports, start=first)
    ]
    await (await session.connection()).execute(insert(ImportRow), rows)


def _report(line: int, outcome: str, reason: str, **values: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("column", "value", "action", "cells", "duplicate_of_lead", "duplicate_of_line"))
    return {**empty, "line": line, "outcome": outcome, "reason": reason, **values}


def _problem_report(problem: RowProblem) -> dict[str, Any]:
    return _report(
        problem.line,
        "invalid",
        problem.reason,
        column=problem.column,
        value=problem.value and problem.value[:MAX_REPORTED_CELL],
        cells=_short(problem.cells),
    )


def _short(cells: Sequence[str]) -> list[str]:
    return [cell[:MAX_REPORTED_CELL] for cell in cells]


def _repeat_report(repeat: _Repeat) -> dict[str, Any]:
    of = f"line {repeat.of.line} of this file" if repeat.of.in_file else "an existing lead"
    return _report(
        repeat.draft.line,
        "flagged" if repeat.verdict.imported else "duplicate",
        f"repeats {of}",
        value=repeat.draft.phone_raw,
        action=repeat.verdict.note,
        cells=None if repeat.verdict.imported else _short(repeat.draft.cells),
        duplicate_of_lead=repeat.of.id,
        duplicate_of_line=repeat.of.line,
    )


def _warning_report(draft: LeadDraft) -> dict[str, Any]:
    first = draft.warnings[0]
    reason = "; ".join(f"{warning.column} {warning.reason}" for warning in draft.warnings)
    return _report(
        draft.line,
        "warned",
        f"kept as it is, empty for rules: {reason}",
        column=first.column,
        value=first.value[:MAX_REPORTED_CELL],
    )


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
