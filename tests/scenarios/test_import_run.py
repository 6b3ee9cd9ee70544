"""An import at work: what it asks for before, how it tells how far it is, and who follows it."""

from contextlib import aclosing
from typing import Any

import anyio
import pytest

from tests.import_office import ImportOffice, phones

pytestmark = pytest.mark.anyio

FOLLOW = """subscription($id: ID!) { jobProgressed(id: $id) { job { state progress {
  rows valid invalid duplicates percent rowsPerSecond secondsLeft }
  leadPool { rows valid totalLeads } } } }"""
NAMES = """query($pool: ID!) { leadPool(id: $pool) { name }
  leads(where: {leadPoolId: $pool}) { nodes { phone phoneRaw } } }"""
CREATE = """mutation($input: CreateLeadUploadInput!) { createLeadUpload(input: $input) {
  leadUpload { id url } userErrors { code field } } }"""
PROJECT = "query($id: ID!) { campaign(id: $id) { project { id } } }"
GROUP = """mutation($project: ID!) { createSegmentGroup(input: {projectId: $project, name: "G"}) {
  segmentGroup { id } } }"""
SEGMENT = """mutation($group: ID!) { createSegment(input: {groupId: $group, name: "S", automation: ADD}) {
  segment { id } userErrors { message } } }"""
FILTER = """mutation($input: SaveSegmentFilterInput!) { saveSegmentFilter(input: $input) {
  userErrors { message } } }"""
MEMBERS = "query($id: ID!) { segment(id: $id) { members { totalCount } } }"


@pytest.fixture
def office(import_office: ImportOffice) -> ImportOffice:
    return import_office


