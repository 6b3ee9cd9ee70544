"""After any edits the slots of leads, in all their sets, hold what rules are to see of their values."""

import asyncio
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from core.fields import Field, FieldType, Locale, Unreadable, Value, read_value
from core.lead_edit import LeadChanges
from core.lead_push import LeadPush
from core.rules import matches, parse_rule
from db.commands.lead_edit import update_lead
from db.commands.lead_push import push_leads
from db.database import Database
from db.models import Lead, LeadSlots
from db.queries.campaign import StoredField
from db.queries.field_catalogue import rules_of_project
from tests.db.imports import NOW, Importer

LEADS, EDITS, EXAMPLES = 3, 4, 15
LOCALE = Locale("US", ZoneInfo("UTC"))
PHONE = Field("phone", "Phone", FieldType.PHONE)
FIELDS = [
    PHONE,
    Field("other", "Other", FieldType.PHONE),
    *(Field(f"text{n}", f"Text {n}", FieldType.TEXT) for n in range(50)),
    *(Field(f"count{n}", f"Count {n}", FieldType.INTEGER) for n in range(14)),
    *(Field(f"day{n}", f"Day {n}", FieldType.DATE) for n in range(9)),
    *(Field(f"flag{n}", f"Flag {n}", FieldType.BOOLEAN) for n in range(17)),
]
"""More of each kind than one set of slots has, and more texts than two."""

PHONES = [f"202-555-01{n}" for n in range(10, 20)]
WRITTEN: dict[FieldType, st.SearchStrategy[str | None]] = {
    FieldType.PHONE: st.sampled_from([*PHONES, "(202) 555 0110"]),
    FieldType.TEXT: st.sampled_from([None, "", " ", "Å", "århus", "x" * 300]),
    FieldType.INTEGER: st.sampled_from([None, "0", "-3", "12", "many"]),
    FieldType.DATE: st.sampled_from([None, "2026-02-28", "2026-02-30"]),
    FieldType.BOOLEAN: st.sampled_from([None, "yes", "no", "perhaps"]),
}
CHANGED = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=8, unique=True).flatmap(
    lambda fields: st.fixed_dictionaries({field.key: WRITTEN[field.type] for field in fields})
)
ALL_EDITS = st.lists(st.tuples(st.integers(0, LEADS - 1), CHANGED), min_size=EDITS, max_size=EDITS)

Texts = dict[str, str]


class Desk:
    """Leads of a wide template, and what their values should be."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.importer = Importer(database)
        self.stored: list[StoredField] = []
        self.project = 0
        self.texts: dict[int, Texts] = {}

    async def open(self) -> None:
        await self.importer.found()
        self.project = (await self.importer.project()).id
        campaign = await self.importer.campaign(self.project, fields=FIELDS)
        self.stored = await self.importer.fields(campaign)
        rows: list[Texts] = [{"phone": phone, "text49": "Å"} for phone in PHONES[:LEADS]]
        async with self.database.writing() as session:
            pushed = await push_leads(session, self.importer.scope, campaign, LeadPush(rows), now=NOW)
        self.texts = {row.lead_id or 0: texts for row, texts in zip(pushed.rows, rows, strict=True)}

    async def edit(self, lead_id: int, values: dict[str, str | None]) -> None:
        async with self.database.writing() as session:
            await update_lead(
                session,
                self.importer.scope,
                lead_id,
                LeadChanges(values=values),
                expected_version=None,
                now=NOW,
            )
        merged = {**self.texts[lead_id], **{key: text or "" for key, text in values.items()}}
        self.texts[lead_id] = {key: text for key, text in merged.items() if text.strip()}

    def search(self, lead_id: int) -> dict[str, Value | None]:
        """What rules are to see of a lead."""
        found: dict[str, Value | None] = {}
        for field in FIELDS:
            text = self.texts[lead_id].get(field.key)
            value = None if text is None else read_value(field, text, LOCALE)
            found[field.key] = None if isinstance(value, Unreadable) else value
        return found

    async def check(self, asked: set[str]) -> None:
        async with self.database.reading() as session:
            leads = {lead.id: lead for lead in (await session.execute(select(Lead))).scalars()}
            further = {
                (row.lead_id, row.set_number): row
                for row in (await session.execute(select(LeadSlots))).scalars()
            }
            rules = await rules_of_project(session, 1, self.project)
            for lead_id in self.texts:
                lead, expected = leads[lead_id], self.search(lead_id)
                for one in self.stored:
                    row = further.get((lead_id, one.slot_set)) if one.slot_set else lead
                    assert getattr(row, one.slot, None) == expected[one.field.key], one
                assert lead.field_values == self.texts[lead_id]
                assert (lead.phone, lead.phone_raw) == (expected["phone"], self.texts[lead_id]["phone"])
                assert lead.duplicate_key == expected["phone"]
            for key in asked:
                for operator, value in (("null", None), ("!=", "0"), ("=", _asked(key))):
                    tree = {"combinator": "and", "rules": [_condition(key, operator, value)]}
                    rule = parse_rule(tree, rules.catalogue, NOW)
                    selected = rules.source.matching(select(col(Lead.id)), rule)
                    found = set((await session.execute(selected)).scalars())
                    assert found == {one for one in self.texts if matches(rule, self.search(one))}, (
                        key,
                        operator,
                    )


def _asked(key: str) -> object:
    field = next(one for one in FIELDS if one.key == key)
    some = {FieldType.INTEGER: 12, FieldType.DATE: "2026-02-28", FieldType.BOOLEAN: True}
    return some.get(field.type, "ÅRHUS")


def _condition(key: str, operator: str, value: object) -> dict[str, object]:
    kinds = {"day": "2026-02-28", "flag": False}
    if operator == "!=":
        value = next((other for start, other in kinds.items() if key.startswith(start)), value)
    return {"field": key, "operator": operator, "value": value}


async def _edits_keep_step(desk: Desk, edits: list[tuple[int, dict[str, str | None]]]) -> None:
    ids = list(desk.texts)
    for place, values in edits:
        await desk.edit(ids[place], values)
        await desk.check(set(values))


def test_after_any_edits_rules_in_sql_see_the_new_values_in_every_slot_set(
    database_url: str, soak: bool
) -> None:
    with asyncio.Runner() as runner:
        database = Database(database_url)
        desk = Desk(database)
        runner.run(desk.open())
        assert {one.slot_set for one in desk.stored} == {0, 1, 2}

        @settings(
            max_examples=EXAMPLES * (50 if soak else 1),
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(edits=ALL_EDITS)
        def agree(edits: list[tuple[int, dict[str, str | None]]]) -> None:
            runner.run(_edits_keep_step(desk, edits))

        try:
            agree()
        finally:
            runner.run(database.close())
