"""Upload rules of a template as clients meet them, over HTTP on both engines."""

from typing import Any

import pytest

from tests.lead_office import CREATE_CAMPAIGN, FIELDS, UPDATE, Office, phone

pytestmark = pytest.mark.anyio

TEMPLATE = "query($id: ID!) { campaign(id: $id) { version fields { key pattern } } }"
EDIT = """mutation($input: UpdateCampaignInput!) { updateCampaign(input: $input) {
  campaign { fields { key pattern } } userErrors { code field } } }"""
ZIP = {"key": "zip", "label": "Postal code", "type": "TEXT", "pattern": "DK-[0-9]{4}"}


async def test_a_value_that_breaks_a_pattern_is_refused_by_the_rules_name_wherever_it_comes_in(
    office: Office,
) -> None:
    await office.open("HOUSES", fields=[*FIELDS, ZIP])
    rows: list[dict[str, Any]] = [
        {"phone": phone(1), "name": "Right", "zip": "DK-4000"},
        {"phone": phone(2), "name": "Wrong", "zip": "4000"},
        {"phone": phone(3), "name": "Without"},
    ]
    pushed = await office.push("HOUSES", rows)
    assert [row["outcome"] for row in pushed["rows"]] == ["IMPORTED", "INVALID", "IMPORTED"]
    assert pushed["rows"][1]["field"] == "zip"
    assert pushed["rows"][1]["reason"] == "pattern: does not match DK-[0-9]{4}"

    async def edit(**changes: str) -> dict[str, Any]:
        values = [{"key": key, "value": value} for key, value in changes.items()]
        return await office.change(UPDATE, id=office.leads["Right"], values=values)

    refused = (await edit(zip="dk-4000"))["userErrors"][0]
    assert (refused["code"], refused["field"]) == ("BAD_USER_INPUT", ["input", "values", "zip"])
    assert (await edit(zip="DK-5000"))["userErrors"] == []

    template = (await office.client.run(TEMPLATE, id=office.campaigns["HOUSES"]))["campaign"]["fields"]
    assert {one["key"]: one["pattern"] for one in template}["zip"] == "DK-[0-9]{4}"
    # Who is called already is not judged by how phones are to be written from now on.
    strict = [{**one, "pattern": "\\+1[0-9]+"} if one["key"] == "phone" else one for one in [*FIELDS, ZIP]]
    changed = await office.change(EDIT, id=office.campaigns["HOUSES"], fields=strict)
    assert changed["userErrors"] == []
    assert (await edit(city="Roskilde"))["userErrors"] == []
    assert (await edit(phone="202-555-0177"))["userErrors"][0]["field"] == ["input", "values", "phone"]
    late = await office.push(
        "HOUSES", [{"phone": phone(4), "name": "Late"}, {"phone": "+12025550178", "name": "P"}]
    )
    assert [row["outcome"] for row in late["rows"]] == ["INVALID", "IMPORTED"]


async def test_a_pattern_that_is_none_or_not_of_a_text_is_refused(office: Office) -> None:
    await office.open("HOUSES")
    for field in ({**ZIP, "pattern": "("}, {**ZIP, "pattern": ""}, {**ZIP, "type": "INTEGER"}):
        plan = {
            "projectId": office.project,
            "code": "X",
            "name": "X",
            "region": "US",
            "fields": [*FIELDS, field],
        }
        made = (await office.client.run(CREATE_CAMPAIGN, input=plan))["createCampaign"]
        assert [error["field"] for error in made["userErrors"]] == [["input", "fields", "8", "pattern"]], (
            field
        )
