"""Every duplicate action with every scope and option, against what the requirement says, row by row."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from core.csv_file import Row
from core.field_mapping import Mapping
from core.fields import Locale
from core.import_accounts import Accounts, DuplicateAction, DuplicateRule, DuplicateScope
from core.lead_rows import LeadDraft, RowProblem, RowReader
from db.commands.lead_import import ImportTarget, import_batch
from db.database import Database
from db.models import Campaign, ImportRow, Lead, LeadPool
from tests.db.imports import NAME, NOW, PHONE, Importer

pytestmark = pytest.mark.anyio

PLACES = ("own", "own, pool inactive", "sibling", "sibling, pool inactive", "stranger")
STATES = ("open", "closed", "removed", "inactive")
REACH = {
    DuplicateScope.NONE: (),
    DuplicateScope.CAMPAIGN: ("own",),
    DuplicateScope.PROJECT: ("own", "sibling"),
    DuplicateScope.ALL: ("own", "sibling", "stranger"),
}
RULES = [
    DuplicateRule(scope, action, only_open, include_inactive_pools, within_file)
    for scope, action, only_open, include_inactive_pools, within_file in product(
        DuplicateScope, DuplicateAction, (False, True), (False, True), (False, True)
    )
]
NEW = "+12015559999"


@dataclass
class Told:
    """A lead as the requirement tells of it; `line` is that of the file, None for leads from before."""

    phone: str
    place: str
    state: str
    line: int | None = None

    def counts(self, rule: DuplicateRule) -> bool:
        if self.state == "inactive":
            return False
        if self.line is not None:
            return rule.within_file
        place, _, pool = self.place.partition(", ")
        if place not in REACH[rule.scope] or (pool and not rule.include_inactive_pools):
            return False
        return self.state == "open" or not rule.only_open


def told(
    before: Sequence[Told], phones: Sequence[str], rule: DuplicateRule
) -> tuple[Accounts, list[Told], list[int]]:
    """The accounts, all leads, and the flagged lines that the requirement asks for."""
    leads, accounts, flagged = (
        [Told(one.phone, one.place, one.state) for one in before],
        Accounts(),
        list[int](),
    )
    for line, phone in enumerate(phones, 2):
        repeated = [lead for lead in leads if lead.phone == phone and lead.counts(rule)]
        if repeated and rule.action is DuplicateAction.DISCARD:
            accounts += Accounts(rows=1, duplicates=1)
            continue
        acted = 0
        for lead in repeated:
            if lead.state == "open" and rule.action in (DuplicateAction.DEACTIVATE, DuplicateAction.REMOVE):
                lead.state = "inactive" if rule.action is DuplicateAction.DEACTIVATE else "removed"
                acted += 1
        leads.append(Told(phone, "own", "open", line))
        flagged += [line] if repeated else []
        accounts += Accounts(rows=1, valid=1, flagged=len(repeated[:1]), acted_on=acted)
    return accounts, leads, flagged


@dataclass
class World:
    """Leads in all places and states, one phone each."""

    importer: Importer
    own: Campaign
    before: list[Told]
    ids: list[int]


async def world(database: Database) -> World:
    importer = Importer(database)
    await importer.found()
    project, other = await importer.project("P"), await importer.project("Q")
    own = await importer.campaign(project.id, "OWN")
    campaigns = {
        "own": own,
        "sibling": await importer.campaign(project.id, "SIBLING"),
        "stranger": await importer.campaign(other.id, "STRANGER"),
    }
    before, ids = list[Told](), list[int]()
    values: dict[str, dict[str, object]] = {
        "open": {},
        "closed": {"status": "closed", "is_open": False},
        "removed": {"status": "removed", "is_open": False},
        "inactive": {"active": False},
    }
    for number, place in enumerate(PLACES):
        campaign, _, pool_state = place.partition(", ")
        phones = [f"+1201555{100 * (number + 1) + at:04}" for at in range(len(STATES))]
        pool, _ = await importer.imported(campaigns[campaign], phones)
        async with database.writing() as session:
            if pool_state:
                await session.execute(update(LeadPool).where(col(LeadPool.id) == pool).values(active=False))
            for phone, state in zip(phones, STATES, strict=True):
                changed = update(Lead).where(col(Lead.phone) == phone)
                if values[state]:
                    await session.execute(changed.values(**values[state]))
        for lead, state in zip(await importer.leads(pool), STATES, strict=True):
            before.append(Told(lead.phone, place, state))
            ids.append(lead.id)
    return World(importer, own, before, ids)


@dataclass
class Done:
    """What an import did: its accounts, every lead's state, its own leads, the lines it flagged."""

    accounts: Accounts = field(default_factory=Accounts)
    states: dict[int, str] = field(default_factory=dict)
    own: list[tuple[int | None, str, str]] = field(default_factory=list)
    flagged: list[int] = field(default_factory=list)


class Undone(Exception):
    """Ends the transaction, so that the next rule finds the same leads."""


@pytest.mark.parametrize("batches", [1, 2, 5])
async def test_every_action_scope_and_option_comes_to_what_is_required_of_it(
    database: Database, batches: int
) -> None:
    made = await world(database)
    pool = await made.importer.pool(made.own)
    known = [lead.phone for lead in made.before]
    phones = [*known, NEW, *reversed(known), NEW, *known[::3], NEW]
    reader = RowReader(["Phone", "Name"], Mapping((PHONE, NAME), PHONE, PHONE), Locale("US", ZoneInfo("UTC")))
    rows = [reader.read(Row(line, [phone, "N"])) for line, phone in enumerate(phones, 2)]
    size = -(-len(rows) // batches)
    for rule in RULES:
        target = ImportTarget(made.own.project_id, made.own.id, pool, {}, duplicates=rule)
        accounts, leads, flagged = told(made.before, phones, rule)
        done = await done_and_undone(database, made, target, rows, size)
        assert done.accounts == accounts, rule
        assert [done.states[one] for one in made.ids] == [lead.state for lead in leads[: len(made.ids)]], rule
        own = [(lead.line, lead.phone, lead.state) for lead in leads if lead.line is not None]
        assert (done.own, done.flagged) == (own, flagged), rule


async def done_and_undone(
    database: Database,
    made: World,
    target: ImportTarget,
    rows: Sequence[LeadDraft | RowProblem],
    size: int,
) -> Done:
    """What an import does, which nothing is left of."""
    done = Done()
    with suppress(Undone):
        async with database.writing() as session:
            for start in range(0, len(rows), size):
                some = rows[start : start + size]
                done.accounts += await import_batch(session, made.importer.scope, target, some, now=NOW)
            found = (await session.execute(select(Lead).order_by(col(Lead.id)))).scalars().all()
            done.states = {lead.id: state_of(lead) for lead in found}
            done.own = [
                (lead.line, lead.phone, state_of(lead)) for lead in found if lead.pool_id == target.pool_id
            ]
            reported = select(col(ImportRow.line)).where(col(ImportRow.outcome) == "flagged")
            done.flagged = sorted((await session.execute(reported)).scalars())
            raise Undone
    return done


def state_of(lead: Lead) -> str:
    if not lead.active:
        return "inactive"
    return "open" if lead.is_open else lead.status
