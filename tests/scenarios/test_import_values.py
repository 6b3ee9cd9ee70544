"""Values as people and their programs write them: what they are as leads, and what is told of the others."""

from typing import Any

import pytest

from tests.import_office import ImportOffice

pytestmark = pytest.mark.anyio

FIELDS: list[dict[str, Any]] = [
    {"key": "phone", "type": "PHONE"},
    {"key": "mobile", "type": "PHONE"},
    {"key": "born", "type": "DATE"},
    {"key": "seen", "type": "DATETIME"},
    {"key": "sales", "type": "DECIMAL"},
    {"key": "vip", "type": "BOOLEAN"},
]
FOUND = """query($pool: ID!, $filter: RuleTree) { leads(where: {leadPoolId: $pool}, filter: $filter) {
  nodes { line } } }"""
WARNED = """query($id: ID!) { leadPool(id: $id) { valid warned warningsUrl } }"""
EXPORT = """mutation($id: ID!) { exportLeadPool(input: {id: $id}) {
  downloads { warningsUrl statisticsUrl } } }"""
DRY_RUN = """mutation($id: ID!) { importLeads(input: {uploadId: $id, dryRun: true}) { plan { valid warned
  warnings { line outcome column value reason } problems { line outcome } } } }"""
MOBILES = """mutation($id: ID!, $values: [LeadValueInput!]!) { updateLead(input: {id: $id, values: $values}) {
  lead { phone } userErrors { message } } }"""


@pytest.fixture
def office(import_office: ImportOffice) -> ImportOffice:
    return import_office


async def found(office: ImportOffice, pool: str, field: str, operator: str, value: object) -> list[int]:
    """Lines of the leads that a condition finds."""
    rule = {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}
    nodes = (await office.client.run(FOUND, pool=pool, filter=rule))["leads"]["nodes"]
    return sorted(node["line"] for node in nodes)


