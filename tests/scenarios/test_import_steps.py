"""Each step of the wizard can be gone back to, and nothing is imported before the last."""

from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest

from tests.import_office import CREATE, ImportOffice, phones

pytestmark = pytest.mark.anyio

STATE = """query($id: ID!) { leadUpload(id: $id) { state size received version fileName campaign { code }
  columns { name samples guessedType suggestedField } mapping { column field } settings {
    poolName description priority activeFrom activeUntil dayOffset dayCount timeFrom timeUntil
    duplicateField duplicateScope duplicateAction onlyOpen includeInactivePools repeatsWithinFile
    ownerUser { id } ownerTeams { id } } } }"""
NOTHING = "{ leadPools { totalCount } leads { totalCount } }"
SUBMIT = """mutation($input: ImportLeadsInput!) { importLeads(input: $input) { job { id } leadPool { id name }
  userErrors { code field ... on StaleVersion { currentVersion } } } }"""
PUSH = """mutation($input: PushLeadsInput!) { pushLeads(input: $input) { accounts { valid }
  leadPool { id name source description priority activeFrom activeUntil } userErrors { code field } } }"""
USER = """mutation { createUser(input: {email: "gone@acme.example", name: "G", roles: [AGENT]}) {
  user { id } } }"""
GONE = "mutation($id: ID!) { deactivateUser(input: {id: $id}) { userErrors { code } } }"
TEAM = "mutation($name: String!) { createTeam(input: {name: $name}) { team { id } } }"
VIEWER = "{ viewer { user { id } } }"


@pytest.fixture
def office(import_office: ImportOffice) -> ImportOffice:
    return import_office


async def state(office: ImportOffice, upload: str) -> dict[str, Any]:
    return dict((await office.client.run(STATE, id=upload))["leadUpload"])


async def test_nothing_is_imported_before_the_submission_however_often_the_steps_are_gone_through(
    office: ImportOffice,
) -> None:
    before = await office.client.run(NOTHING)
    campaign = await office.campaign("STEPS")
    upload = await office.uploaded(campaign, phones(0, 5))
    for _ in range(2):
        await office.updated(upload, settings={"priority": 3})
        await office.updated(upload, dialect={"separator": ";"})
        await office.updated(upload, dialect={"separator": ","})
        await office.updated(upload, mapping=[{"column": "phone", "field": "phone"}])
        await office.updated(upload, settings={"duplicateScope": "ALL", "duplicateAction": "NOTIFY"})
        assert (await office.submitted(upload, dry_run=True))["plan"]["valid"] == 5
    assert await office.client.run(NOTHING) == before
    begun = await office.submitted(upload)
    await office.finished(begun["job"]["id"])
    assert len(await office.leads(begun["leadPool"]["id"])) == 5


async def test_a_step_changes_its_own_settings_and_leaves_those_of_the_others(office: ImportOffice) -> None:
    campaign = await office.campaign("OWN-STEP")
    team = (await office.client.run(TEAM, name="North"))["createTeam"]["team"]["id"]
    user = (await office.client.run(VIEWER))["viewer"]["user"]["id"]
    upload = await office.uploaded(campaign, phones(0, 2))
    plain = (await state(office, upload))["settings"]
    first = {
        "poolName": "Spring",
        "description": "d",
        "priority": 5,
        "activeFrom": "2026-01-01T00:00:00+00:00",
        "activeUntil": "2036-01-01T00:00:00+00:00",
        "dayOffset": 1,
        "dayCount": 2,
        "timeFrom": "09:00",
        "timeUntil": "17:00",
    }
    await office.updated(upload, settings={**first, "ownerTeamIds": [team]})
    second = {"duplicateScope": "PROJECT", "duplicateAction": "NOTIFY", "onlyOpen": True}
    second |= {"includeInactivePools": True, "repeatsWithinFile": False}
    await office.updated(upload, settings=second)
    chosen = {**plain, **first, **second, "ownerTeams": [{"id": team}]}
    assert (await state(office, upload))["settings"] == chosen

    await office.updated(upload, settings={"timeUntil": "18:00", "ownerUserId": user})
    chosen |= {"timeUntil": "18:00", "ownerUser": {"id": user}, "ownerTeams": []}
    assert (await state(office, upload))["settings"] == chosen
    await office.updated(upload, settings={"ownerTeamIds": [team]})
    chosen |= {"ownerUser": None, "ownerTeams": [{"id": team}]}
    assert (await state(office, upload))["settings"] == chosen
    await office.updated(upload, settings=dict.fromkeys([*first, *second, "ownerTeamIds"]))
    assert (await state(office, upload))["settings"] == plain


async def test_settings_that_are_changed_at_once_are_all_changed(office: ImportOffice) -> None:
    upload = await office.uploaded(await office.campaign("AT-ONCE"), phones(0, 1))

    async def changed(**settings: int) -> None:
        assert (await office.updated(upload, settings=settings))["userErrors"] == []

    for number in range(2, 12):
        async with anyio.create_task_group() as steps:
            for name in ("priority", "dayOffset", "dayCount"):
                steps.start_soon(partial(changed, **{name: number}))
        chosen = (await state(office, upload))["settings"]
        assert [chosen[name] for name in ("priority", "dayOffset", "dayCount")] == [number] * 3