async def test_two_hundred_rows_at_a_time_come_in_and_rows_rate_and_time_left_are_told_after_each(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("PROGRESS")
    again = phones(0, 100).split(b"\n", 1)[1]
    data = phones(0, 4_900) + b"\n" + again + b"\nnone,X\n"
    begun = await office.submitted(await office.uploaded(campaign, data))
    told: list[dict[str, Any]] = []
    with anyio.fail_after(90):
        async with aclosing(office.client.subscribe(FOLLOW, id=begun["job"]["id"])) as events:
            async for event in events:
                told.append(event["data"]["jobProgressed"]["job"])
    for job in told:
        progress = job["progress"]
        assert progress["rows"] == progress["valid"] + progress["invalid"] + progress["duplicates"]
        assert progress["rows"] % 200 == 0 or progress["rows"] == 5_001
        assert (progress["rowsPerSecond"] > 0) == (progress["rows"] > 0)
        assert (progress["secondsLeft"] is None) == (progress["rows"] == 0)
        assert job["leadPool"]["totalLeads"] >= progress["valid"]
    rows = [job["progress"]["rows"] for job in told]
    assert rows == sorted(rows)
    assert len(set(rows)) > 2
    last = told[-1]
    assert (last["state"], last["progress"]["percent"], last["progress"]["secondsLeft"]) == (
        "SUCCEEDED",
        100,
        0,
    )
    assert [last["progress"][name] for name in ("rows", "valid", "invalid", "duplicates")] == [
        5_001,
        4_900,
        1,
        100,
    ]
    assert last["leadPool"] == {"rows": 5_001, "valid": 4_900, "totalLeads": 4_900}


async def test_a_submission_without_its_duplicate_field_or_with_one_that_is_not_mapped_is_refused_saying_so(
    office: ImportOffice,
) -> None:
    fields: list[dict[str, Any]] = [{"key": "phone", "type": "PHONE"}, {"key": "name"}]
    fields += [{"key": "vat", "duplicateKey": True}]
    campaign = await office.campaign("DUPLICATE-FIELD", fields=fields)
    upload = await office.uploaded(campaign, b"phone,name,number\n2015550101,Ann,1\n")
    for key, message in (
        (None, "Choose the duplicate field, usually the phone."),
        ("vat", "The duplicate field “vat” is not mapped."),
    ):
        assert (await office.updated(upload, settings={"duplicateField": key}))["userErrors"] == []
        for dry_run in (True, False):
            (error,) = (await office.submitted(upload, dry_run=dry_run))["userErrors"]
            assert (error["code"], error["message"], error["field"]) == (
                "BAD_USER_INPUT",
                message,
                ["input", "uploadId"],
            )
    pairs = [{"column": "number", "field": "vat"}, {"column": "name", "field": "name"}]
    await office.updated(upload, settings={"duplicateField": "vat"}, mapping=pairs)
    (error,) = (await office.submitted(upload))["userErrors"]
    assert (error["message"], error["field"]) == (
        "No column is mapped to a phone field: every lead needs a phone.",
        ["input", "uploadId"],
    )


async def test_a_duplicate_field_that_cannot_be_is_refused_as_soon_as_it_is_named(
    office: ImportOffice,
) -> None:
    fields: list[dict[str, Any]] = [{"key": "telephone_number", "type": "PHONE"}, {"key": "name"}]
    campaign = await office.campaign("NO-SUCH-KEY", fields=fields)
    other = await office.campaign("NO-SUCH-KEY-EITHER", fields=fields[:1])
    upload = await office.uploaded(campaign, b"number,name\n2015550101,Ann\n", duplicateField="phone")
    for key, message in (
        ("name", "The field “name” may not serve as the duplicate key."),
        ("nothing", "The template has no field “nothing”; its fields are “telephone_number”, “name”."),
    ):
        settings = {"duplicateField": key}
        refused = await office.refused(campaignId=campaign, fileName="a.csv", settings=settings)
        refused += (await office.updated(upload, settings=settings))["userErrors"]
        assert [(one["code"], one["message"], one["field"]) for one in refused] == [
            ("BAD_USER_INPUT", message, ["input", "settings", "duplicateField"])
        ] * 2
    settings = {"duplicateField": "name"}
    (error,) = (await office.updated(upload, campaignId=other, settings=settings))["userErrors"]
    assert error["message"].endswith("“name”; its fields are “telephone_number”.")
    begun = await office.submitted(upload)
    assert (await office.finished(begun["job"]["id"]))["progress"]["valid"] == 1


async def test_columns_of_a_mapping_are_found_whatever_their_case_accents_and_signs(
    office: ImportOffice,
) -> None:
    fields = [{"key": "phone", "type": "PHONE"}, {"key": "hospital"}]
    campaign = await office.campaign("ALIKE", fields=fields)
    upload = await office.uploaded(campaign, "N° Téléphone;Hôpital;€\n2015550101;Nord;1\n".encode())
    lines: list[dict[str, Any]] = [
        {"column": "n telephone", "field": "phone"},
        {"column": "HOPITAL", "field": "hospital"},
    ]
    done = await office.updated(upload, mapping=lines)
    assert done["userErrors"] == []
    assert {one["column"]: one["field"] for one in done["leadUpload"]["mapping"]} == {
        "N° Téléphone": "phone",
        "Hôpital": "hospital",
    }
    for column in ("clinic", "%"):
        (error,) = (await office.updated(upload, mapping=[{"column": column, "field": None}]))["userErrors"]
        assert (error["message"], error["field"]) == (
            f"The file has no column “{column}”; it has “N° Téléphone”, “Hôpital”, “€”.",
            ["input", "mapping", "0", "column"],
        )
    lines.append({"column": "Hôpital", "field": None})
    (error,) = (await office.updated(upload, mapping=lines))["userErrors"]
    assert error["message"] == "The column “Hôpital” is mapped twice."
    lines = [{"column": "Hôpital", "field": "telephone"}]
    (error,) = (await office.updated(upload, mapping=lines))["userErrors"]
    assert error["message"] == "The template has no field “telephone”; its fields are “phone”, “hospital”."
    begun = await office.submitted(upload)
    await office.finished(begun["job"]["id"])
    (lead,) = await office.leads(begun["leadPool"]["id"])
    assert {one["key"]: one["value"] for one in lead["values"]} == {"phone": "2015550101", "hospital": "Nord"}


async def test_a_pool_is_called_as_its_file_unless_it_is_named_and_phones_are_kept_as_they_came(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("NAMES")
    for file_name, settings, name in (
        ("C:\\Lists\\März.csv", {}, "März.csv"),
        ("../../etc/passwd", {"poolName": " Spring "}, "Spring"),
        ("a.csv", {"poolName": ""}, "a.csv"),
    ):
        wanted = {
            "campaignId": campaign,
            "fileName": file_name,
            "settings": {"duplicateField": "phone", "duplicateScope": "NONE", **settings},
        }
        upload = (await office.client.run(CREATE, input=wanted))["createLeadUpload"]["leadUpload"]
        await office.client.put(upload["url"], b"phone\n(201) 555-0101 ext. 7\n")
        begun = await office.submitted(upload["id"])
        await office.finished(begun["job"]["id"])
        found = await office.client.run(NAMES, pool=begun["leadPool"]["id"])
        assert found["leadPool"]["name"] == name
        assert found["leads"]["nodes"] == [{"phone": "+12015550101", "phoneRaw": "(201) 555-0101 ext. 7"}]


async def test_automated_segments_take_in_new_leads_as_an_import_brings_them(office: ImportOffice) -> None:
    campaign = await office.campaign("FOLLOWED")
    project = (await office.client.run(PROJECT, id=campaign))["campaign"]["project"]["id"]
    group = (await office.client.run(GROUP, project=project))["createSegmentGroup"]["segmentGroup"]["id"]
    segment = (await office.client.run(SEGMENT, group=group))["createSegment"]["segment"]["id"]
    rule = {"combinator": "and", "rules": [{"field": "name", "operator": "beginsWith", "value": "Bea"}]}
    saved = {"segmentId": segment, "filter": {"rule": rule}, "mode": "ADD"}
    assert (await office.client.run(FILTER, input=saved))["saveSegmentFilter"]["userErrors"] == []
    data = phones(0, 250, "Bea") + b"\n" + phones(1_000, 250, "Ann").split(b"\n", 1)[1]
    await office.imported(campaign, data)
    members = 0
    with anyio.fail_after(30):
        while True:
            members = (await office.client.run(MEMBERS, id=segment))["segment"]["members"]["totalCount"]
            if members >= 250:
                break
            await anyio.sleep(0.1)
    assert members == 250
