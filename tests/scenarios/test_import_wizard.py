"""The wizard's steps and what an administrator does about an import that went wrong, on a real server."""

from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest

from tests.import_office import ARCHIVE, CANCEL, FOLLOW, RESUME, UNDO, ImportOffice, phones

pytestmark = pytest.mark.anyio

CREATE_TEAM = "mutation($name: String!) { createTeam(input: {name: $name}) { team { id } } }"
UPDATE_LEAD = """mutation($id: ID!) { updateLead(input: {id: $id, priority: 9}) {
  lead { id } userErrors { message } } }"""
SAVE_MAPPING = """mutation($input: SaveImportMappingInput!) { saveImportMapping(input: $input) {
  importMapping { id name version } userErrors { code message field } } }"""
MAPPINGS = """query($project: ID) { importMappings(projectId: $project) { totalCount nodes {
  id name mapping { column field } campaign { code } project { id } updatedBy { email } updatedAt } } }"""
DELETE_MAPPING = "mutation($id: ID!) { deleteImportMapping(input: {id: $id}) { deletedId } }"
GROUP = (
    "mutation($input: CreateSegmentGroupInput!) { createSegmentGroup(input: $input) { segmentGroup { id } } }"
)
DELETE_POOLS = """mutation($ids: [ID!]!) { deleteLeadPools(input: {ids: $ids, confirm: true}) {
  outcomes { removed } } }"""
SEGMENT = "mutation($input: CreateSegmentInput!) { createSegment(input: $input) { segment { id } } }"
JOIN = """mutation($input: AddLeadsToSegmentsInput!) { addLeadsToSegments(input: $input) {
  userErrors { message } } }"""
CHANGES = """query($ids: [ID!]!) { membershipChanges(segmentIds: $ids) {
  nodes { cause joinedCount leftCount } } }"""
POOLS = "{ leadPools { nodes { id } } leads { totalCount } changeLog { totalCount } }"

CAMPAIGN_SCOPE: dict[str, Any] = {"duplicateScope": "CAMPAIGN"}


@pytest.fixture
def office(import_office: ImportOffice) -> ImportOffice:
    return import_office


async def test_leads_are_spread_over_days_and_times_in_the_campaigns_zone(office: ImportOffice) -> None:
    campaign = await office.campaign("SPREAD", timeZone="Europe/Copenhagen")
    spread = {"dayOffset": 2, "dayCount": 3, "timeFrom": "09:00", "timeUntil": "17:30", "priority": 7}
    begun = await office.imported(campaign, phones(0, 60), **spread)
    zone = ZoneInfo("Europe/Copenhagen")
    today = datetime.now(zone).date()
    days: set[date] = set()
    for lead in await office.leads(begun["leadPool"]["id"]):
        local = datetime.fromisoformat(lead["nextCallAt"]).astimezone(zone)
        assert 9 * 60 <= local.hour * 60 + local.minute < 17 * 60 + 30
        assert lead["priority"] == 7
        days.add(local.date())
    offsets = {(day - today).days for day in days}
    assert offsets in ({2, 3, 4}, {1, 2, 3})  # the second: midnight passed since the upload
    assert (await office.pool(begun["leadPool"]["id"]))["readyToDial"] == 0