async def test_another_file_takes_the_place_of_one_that_has_arrived_until_the_upload_is_submitted(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("OTHER-FILE")
    upload = await office.uploaded(campaign, b"phone,alias\n2015550101,Ann\n")
    await office.updated(
        upload, mapping=[{"column": "phone", "field": "phone"}, {"column": "alias", "field": "name"}]
    )
    url = f"/uploads/{upload}"
    assert (await office.client.put(url, b"x", **{"Upload-Offset": "27"})).status_code == 409

    longer = b"alias,phone,more\nBob,2015550102,x\nCy,2015550103,y\n"
    assert (await office.client.put(url, longer)).json() == {"received": len(longer), "complete": True}
    found = await state(office, upload)
    assert (found["state"], found["size"]) == ("RECEIVED", len(longer))
    assert {one["column"]: one["field"] for one in found["mapping"]} == {"phone": "phone", "alias": "name"}

    other = b"telephone\n2015550104\n"
    assert (await office.client.put(url, other)).status_code == 200
    found = await state(office, upload)
    assert found["mapping"] == [{"column": "telephone", "field": "phone"}]

    refused = await office.client.put(url, b"")
    assert refused.status_code == 400
    found = await state(office, upload)
    assert (found["state"], found["received"], found["columns"]) == ("RECEIVING", 0, None)
    assert [one["field"] for one in (await office.submitted(upload))["userErrors"]] == [["input", "uploadId"]]

    assert (await office.client.put(url, longer)).status_code == 200
    begun = await office.submitted(upload)
    await office.finished(begun["job"]["id"])
    assert [lead["phone"] for lead in await office.leads(begun["leadPool"]["id"])] == [
        "+12015550102",
        "+12015550103",
    ]
    assert (await office.client.put(url, longer)).status_code == 409


async def test_a_piece_sent_with_content_range_is_refused_and_gives_up_nothing_of_what_has_arrived(
    office: ImportOffice,
) -> None:
    campaign = await office.campaign("RANGE")
    data = phones(0, 3)
    wanted = {"campaignId": campaign, "fileName": "a.csv", "size": len(data)}
    wanted["settings"] = {"duplicateField": "phone"}
    made = (await office.client.run(CREATE, input=wanted))["createLeadUpload"]["leadUpload"]
    url, range_ = made["url"], {"Content-Range": f"bytes 20-{len(data) - 1}/{len(data)}"}
    assert (await office.client.put(url, data[:20])).json() == {"received": 20, "complete": False}
    for _ in ("while it arrives", "when all of it has"):
        refused = await office.client.put(url, data[20:], **range_)
        assert refused.status_code == 400
        assert "Content-Range" in refused.text
        assert "Upload-Offset" in refused.text
        at = refused.headers["Upload-Offset"]
        assert (await office.client.put(url, data[int(at) :], **{"Upload-Offset": at})).status_code in (
            200,
            409,
        )
    begun = await office.submitted(made["id"])
    assert (await office.finished(begun["job"]["id"]))["progress"]["valid"] == 3


async def test_a_file_sent_after_the_submission_is_refused_as_what_comes_too_late(
    office: ImportOffice,
) -> None:
    upload = await office.uploaded(await office.campaign("LATE"), phones(0, 2))
    behind = await office.client.put(f"/uploads/{upload}", b"x", **{"Upload-Offset": "1"})
    assert behind.status_code == 409
    assert "arrived already" in behind.text
    await office.finished((await office.submitted(upload))["job"]["id"])
    for headers in ({}, {"Upload-Offset": "0"}):
        late = await office.client.put(f"/uploads/{upload}", phones(5, 2), **headers)
        assert late.status_code == 409
        assert "has been submitted" in late.text


async def test_the_campaign_of_an_upload_is_changed_and_its_file_read_as_that_ones_region_writes(
    office: ImportOffice,
) -> None:
    american = await office.campaign("AMERICAN")
    french = await office.campaign(
        "FRENCH", fields=[{"key": "tel", "type": "PHONE"}, {"key": "nom"}], region="FR"
    )
    upload = await office.uploaded(american, b"nom;tel\nAnn;02 99 12 34 56\n")
    found = await state(office, upload)
    assert [(one["guessedType"], one["suggestedField"]) for one in found["columns"]] == [
        ("TEXT", None),
        ("TEXT", "phone"),
    ]
    stale = await office.updated(upload, campaignId=french, expectedVersion=found["version"] - 1)
    assert [error["code"] for error in stale["userErrors"]] == ["STALE_VERSION"]
    assert (await office.updated(upload, campaignId=french))["userErrors"] == []
    found = await state(office, upload)
    assert found["campaign"]["code"] == "FRENCH"
    assert [(one["guessedType"], one["suggestedField"]) for one in found["columns"]] == [
        ("TEXT", "nom"),
        ("PHONE", "tel"),
    ]
    assert {one["column"]: one["field"] for one in found["mapping"]} == {"tel": "tel", "nom": "nom"}
    begun = await office.submitted(upload)
    await office.finished(begun["job"]["id"])
    (lead,) = await office.leads(begun["leadPool"]["id"])
    assert lead["phone"] == "+33299123456"
    late = await office.updated(upload, campaignId=american)
    assert [error["code"] for error in late["userErrors"]] == ["CONFLICT"]


async def test_a_submission_of_what_somebody_else_changed_meanwhile_is_refused(office: ImportOffice) -> None:
    campaign = await office.campaign("STALE")
    upload = await office.uploaded(campaign, phones(0, 2))
    seen = (await state(office, upload))["version"]
    await office.updated(upload, settings={"poolName": "Theirs"})
    for dry_run in (False, True):
        wanted = {"uploadId": upload, "expectedVersion": seen, "dryRun": dry_run}
        (error,) = (await office.client.run(SUBMIT, input=wanted))["importLeads"]["userErrors"]
        assert (error["code"], error["currentVersion"]) == ("STALE_VERSION", seen + 1)
    begun = (await office.client.run(SUBMIT, input={"uploadId": upload, "expectedVersion": seen + 1}))[
        "importLeads"
    ]
    assert begun["leadPool"]["name"] == "Theirs"


async def test_a_push_has_the_settings_of_an_upload(office: ImportOffice) -> None:
    await office.campaign("PUSHED", timeZone="Europe/Paris")
    team = (await office.client.run(TEAM, name="Pushed"))["createTeam"]["team"]["id"]
    rows = [{"values": {"phone": f"20155501{number}"}} for number in range(10, 30)]
    settings = {
        "owner": {"teamIds": [team]},
        "priority": 4,
        "dayOffset": 2,
        "dayCount": 2,
        "timeFrom": "09:00",
        "timeUntil": "10:00",
    }
    of_pool = {
        "description": "From the shop",
        "activeFrom": "2026-01-01T00:00:00+00:00",
        "activeUntil": "2036-01-01T00:00:00+00:00",
    }
    wanted = {"campaignCode": "PUSHED", "rows": rows, **settings}
    first = (await office.client.run(PUSH, input={**wanted, "poolName": "Shop", **of_pool}))["pushLeads"]
    pool = first["leadPool"]
    assert first["userErrors"] == []
    assert {name: pool[name] for name in (*of_pool, "name", "source", "priority")} == {
        **of_pool,
        "name": "Shop",
        "source": "api",
        "priority": 4,
    }
    zone = ZoneInfo("Europe/Paris")
    leads = await office.leads(pool["id"])
    assert len(leads) == 20
    moments = [datetime.fromisoformat(lead["nextCallAt"]).astimezone(zone) for lead in leads]
    assert {at.hour for at in moments} == {9}
    assert len({at.date() for at in moments}) == 2
    assert {(lead["priority"], lead["ownerTeams"][0]["id"]) for lead in leads} == {(4, team)}

    standing = await office.client.run(PUSH, input={**wanted, "rows": [{"values": {"phone": "2015550199"}}]})
    (lead,) = await office.leads(standing["pushLeads"]["leadPool"]["id"])
    assert (lead["priority"], lead["ownerTeams"]) == (4, [{"id": team}])
    for wrong, field in (
        ({"description": "d"}, "description"),
        ({"dayCount": 0}, "dayCount"),
        ({"timeFrom": "9"}, "timeFrom"),
    ):
        refused = (await office.client.run(PUSH, input={**wanted, **wrong}))["pushLeads"]["userErrors"]
        assert [(error["code"], error["field"][-1]) for error in refused] == [("BAD_USER_INPUT", field)]


async def test_nobody_who_has_left_owns_the_leads_of_an_upload(office: ImportOffice) -> None:
    campaign = await office.campaign("LEFT")
    user = (await office.client.run(USER))["createUser"]["user"]["id"]
    upload = await office.uploaded(campaign, phones(0, 1))
    assert (await office.updated(upload, settings={"ownerUserId": user}))["userErrors"] == []
    await office.client.run(GONE, id=user)
    (error,) = (await office.updated(upload, settings={"ownerUserId": user}))["userErrors"]
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", ["input", "settings", "ownerUserId"])
    (error,) = (await office.submitted(upload))["userErrors"]
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", ["input", "uploadId"])


async def test_what_is_wrong_with_the_settings_of_an_upload_is_told_by_the_setting(
    office: ImportOffice,
) -> None:
    upload = await office.uploaded(await office.campaign("WRONG"), phones(0, 1))
    for wrong, name in (
        ({"poolName": "p" * 201}, "poolName"),
        ({"description": "d" * 20_001}, "description"),
        ({"activeFrom": "2026-02-01T00:00:00Z", "activeUntil": "2026-01-01T00:00:00Z"}, "activeUntil"),
        ({"dayOffset": -1}, "dayOffset"),
        ({"timeFrom": "18:00", "timeUntil": "09:00"}, "timeUntil"),
    ):
        (error,) = (await office.updated(upload, settings=wrong))["userErrors"]
        assert (error["code"], error["field"]) == ("BAD_USER_INPUT", ["input", "settings", name])
