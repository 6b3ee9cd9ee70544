"""Importing leads: a batch of rows, with its duplicate search, in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import Conflict
from core.import_accounts import Accounts, DuplicateAction, DuplicateRule, DuplicateScope, Verdict
from core.import_judgement import Effect, Judgement, KnownLead, judge_batch
from core.lead_rows import LeadDraft, RowProblem
from core.statuses import LeadStatus
from db import change_log
from db.bulk import bulk_insert, table_of
from db.commands.import_report import insert_reports, problem_report, repeat_report, warning_report
from db.commands.lead import LeadHome, insert_leads
from db.ids import allocate
from db.lead_changes import note_changed
from db.lead_counts import counting
from db.models import Campaign, ImportEffect, Lead, LeadPool, Project
from db.packed_ids import TextList
from db.scope_sql import named


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


TENANT: BindParameter[Any] = bindparam("tenant")
ARCHIVED = (
    select(table_of(Campaign).c.archived_at, table_of(Project).c.archived_at)
    .join_from(
        table_of(Campaign),
        table_of(Project),
        and_(
            table_of(Project).c.organisation_id == TENANT,
            table_of(Project).c.id == table_of(Campaign).c.project_id,
        ),
    )
    .where(table_of(Campaign).c.organisation_id == TENANT, table_of(Campaign).c.id == bindparam("campaign"))
)
"""Statements of every batch are built once: that takes longer than running them."""


ADD_ACCOUNTS = (
    update(table_of(LeadPool))
    .where(table_of(LeadPool).c.organisation_id == TENANT, table_of(LeadPool).c.id == bindparam("pool"))
    .values(
        {
            each.name: table_of(LeadPool).c[each.name] + bindparam(f"added_{each.name}")
            for each in fields(Accounts)
        }
    )
)


async def check_still_open(session: AsyncSession, scope: Scope, target: ImportTarget) -> None:
    """Raises Conflict once the campaign or its project takes no leads any more: what is in stays."""
    binds = {"tenant": scope.organisation_id, "campaign": target.campaign_id}
    if any((await session.execute(ARCHIVED, binds)).one()):
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
    binds = {
        "tenant": scope.organisation_id,
        "keys": sorted(keys),
        "pool": target.pool_id,
        "campaign": target.campaign_id,
        "project": target.project_id,
        "after_line": target.after_line or -1,
    }
    found = await session.execute(_repeated(target.duplicates, lock), binds)
    known: dict[str, list[KnownLead]] = defaultdict(list)
    # Not by number alone: processes take their numbers in blocks.
    for key, lead_id, _, line, is_open, status, in_file in sorted(
        found, key=lambda row: (row.created_at, row.id)
    ):
        place = line if in_file else None
        known[str(key)].append(KnownLead(place, bool(in_file), is_open, status=status, id=lead_id))
    return known


@cache
def _repeated(rule: DuplicateRule, lock: bool) -> Select[Any]:
    """The leads with one of the keys that count as duplicates by the rule."""
    # Leads that came by hand have no line: they are of the file unless what the pool held is known.
    own = and_(
        col(Lead.pool_id) + 0 == bindparam("pool"),
        func.coalesce(col(Lead.line), 0) > bindparam("after_line"),
    )
    lead: list[Any] = [Lead.duplicate_key, Lead.id, Lead.created_at, Lead.line, Lead.is_open, Lead.status]
    repeated = (
        select(*lead, own)
        .join(
            LeadPool,
            and_(col(LeadPool.organisation_id) == TENANT, col(LeadPool.id) == col(Lead.pool_id) + 0),
        )
        .where(
            col(Lead.organisation_id) == TENANT,
            named(col(Lead.duplicate_key), bindparam("keys", type_=TextList())),
            col(Lead.active),
            or_(*_searched(rule, own)),
        )
    )
    if not lock:
        return repeated
    return repeated.order_by(col(Lead.id) + 0).with_for_update(key_share=True, of=Lead)


def _searched(rule: DuplicateRule, own: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """Which leads count: earlier rows of the file, and leads within the chosen scope."""
    # Adding nothing keeps both engines from walking the index of the pool or campaign instead of the keys'.
    searched: list[ColumnElement[bool]] = [own if rule.within_file else false()]
    if rule.scope is DuplicateScope.NONE:
        return searched
    others: list[ColumnElement[bool]] = [~own]
    if rule.scope is DuplicateScope.CAMPAIGN:
        others.append(col(Lead.campaign_id) + 0 == bindparam("campaign"))
    if rule.scope is DuplicateScope.PROJECT:
        others.append(col(Lead.project_id) + 0 == bindparam("project"))
    if rule.only_open:
        others.append(col(Lead.is_open).is_(True))
    if not rule.include_inactive_pools:
        others.append(col(LeadPool.active).is_(True))
    return [*searched, and_(*others)]


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
    added = {f"added_{name}": count for name, count in asdict(accounts).items()}
    await session.execute(ADD_ACCOUNTS, {"tenant": scope.organisation_id, "pool": pool_id, **added})