async def test_settings_come_back_and_those_that_cannot_be_name_their_field(office: ImportOffice) -> None:
    campaign = await office.campaign("SETTINGS")
    teams = [
        (await office.client.run(CREATE_TEAM, name=name))["createTeam"]["team"]["id"] for name in ("N", "S")
    ]
    upload = await office.uploaded(campaign, phones(0, 2))
    settings = {
        "dayOffset": 1,
        "dayCount": 2,
        "timeFrom": "08:30",
        "timeUntil": "24:00",
        "ownerTeamIds": teams,
    }
    done = await office.updated(upload, settings={"duplicateField": "phone", **settings})
    assert done["leadUpload"]["settings"] == {
        **{name: settings[name] for name in ("dayOffset", "dayCount", "timeFrom", "timeUntil")},
        "priority": 0,
        "ownerUser": None,
        "ownerTeams": [{"id": team} for team in teams],
    }
    for wrong, field in [
        ({"dayOffset": -1}, "dayOffset"),
        ({"dayCount": 0}, "dayCount"),
        ({"timeFrom": "9:00", "timeUntil": "10:00"}, "timeFrom"),
        ({"timeFrom": "10:00", "timeUntil": None}, "timeUntil"),
        ({"timeFrom": "10:00", "timeUntil": "09:00"}, "timeUntil"),
        ({"activeFrom": "2026-02-01T00:00:00Z", "activeUntil": "2026-01-01T00:00:00Z"}, "activeUntil"),
    ]:
        errors = (await office.updated(upload, settings=wrong))["userErrors"]
        assert [(error["code"], error["field"][-1]) for error in errors] == [("BAD_USER_INPUT", field)]


