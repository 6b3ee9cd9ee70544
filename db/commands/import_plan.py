"""What an import would do, found out without writing anything.

What the rows before would have done is kept beside the database, in a temporary file: a plan of a file of any
size takes no memory to speak of.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Scope
from core.import_accounts import Accounts
from core.import_judgement import KnownLead, judge_batch
from core.lead_rows import LeadDraft, RowProblem
from db.commands.import_report import Report, problem_report, repeat_report, warning_report
from db.commands.lead_import import ImportTarget, known_leads

KEYS_AT_ONCE = 500
TABLES = """
CREATE TABLE own (key TEXT, line INTEGER, is_open INTEGER, active INTEGER, PRIMARY KEY (key, line));
CREATE TABLE changed (id INTEGER PRIMARY KEY, is_open INTEGER, active INTEGER);
"""

Known = dict[str, list[KnownLead]]


class PlannedLeads:
    """The leads that a planned import would have made and changed so far."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript(TABLES)

    def recall(self, known: Known, keys: Sequence[str]) -> None:
        """Brings what the database knows in line with what the rows before would have done."""
        by_id = {lead.id: lead for leads in known.values() for lead in leads}
        for lead_id, is_open, active in self._found("changed", "id", "id, is_open, active", list(by_id)):
            by_id[lead_id].is_open, by_id[lead_id].active = bool(is_open), bool(active)
        for key, line, is_open, active in self._found("own", "key", "key, line, is_open, active", keys):
            own = KnownLead(line, in_file=True, is_open=bool(is_open), active=bool(active))
            known.setdefault(key, []).append(own)

    def remember(self, known: Known) -> None:
        """Keeps what has become of the leads, the new ones among them."""
        own, changed = [], []
        for key, leads in known.items():
            for lead in leads:
                if lead.in_file:
                    own.append((key, lead.line, lead.is_open, lead.active))
                else:
                    changed.append((lead.id, lead.is_open, lead.active))
        self._connection.executemany("INSERT OR REPLACE INTO own VALUES (?, ?, ?, ?)", own)
        self._connection.executemany("INSERT OR REPLACE INTO changed VALUES (?, ?, ?)", changed)

    def _found(self, table: str, key: str, columns: str, keys: Sequence[object]) -> Iterator[Any]:
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[start : start + KEYS_AT_ONCE]
            marks = ", ".join("?" * len(some))
            yield from self._connection.execute(
                f"SELECT {columns} FROM {table} WHERE {key} IN ({marks}) ORDER BY {columns}", some
            )


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """What would become of some rows.

    reports  what would be reported of them, by line     accepted  the rows that would become leads
    matched  leads from elsewhere that rows repeat
    """

    accounts: Accounts
    reports: list[Report]
    accepted: Sequence[LeadDraft]
    matched: frozenset[int]


@contextmanager
def planned_leads() -> Iterator[PlannedLeads]:
    """An empty memory, which is gone with the block. A temporary file of SQLite's holds what is much."""
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    try:
        yield PlannedLeads(connection)
    finally:
        connection.close()


async def plan_batch(
    session: AsyncSession,
    scope: Scope,
    target: ImportTarget,
    rows: Sequence[LeadDraft | RowProblem],
    planned: PlannedLeads,
) -> PlannedBatch:
    """What would become of the rows; one that repeats a lead and has a warning is reported twice."""
    drafts = [row for row in rows if isinstance(row, LeadDraft)]
    problems = [row for row in rows if isinstance(row, RowProblem)]
    known = await known_leads(session, scope, target, drafts)
    keys = list({draft.duplicate_key: None for draft in drafts if draft.duplicate_key is not None})
    planned.recall(known, keys)
    judged = judge_batch(drafts, known, target.duplicates)
    planned.remember(known)
    reports: list[Report] = [problem_report(problem) for problem in problems]
    for repeat in judged.repeats:
        reports.append(repeat_report(repeat.draft, repeat.verdict, repeat.of.id, repeat.of.line))
    reports += (warning_report(draft) for draft in judged.accepted if draft.warnings)
    matched = frozenset(repeat.of.id for repeat in judged.repeats if not repeat.of.in_file)
    accounts = judged.accounts(len(problems))
    return PlannedBatch(accounts, sorted(reports, key=_line), judged.accepted, matched)


def _line(report: Mapping[str, object]) -> int:
    return int(str(report["line"]))