async def test_a_row_is_called_at_its_first_valid_phone_and_repeats_whoever_has_that(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("PHONES", fields=FIELDS, region="DE")
    data = b"phone;mobile\n030 123456;\n;0171 1234567\nkeine;0171 1234568\n;01711234567\nkeine;\n;\n"
    begun = await office.imported(campaign, data)
    pool = begun["leadPool"]["id"]
    leads = {lead["line"]: lead for lead in await office.leads(pool)}
    assert {line: lead["phone"] for line, lead in leads.items()} == {
        2: "+4930123456",
        3: "+491711234567",
        4: "+491711234568",
    }
    assert await office.accounts(pool) == [6, 3, 2, 1, 0, 0]
    urls = await office.pool(pool)
    invalid = await office.report(urls["invalidRowsUrl"])
    assert [(row["line"], row["column"], row["value"], row["reason"]) for row in invalid] == [
        ("6", "phone", "keine", "phone: is not a valid phone number"),
        ("7", "phone", "", "phone: every lead needs a phone number"),
    ]
    (repeat,) = await office.report(urls["duplicatesUrl"])
    assert (repeat["line"], repeat["duplicate_of_line"]) == ("5", "3")
    mended = {"id": leads[3]["id"], "values": [{"key": "mobile", "value": "0171 1234569"}]}
    assert (await office.client.run(MOBILES, **mended))["updateLead"]["lead"]["phone"] == "+491711234569"
    again = await office.imported(campaign, b"phone;mobile\n;0171 1234567\n;0171 1234569\n")
    assert await office.accounts(again["leadPool"]["id"]) == [2, 1, 0, 1, 0, 0]


async def test_a_phone_that_a_program_took_for_a_number_is_not_dialled_with_a_digit_too_many(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("FLOATS", fields=FIELDS, region="DE")
    begun = await office.imported(campaign, b"phone\n30123456.0\n4.93012345E+10\n")
    (lead,) = await office.leads(begun["leadPool"]["id"])
    assert lead["phone"] == "+4930123456"
    assert await office.accounts(begun["leadPool"]["id"]) == [2, 1, 1, 0, 0, 0]


async def test_dates_numbers_and_truth_values_are_read_as_the_campaigns_region_writes_them(
    office: ImportOffice,
) -> None:
    data = (
        b"phone;born;seen;sales;vip\n+49 30 123401;31.12.1980;1.2.2026 17:30;1.234,56;ja\n"
        b"+49 30 123402;1980-12-31;2026-02-01T17:30:00;1234.56;WAHR\n+49 30 123403;01/02/2026;;1,234;nein\n"
        b"+49 30 123404;soon;later;many;maybe\n"
    )
    pools = {
        region: (await office.imported(campaign, data, duplicateScope="NONE"))["leadPool"]["id"]
        for region in ("DE", "US")
        for campaign in [await office.campaign(f"WRITTEN-{region}", fields=FIELDS, region=region)]
    }
    for pool in pools.values():
        assert await office.accounts(pool) == [4, 4, 0, 0, 0, 0]
        assert await found(office, pool, "born", "=", "1980-12-31") == [2, 3]
        assert await found(office, pool, "seen", "=", "2026-02-01T17:30:00Z") == [2, 3]
        assert await found(office, pool, "vip", "=", True) == [2, 3]
        assert await found(office, pool, "vip", "=", False) == [4]
        assert await found(office, pool, "sales", "between", [1234, 1235]) == (
            [2, 3] if pool == pools["DE"] else [2, 3, 4]
        )
    assert await found(office, pools["DE"], "born", "=", "2026-02-01") == [4]
    assert await found(office, pools["US"], "born", "=", "2026-01-02") == [4]
    for lead in await office.leads(pools["DE"]):
        if lead["line"] == 2:
            assert {one["key"]: one["value"] for one in lead["values"]}["sales"] == "1.234,56"


async def test_a_value_that_does_not_read_as_its_type_is_told_with_line_column_value_reason_and_lead(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("WARNED", fields=FIELDS, region="DE")
    data = (
        b"phone;born;sales;vip\n030 123456;soon;many;ja\n030 123457;1.1.2020;1;ja\n030 123456;;;vielleicht\n"
        b"x;never;;\n030 123458;;" + b"9" * 2_000 + b";\n"
    )
    told = [
        ["2", "born", "soon", "is not a date (such as YYYY-MM-DD)"],
        ["2", "sales", "many", "is not a number"],
        ["4", "vip", "vielleicht", "is neither yes nor no"],
        ["6", "sales", "9" * 1_000, "is not a number"],
    ]
    upload = await office.uploaded(campaign, data, duplicateAction="NOTIFY")
    plan = (await office.client.run(DRY_RUN, id=upload))["importLeads"]["plan"]
    assert (plan["valid"], plan["warned"]) == (4, 3)
    assert [
        [str(one["line"]), one["column"], one["value"], one["reason"]] for one in plan["warnings"]
    ] == told
    assert {one["outcome"] for one in plan["warnings"]} == {"warned"}
    assert [(one["line"], one["outcome"]) for one in plan["problems"]] == [(4, "flagged"), (5, "invalid")]
    begun = await office.submitted(upload)
    await office.finished(begun["job"]["id"])
    pool = begun["leadPool"]["id"]
    found = (await office.client.run(WARNED, id=pool))["leadPool"]
    assert (found["valid"], found["warned"]) == (4, 3)
    leads = {str(lead["line"]): lead["id"] for lead in await office.leads(pool)}
    downloads = (await office.client.run(EXPORT, id=pool))["exportLeadPool"]["downloads"]
    for url in (found["warningsUrl"], downloads["warningsUrl"]):
        rows = await office.report(url)
        assert [[row[name] for name in ("line", "column", "value", "reason")] for row in rows] == told
        assert [row["lead"] for row in rows] == [leads[row["line"]] for row in rows]
    figures = {row["figure"]: row["value"] for row in await office.report(downloads["statisticsUrl"])}
    assert figures["warned"] == "3"
    empty = await office.imported(campaign, b"phone\n030 123459\n")
    assert (await office.client.run(WARNED, id=empty["leadPool"]["id"]))["leadPool"]["warned"] == 0