async def test_several_teams_own_all_leads_of_an_upload_together_or_one_user_does(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("OWNERS")
    teams = [
        (await office.client.run(CREATE_TEAM, name=name))["createTeam"]["team"]["id"]
        for name in ("A", "B", "C")
    ]
    begun = await office.imported(campaign, phones(0, 9), ownerTeamIds=teams)
    leads = await office.leads(begun["leadPool"]["id"])
    assert [[team["id"] for team in lead["ownerTeams"]] for lead in leads] == [teams] * 9
    user = (await office.client.run("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    begun = await office.imported(campaign, phones(100, 2), ownerUserId=user)
    assert [lead["ownerUser"]["id"] for lead in await office.leads(begun["leadPool"]["id"])] == [user] * 2
    upload = await office.uploaded(campaign, phones(200, 1))
    both = (await office.updated(upload, settings={"ownerUserId": user, "ownerTeamIds": teams}))["userErrors"]
    assert [error["field"][-1] for error in both] == ["ownerTeamIds"]


async def test_two_columns_on_one_field_and_an_unmapped_required_field_are_refused_by_name(
    office: ImportOffice,
) -> None:
    fields: list[dict[str, Any]] = [{"key": "phone", "type": "PHONE"}, {"key": "name", "required": True}]
    campaign = await office.campaign("MAPPING", fields=fields)
    upload = await office.uploaded(campaign, b"phone,name,alias\n2015550101,Ann,A\n")
    twice = [{"column": "phone", "field": "phone"}] + [
        {"column": column, "field": "name"} for column in ("name", "alias")
    ]
    errors = (await office.updated(upload, mapping=twice))["userErrors"]
    assert [(error["message"], error["field"]) for error in errors] == [
        ("The field “name” would be filled by “name” and “alias”.", ["input", "mapping", "2", "field"])
    ]
    assert (await office.updated(upload, mapping=[{"column": "phone", "field": "phone"}]))["userErrors"] == []
    errors = (await office.submitted(upload))["userErrors"]
    assert [error["message"] for error in errors] == ["The required field “name” is not mapped."]
    unmapped = [{"column": "name", "field": "name"}]
    assert (await office.updated(upload, mapping=unmapped))["userErrors"] == []
    errors = (await office.submitted(upload))["userErrors"]
    assert [error["message"] for error in errors] == ["The duplicate field “phone” is not mapped."]


async def test_a_saved_mapping_is_taken_as_far_as_it_fits_and_what_does_not_is_named(
    office: ImportOffice,
) -> None:
    project = await office.project()
    campaign = await office.campaign("SAVED", project)
    lines = [
        {"column": "Contact no.", "field": "phone"},
        {"column": "Who", "field": "name"},
    ]
    saved = (
        await office.client.run(
            SAVE_MAPPING, input={"campaignId": campaign, "name": "Weekly", "mapping": lines}
        )
    )["saveImportMapping"]
    assert saved["userErrors"] == []
    mapping = saved["importMapping"]["id"]
    listed = (await office.client.run(MAPPINGS, project=project))["importMappings"]
    assert (listed["totalCount"], listed["nodes"][0]["mapping"]) == (1, lines)
    assert listed["nodes"][0]["campaign"] == {"code": "SAVED"}
    assert listed["nodes"][0]["updatedBy"] == {"email": "admin@acme.example"}

    upload = await office.uploaded(campaign, b"CONTACT NO,x\n2015550101,1\n")
    done = await office.updated(upload, mappingId=mapping)
    assert done["leadUpload"]["mapping"] == [{"column": "CONTACT NO", "field": "phone"}]
    assert done["unfit"] == [{"column": "Who", "field": "name", "reason": "the file has no such column"}]
    assert (await office.submitted(upload))["userErrors"] == []
    both = (await office.updated(upload, mappingId=mapping, mapping=lines))["userErrors"]
    assert [error["field"] for error in both] == [["input", "mappingId"]]


async def test_a_saved_mapping_is_renamed_deleted_and_its_name_is_unique_in_its_project(
    office: ImportOffice,
) -> None:
    project = await office.project()
    campaign = await office.campaign("NAMES", project)
    wanted = {"campaignId": campaign, "name": "M", "mapping": [{"column": "c", "field": "phone"}]}
    first = (await office.client.run(SAVE_MAPPING, input=wanted))["saveImportMapping"]["importMapping"]
    again = (await office.client.run(SAVE_MAPPING, input=wanted))["saveImportMapping"]["userErrors"]
    assert [(error["code"], error["field"]) for error in again] == [("CONFLICT", ["input", "name"])]
    unknown = {**wanted, "name": "U", "mapping": [{"column": "c", "field": "nothing"}]}
    errors = (await office.client.run(SAVE_MAPPING, input=unknown))["saveImportMapping"]["userErrors"]
    assert [error["field"] for error in errors] == [["input", "mapping", "0", "field"]]
    renamed = (await office.client.run(SAVE_MAPPING, input={"id": first["id"], "name": "New"}))[
        "saveImportMapping"
    ]
    assert (renamed["importMapping"]["name"], renamed["importMapping"]["version"]) == ("New", 2)
    assert (await office.client.run(DELETE_MAPPING, id=first["id"]))["deleteImportMapping"] == {
        "deletedId": first["id"]
    }
    assert (await office.client.run(MAPPINGS, project=project))["importMappings"]["totalCount"] == 0


async def test_a_dry_run_says_what_the_import_will_do_and_writes_nothing(office: ImportOffice) -> None:
    campaign = await office.campaign("DRY")
    await office.imported(campaign, phones(0, 5))
    data = phones(3, 4) + b"\n2015550003,again\n12,short\n"
    for action in ("DISCARD", "NOTIFY", "DEACTIVATE", "REMOVE"):
        upload = await office.uploaded(campaign, data, duplicateAction=action)
        before = await office.client.run(POOLS)
        plan = (await office.submitted(upload, dry_run=True))["plan"]
        assert await office.client.run(POOLS) == before
        begun = await office.submitted(upload)
        await office.finished(begun["job"]["id"])
        names = ("rows", "valid", "invalid", "duplicates", "flagged", "actedOn")
        assert [plan[name] for name in names] == await office.accounts(begun["leadPool"]["id"])
        assert plan["problems"][-1] == {
            "line": 7,
            "outcome": "invalid",
            "column": "phone",
            "value": "12",
            "reason": "phone: is not a valid phone number",
            "action": None,
        }


async def test_the_dry_run_of_a_large_file_is_a_job(office: ImportOffice) -> None:
    campaign = await office.campaign("LARGE")
    upload = await office.uploaded(campaign, phones(0, 10_000, "x" * 50) + b"\n2015550000,again")
    asked = await office.submitted(upload, dry_run=True)
    assert (asked["plan"], asked["leadPool"], asked["userErrors"]) == (None, None, [])
    done = await office.finished(asked["job"]["id"])
    assert (done["state"], done["leadPool"]) == ("SUCCEEDED", None)
    plan = done["importPlan"]
    assert [plan[name] for name in ("rows", "valid", "duplicates")] == [10_001, 10_000, 1]
    assert plan["problems"] == [{"line": 10_002, "outcome": "duplicate"}]


async def test_a_dry_run_of_what_cannot_be_submitted_says_so(office: ImportOffice) -> None:
    campaign = await office.campaign("DRYNOT")
    upload = await office.uploaded(campaign, b"a,b\n1,2\n")
    assert [error["message"] for error in (await office.submitted(upload, dry_run=True))["userErrors"]] == [
        "The duplicate field “phone” is not mapped."
    ]


async def test_an_undone_import_takes_its_leads_back_save_those_worked_since_which_are_named(
    office: ImportOffice,
) -> None:
    project = await office.project()
    campaign = await office.campaign("UNDO", project)
    begun = await office.imported(campaign, phones(0, 4))
    leads = await office.leads(begun["leadPool"]["id"])
    group = (await office.client.run(GROUP, input={"projectId": project, "name": "G"}))["createSegmentGroup"]
    wanted = {"groupId": group["segmentGroup"]["id"], "name": "S", "kind": "STATIC"}
    segment = (await office.client.run(SEGMENT, input=wanted))["createSegment"]["segment"]["id"]
    joined = {"segmentIds": [segment], "leadIds": [leads[0]["id"], leads[1]["id"]]}
    assert (await office.client.run(JOIN, input=joined))["addLeadsToSegments"]["userErrors"] == []
    assert (await office.client.run(UPDATE_LEAD, id=leads[1]["id"]))["updateLead"]["userErrors"] == []

    done = await office.undone(begun["changeset"])
    assert done == {"removed": 3, "restored": 0, "stayed": 1, "stayedLeadIds": [leads[1]["id"]]}
    assert [lead["id"] for lead in await office.leads(begun["leadPool"]["id"])] == [leads[1]["id"]]
    assert (await office.pool(begun["leadPool"]["id"]))["totalLeads"] == 1
    moved = (await office.client.run(CHANGES, ids=[segment]))["membershipChanges"]["nodes"]
    assert [(one["joinedCount"], one["leftCount"]) for one in moved] == [(2, 0), (0, 1)]
    again = (await office.client.run(UNDO, changeset=begun["changeset"]))["undoChangeset"]
    assert (await office.job(again["job"]["id"]))["importUndo"] == done
    resumed = (await office.client.run(RESUME, id=begun["job"]["id"]))["resumeJob"]["userErrors"]
    assert [error["code"] for error in resumed] == ["CONFLICT"]


@pytest.mark.parametrize("action", ["DEACTIVATE", "REMOVE"])
async def test_an_undone_import_gives_existing_leads_back_unless_they_were_touched_or_replaced(
    office: ImportOffice, action: str
) -> None:
    campaign = await office.campaign(f"BACK{action}")
    first = await office.imported(campaign, phones(0, 4))
    before = await office.leads(first["leadPool"]["id"])
    second = await office.imported(campaign, phones(0, 3), duplicateAction=action, **CAMPAIGN_SCOPE)
    assert (await office.accounts(second["leadPool"]["id"]))[3:] == [0, 3, 3]
    changed = await office.leads(first["leadPool"]["id"])
    assert [(lead["active"], lead["status"]) for lead in changed] == [
        *[(action == "REMOVE", "REMOVED" if action == "REMOVE" else "NEW")] * 3,
        (True, "NEW"),
    ]
    replacement = (await office.leads(second["leadPool"]["id"]))[2]["id"]
    for touched in (changed[1]["id"], replacement):
        assert (await office.client.run(UPDATE_LEAD, id=touched))["updateLead"]["userErrors"] == []
    done = await office.undone(second["changeset"])
    assert done == {"removed": 2, "restored": 1, "stayed": 1, "stayedLeadIds": [replacement]}
    after = await office.leads(first["leadPool"]["id"])
    state = [(lead["active"], lead["status"]) for lead in after]
    assert state[0] == state[3] == (True, "NEW")
    assert state[1:3] == [(lead["active"], lead["status"]) for lead in changed[1:3]]
    assert [lead["id"] for lead in after] == [lead["id"] for lead in before]


async def test_only_a_finished_import_can_be_undone_and_a_pool_left_without_leads_goes(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("GONE")
    begun = await office.submitted(await office.uploaded(campaign, phones(0, 20_000)))
    early = (await office.client.run(UNDO, changeset=begun["changeset"]))["undoChangeset"]["userErrors"]
    assert [error["code"] for error in early] == ["CONFLICT"]
    await office.client.run(CANCEL, id=begun["job"]["id"])
    stopped = await office.finished(begun["job"]["id"])
    done = await office.undone(begun["changeset"])
    assert done == {"removed": stopped["progress"]["valid"], "restored": 0, "stayed": 0, "stayedLeadIds": []}
    pools = (await office.client.run(POOLS))["leadPools"]["nodes"]
    assert begun["leadPool"]["id"] not in [pool["id"] for pool in pools]


async def reached(office: ImportOffice, job: str, rows: int) -> None:
    """Returns once an import has so many rows."""
    with anyio.fail_after(60):
        async with aclosing(office.client.subscribe(FOLLOW, id=job)) as events:
            async for _ in events:
                if (await office.job(job))["progress"]["rows"] >= rows:
                    return


async def test_an_import_is_cancelled_and_resumed_without_a_row_lost_or_twice(office: ImportOffice) -> None:
    campaign = await office.campaign("RESUME")
    data = phones(0, 8_000) + b"\n" + phones(0, 2_000).split(b"\n", 1)[1] + b"\n12,short\n"
    begun = await office.submitted(await office.uploaded(campaign, data))
    job, pool = begun["job"]["id"], begun["leadPool"]["id"]
    await reached(office, job, 200)
    assert (await office.client.run(CANCEL, id=job))["cancelJob"]["userErrors"] == []
    assert (await office.finished(job))["state"] == "CANCELLED"
    rows, valid, *_ = await office.accounts(pool)
    assert 0 < rows < 10_001
    assert (await office.pool(pool))["totalLeads"] == valid
    resumed = (await office.client.run(RESUME, id=job))["resumeJob"]
    assert resumed == {"job": {"state": "QUEUED"}, "userErrors": []}
    assert (await office.finished(job))["state"] == "SUCCEEDED"
    assert await office.accounts(pool) == [10_001, 8_000, 1, 2_000, 0, 0]
    lines = [lead["line"] for lead in await office.leads(pool)]
    assert lines == list(range(2, 8_002))
    over = (await office.client.run(RESUME, id=job))["resumeJob"]["userErrors"]
    assert [error["code"] for error in over] == ["CONFLICT"]


async def test_a_cancelled_import_whose_pool_was_deleted_does_not_go_on_and_says_why(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("POOL-GONE")
    begun = await office.submitted(await office.uploaded(campaign, phones(0, 20_000)))
    job, pool = begun["job"]["id"], begun["leadPool"]["id"]
    await reached(office, job, 200)
    await office.client.run(CANCEL, id=job)
    assert (await office.finished(job))["state"] == "CANCELLED"
    (outcome,) = (await office.client.run(DELETE_POOLS, ids=[pool]))["deleteLeadPools"]["outcomes"]
    assert outcome["removed"]
    (error,) = (await office.client.run(RESUME, id=job))["resumeJob"]["userErrors"]
    assert (error["code"], error["message"]) == (
        "CONFLICT",
        "The pool it filled has been deleted: upload the file again.",
    )
    assert (await office.job(job))["state"] == "CANCELLED"


async def test_an_import_stops_when_its_campaign_is_archived_and_what_is_in_stays(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("ARCHIVED")
    begun = await office.submitted(await office.uploaded(campaign, phones(0, 20_000)))
    await reached(office, begun["job"]["id"], 200)
    assert (await office.client.run(ARCHIVE, id=campaign))["archiveCampaign"]["userErrors"] == []
    stopped = await office.finished(begun["job"]["id"])
    assert (stopped["state"], stopped["error"]) == (
        "FAILED",
        "The campaign was archived while its leads were coming in: those that are in stay.",
    )
    rows, valid, *_ = await office.accounts(begun["leadPool"]["id"])
    assert 0 < rows < 20_000
    assert (await office.pool(begun["leadPool"]["id"]))["totalLeads"] == valid


async def test_four_imports_at_once_leave_no_two_open_leads_with_one_phone(office: ImportOffice) -> None:
    project = await office.project()
    campaigns = [await office.campaign(f"AT{n}", project) for n in range(2)]
    uploads = [
        await office.uploaded(campaigns[n % 2], phones(n * 300, 1_200, f"File {n}"), duplicateScope="PROJECT")
        for n in range(4)
    ]
    begun = [await office.submitted(upload) for upload in uploads]
    async with anyio.create_task_group() as group:
        for one in begun:
            group.start_soon(office.finished, one["job"]["id"])
    found: list[str] = []
    rows = valid = 0
    for one in begun:
        accounts = await office.accounts(one["leadPool"]["id"])
        rows, valid = rows + accounts[0], valid + accounts[1]
        found += [lead["phone"] for lead in await office.leads(one["leadPool"]["id"])]
    assert rows == 4_800
    assert len(found) == len(set(found)) == valid == 2_100


async def test_repeats_in_the_file_count_also_with_scope_none_unless_that_is_turned_off(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("REPEATS")
    data = b"phone,name\n2015550101,Ann\n(201) 555-0101,Bob\n"
    begun = await office.imported(campaign, data, duplicateScope="NONE")
    assert await office.accounts(begun["leadPool"]["id"]) == [2, 1, 0, 1, 0, 0]
    again = await office.imported(campaign, data, duplicateScope="NONE", repeatsWithinFile=False)
    assert await office.accounts(again["leadPool"]["id"]) == [2, 2, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("action", "accounts", "states"),
    [
        ("DEACTIVATE", [3, 3, 0, 0, 2, 2], [(False, "NEW"), (False, "NEW"), (True, "NEW")]),
        ("REMOVE", [3, 3, 0, 0, 2, 2], [(True, "REMOVED"), (True, "REMOVED"), (True, "NEW")]),
        ("NOTIFY", [3, 3, 0, 0, 2, 0], [(True, "NEW")] * 3),
    ],
)
async def test_an_existing_lead_may_come_from_the_same_file(
    office: ImportOffice, action: str, accounts: list[int], states: list[tuple[bool, str]]
) -> None:
    campaign = await office.campaign(f"SAME{action}")
    data = b"phone,name\n" + b"2015550101,Ann\n" * 3
    begun = await office.imported(campaign, data, duplicateAction=action)
    assert await office.accounts(begun["leadPool"]["id"]) == accounts
    leads = await office.leads(begun["leadPool"]["id"])
    assert [(lead["active"], lead["status"]) for lead in leads] == states
    report = await office.report((await office.pool(begun["leadPool"]["id"]))["duplicatesUrl"])
    assert [(row["line"], row["duplicate_of_line"]) for row in report] == (
        [("3", "2"), ("4", "2" if action == "NOTIFY" else "3")]
    )
    done = await office.undone(begun["changeset"])
    assert (done["removed"], done["stayed"]) == (3, 0)


async def test_active_dates_hold_leads_back(office: ImportOffice) -> None:
    campaign = await office.campaign("DATES")
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    begun = await office.imported(campaign, phones(0, 2), activeFrom=later)
    found = await office.pool(begun["leadPool"]["id"])
    assert (found["totalLeads"], found["readyToDial"]) == (2, 0)
