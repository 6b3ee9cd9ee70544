"""Leads as clients meet them: lists, pages, edits, entries, pushes and clones, over HTTP on both engines."""

import asyncio
from typing import Any

import pytest

from core.access import Role
from gql.schema.ids import opaque
from tests.client import GraphQLFailed
from tests.conftest import Connect
from tests.lead_office import (
    CLONE,
    CREATE,
    DELETE,
    FIELDS,
    LEADS,
    PUSH,
    UPDATE,
    UPDATE_ALL,
    WIDE,
    Office,
    finished,
    phone,
)
from tests.server import Server

pytestmark = pytest.mark.anyio

PEOPLE: list[dict[str, Any]] = [
    {"name": "Anna Berg", "city": "Århus", "mail": "Anna@Acme.example", "beds": 10, "opened": "2020-01-05"},
    {"name": "Bo Lind", "city": "Oslo", "beds": 300, "kind": "public", "mobile": "(202) 555-0199"},
    {"name": "Carl Berg", "city": "århus", "beds": None, "opened": "2024-06-01", "kind": "Private"},
    {"name": "Dora Ek", "mail": "dora@acme.example", "beds": 20},
]
PAGE = """query($id: ID!) { lead(id: $id) { id source phone project { name } campaign { code }
  leadPool { name } ownerUser { email } values { key value } segments { name } clones { id campaign { code } }
  master { id } calls { totalCount nodes { resultKey note } }
  history { totalCount nodes { action actor { user { email } } before after } } } }"""
CHANGES = """query($segments: [ID!]) { membershipChanges(segmentIds: $segments) {
  nodes { joined left cause } } }"""
SEGMENT = "query($id: ID!) { segment(id: $id) { memberCount members { totalCount } } }"
POOLS = "{ leadPools(first: 200) { nodes { name source rows valid invalid duplicates } } }"


@pytest.fixture
def server(shop: tuple[Server, str]) -> Server:
    return shop[0]


async def people(office: Office) -> None:
    rows = [{"phone": phone(number), **person} for number, person in enumerate(PEOPLE, 100)]
    answer = await office.push("HOUSES", rows)
    assert answer["userErrors"] == []
    assert answer["accounts"]["valid"] == len(PEOPLE)


def rule(field: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}


async def test_leads_are_listed_by_conditions_by_a_rule_by_search_and_in_any_order(office: Office) -> None:
    await office.open("HOUSES", "SCHOOLS")
    await people(office)
    await office.push("SCHOOLS", [{"phone": phone(500), "name": "Eva"}])
    changed = await office.change(
        UPDATE,
        id=office.leads["Bo Lind"],
        status="CLOSED",
        priority=7,
        owner={"userId": await own_id(office)},
    )
    assert changed["userErrors"] == []

    in_houses = {"campaignId": office.campaigns["HOUSES"]}
    project = {"projectId": office.project}
    for where, expected in [
        ({"status": {"eq": "CLOSED"}}, ["Bo Lind"]),
        ({"status": {"ne": "CLOSED"}, **in_houses}, ["Anna Berg", "Carl Berg", "Dora Ek"]),
        ({"priority": {"gte": 7}}, ["Bo Lind"]),
        ({"OR": [{"priority": {"gt": 7}}, {"campaign": {"in": [office.campaigns["SCHOOLS"]]}}]}, ["Eva"]),
        ({"NOT": {"campaign": {"eq": office.campaigns["HOUSES"]}}}, ["Eva"]),
        ({"ownerUser": {"isNull": False}}, ["Bo Lind"]),
        (
            {"ownerUser": {"ne": await own_id(office)}, "campaign": {"ne": office.campaigns["HOUSES"]}},
            ["Eva"],
        ),
        ({"AND": [{"open": {"eq": True}}, {"phone": {"startsWith": "+12025550500"}}]}, ["Eva"]),
        ({"createdAt": {"gt": "2100-01-01T00:00:00Z"}}, []),
        ({"lastCalledAt": {"isNull": False}}, []),
        ({"result": {"notIn": ["sale"]}, "status": {"in": ["CLOSED"]}}, ["Bo Lind"]),
    ]:
        assert await office.names(where=where) == expected, where

    assert await office.names(where=project, filter=rule("city", "=", "ÅRHUS")) == ["Anna Berg", "Carl Berg"]
    assert await office.names(where=in_houses, filter=rule("beds", "!=", 10)) == [
        "Bo Lind",
        "Carl Berg",
        "Dora Ek",
    ]
    assert await office.names(filter=rule("kind", "=", "private")) == ["Carl Berg"]

    for search, expected in [
        ("berg", ["Anna Berg", "Carl Berg"]),
        ("ÅRHUS anna", ["Anna Berg"]),
        ("acme.example", ["Anna Berg", "Dora Ek"]),
        ("(202) 555 0101", ["Bo Lind"]),
        ("2025550199", ["Bo Lind"]),
        ("nobody", []),
        ("  ", ["Anna Berg", "Bo Lind", "Carl Berg", "Dora Ek", "Eva"]),
    ]:
        assert await office.names(search=search) == expected, search

    async def sorted_by(*keys: dict[str, Any]) -> list[str]:
        return await office.names(where=in_houses, orderBy=list(keys))

    assert await sorted_by({"field": "beds"}) == ["Anna Berg", "Dora Ek", "Bo Lind", "Carl Berg"]
    assert await sorted_by({"field": "beds", "descending": True}) == [
        "Bo Lind",
        "Dora Ek",
        "Anna Berg",
        "Carl Berg",
    ]
    assert await sorted_by({"field": "city"}, {"field": "name", "descending": True}) == [
        "Bo Lind",
        "Carl Berg",
        "Anna Berg",
        "Dora Ek",
    ]
    assert await sorted_by({"by": "PRIORITY", "descending": True}, {"by": "PHONE", "descending": True}) == [
        "Bo Lind",
        "Dora Ek",
        "Carl Berg",
        "Anna Berg",
    ]

    refusals: list[dict[str, Any]] = [
        {"where": {"status": {}}},
        {"where": {"OR": []}},
        {"where": {"NOT": {}}},
        {"where": {"ownerUser": {"eq": None}}},
        {"where": {"priority": {"in": []}}},
        {"where": project, "filter": {}},
        {"where": project, "filter": rule("no_such", "=", 1)},
        {"orderBy": [{"by": "STATUS", "field": "city"}]},
        {"orderBy": [{"field": "no_such"}]},
        {"search": "word " * 9},
        {"after": "WzFd", "orderBy": [{"by": "STATUS"}]},
    ]
    for wrong in refusals:
        with pytest.raises(GraphQLFailed) as refused:
            await office.client.run(LEADS, **wrong)
        assert refused.value.codes[0] in ("BAD_USER_INPUT", "INVALID_RULE"), wrong


async def own_id(office: Office) -> str:
    viewer = await office.client.run("{ viewer { user { id } } }")
    return str(viewer["viewer"]["user"]["id"])


async def test_who_sees_phones_masked_can_ask_nothing_about_them(
    office: Office, server: Server, connect: Connect
) -> None:
    await office.open("HOUSES")
    await people(office)
    await office.change(
        UPDATE, id=office.leads["Bo Lind"], values=[{"key": "mobile", "value": "202-555-0177"}]
    )
    blind = await connect(server.url, await office.token("robot", Role.INTEGRATOR))

    asked = '{ leads(search: "bo") { nodes { phone phoneRaw values { key value } value(key: "mobile") } } }'
    shown = (await blind.run(asked))["leads"]["nodes"][0]
    assert "5550" not in str(shown).replace("-", "")
    assert shown["phone"].endswith("01")

    project = {"projectId": office.project}
    for question in (
        {"where": {"phone": {"startsWith": "+1"}}},
        {"where": {"NOT": {"OR": [{"phone": {"eq": "+12025550101"}}]}}},
        {"where": project, "filter": rule("lead.phone", "beginsWith", "+1")},
        {"where": project, "filter": rule("mobile", "contains", "0177")},
        {"orderBy": [{"by": "PHONE"}]},
        {"where": project, "orderBy": [{"field": "mobile"}]},
    ):
        with pytest.raises(GraphQLFailed) as refused:
            await blind.run(LEADS, **question)
        assert refused.value.codes == ["FORBIDDEN"], question
        assert (await office.client.run(LEADS, **question))["leads"]["nodes"], question
    for digits in ("2025550101", "+12025550177", "0177"):
        assert await office.names(blind, search=digits) == []
        assert await office.names(search=digits) == ["Bo Lind"]

    manager = await connect(server.url, await office.token("manager", Role.MANAGER))
    revoke = """mutation { revokePermission(input: {from: {role: MANAGER}, permission: PHONE_VIEW}) {
      userErrors { code } } }"""
    log = """query($id: ID!) { lead(id: $id) { history { nodes { action before after } } } }"""
    seen = (await manager.run(log, id=office.leads["Bo Lind"]))["lead"]["history"]["nodes"][0]
    assert seen["after"] == {"phones": {"mobile": "202-555-0177"}}
    assert (await office.client.run(revoke))["revokePermission"]["userErrors"] == []
    masked = (await manager.run(log, id=office.leads["Bo Lind"]))["lead"]["history"]["nodes"][0]
    assert masked["after"] == {"phones": {"mobile": "•••-•••-••77"}}
    assert masked["before"] == {"phones": {"mobile": "(•••) •••-••99"}}


async def test_a_leads_page_shows_its_place_values_segments_clones_and_history(
    office: Office, server: Server, connect: Connect
) -> None:
    await office.open("HOUSES", "SCHOOLS")
    await people(office)
    anna = office.leads["Anna Berg"]
    await office.segment_with("Anna Berg")
    await office.change(UPDATE, id=anna, values=[{"key": "city", "value": "Odense"}])
    clone = (await office.change(CLONE, id=anna, campaignId=office.campaigns["SCHOOLS"]))["lead"]["id"]

    page = (await office.client.run(PAGE, id=anna))["lead"]
    assert page["source"] == "api"
    assert (page["project"]["name"], page["campaign"]["code"]) == ("P", "HOUSES")
    assert page["segments"] == [{"name": "S"}]
    assert page["clones"] == [{"id": clone, "campaign": {"code": "SCHOOLS"}}]
    assert page["calls"] == {"totalCount": 0, "nodes": []}
    assert page["history"]["totalCount"] == 1
    assert page["history"]["nodes"][0] == {
        "action": "updated",
        "actor": {"user": {"email": "admin@acme.example"}},
        "before": {"values": {"city": "Århus"}},
        "after": {"values": {"city": "Odense"}},
    }
    assert (await office.client.run(PAGE, id=clone))["lead"]["master"] == {"id": anna}

    agent = await connect(server.url, await office.token("agent", Role.AGENT))
    assert await office.names(agent) == []
    assert (await agent.run("query($id: ID!) { lead(id: $id) { id } }", id=anna))["lead"] is None
    me = (await agent.run("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    await office.change(UPDATE, id=anna, owner={"userId": me})
    assert await office.names(agent) == ["Anna Berg"]
    with pytest.raises(GraphQLFailed) as refused:
        await agent.run(PAGE, id=anna)
    assert refused.value.codes == ["FORBIDDEN"]
    seen = "query($id: ID!) { lead(id: $id) { ownerUser { email } segments { name } clones { id } } }"
    assert (await agent.run(seen, id=anna))["lead"] == {
        "ownerUser": {"email": "agent@acme.example"},
        "segments": [],
        "clones": [],
    }


async def test_an_edit_is_checked_by_the_template_and_by_the_version_that_was_seen(office: Office) -> None:
    await office.open("HOUSES")
    await people(office)
    anna = office.leads["Anna Berg"]

    async def edit(**changes: Any) -> dict[str, Any]:
        return await office.change(UPDATE, id=anna, **changes)

    def values(**given: str | None) -> list[dict[str, str | None]]:
        return [{"key": key, "value": value} for key, value in given.items()]

    for given, place in [
        (values(phone="12"), "phone"),
        (values(phone=None), "phone"),
        (values(name=" "), "name"),
        (values(beds="6000"), "beds"),
        (values(kind="Other"), "kind"),
        (values(nothing="x"), "nothing"),
    ]:
        refused = await edit(values=given)
        assert refused["lead"] is None
        assert refused["userErrors"][0]["code"] == "BAD_USER_INPUT"
        assert refused["userErrors"][0]["field"] == ["input", "values", place]

    first = await edit(values=values(city="Esbjerg"), expectedVersion=1)
    assert (first["lead"]["version"], first["userErrors"]) == (2, [])
    stale = await edit(values=values(city="Ribe"), expectedVersion=1)
    assert stale["lead"] is None
    assert (stale["userErrors"][0]["code"], stale["userErrors"][0]["currentVersion"]) == ("STALE_VERSION", 2)
    assert await office.names(filter=rule("city", "=", "esbjerg")) == ["Anna Berg"]

    same = await edit(values=values(city="Esbjerg"))
    assert (same["lead"]["version"], same["lead"]["changedAt"]) == (2, first["lead"]["changedAt"])
    raised = await edit(priority=3)
    assert (raised["lead"]["version"], raised["lead"]["changedAt"]) == (3, first["lead"]["changedAt"])
    switched = await edit(active=False)
    assert switched["lead"]["changedAt"] > first["lead"]["changedAt"]

    dialled = await edit(values=values(phone="+1 (202) 555-0142", beds="many"))
    assert dialled["lead"]["phone"] == "+12025550142"
    assert dialled["warnings"] == [{"field": "beds", "value": "many", "reason": "is not a whole number"}]
    assert await office.names(filter=rule("beds", "null")) == ["Anna Berg", "Carl Berg"]
    again = [{"phone": "2025550142", "name": "Anna anew"}, {"phone": phone(100), "name": "Free again"}]
    await edit(active=True)
    pushed = await office.push("HOUSES", again)
    assert [row["outcome"] for row in pushed["rows"]] == ["DUPLICATE", "IMPORTED"]
    assert pushed["rows"][0]["duplicateOfId"] == anna

    team = (await office.client.run('mutation { createTeam(input: {name: "T"}) { team { id } } }'))[
        "createTeam"
    ]
    owned = await edit(owner={"teamIds": [team["team"]["id"]]}, status="REMOVED")
    assert (owned["lead"]["ownerTeams"], owned["lead"]["status"]) == ([{"name": "T"}], "REMOVED")
    assert await office.names(where={"open": {"eq": False}}) == ["Anna Berg"]
    freed = await edit(owner={"nobody": True}, status="OPEN")
    assert (freed["lead"]["ownerTeams"], freed["lead"]["status"]) == ([], "OPEN")
    gone = await edit(owner={"userId": team["team"]["id"]})
    assert gone["userErrors"][0]["code"] == "NOT_FOUND"


async def test_many_leads_are_edited_alike_at_once_or_by_a_job(office: Office) -> None:
    await office.open("HOUSES")
    await office.push("HOUSES", [{"phone": phone(n), "name": f"L{n}", "beds": n} for n in range(450)])
    some = [office.leads[f"L{n}"] for n in range(3)]
    missing = opaque("Lead", office.tenant.organisation_id, 9_999)

    async def edit(ids: list[str], mode: str, **changes: Any) -> dict[str, Any]:
        return await office.change(UPDATE_ALL, selection={"ids": ids}, changes=changes, mode=mode)

    broken = await edit([*some, missing], "ATOMIC", priority=5)
    assert broken["userErrors"][0]["field"] == ["input", "selection", "ids", "3"]
    assert await office.names(where={"priority": {"eq": 5}}) == []
    each = await edit([*some, missing], "EACH", priority=5)
    assert [one["changed"] for one in each["outcomes"]] == [True, True, True, False]
    assert [one["userErrors"] for one in each["outcomes"]][3] == [{"code": "NOT_FOUND", "field": None}]
    assert await office.names(where={"priority": {"eq": 5}}) == ["L0", "L1", "L2"]

    every = await edit(list(office.leads.values()), "EACH", status="CLOSED")
    assert every["outcomes"] == []
    done = await finished(office.client, every["job"]["id"])
    assert (done["kind"], done["state"], done["progress"]) == (
        "LEAD_UPDATE",
        "SUCCEEDED",
        {"rows": 450, "percent": 100.0},
    )
    assert done["leadUpdate"] == {
        "leads": 450,
        "changed": 450,
        "unchanged": 0,
        "failed": 0,
        "failures": [],
    }
    counted = "query($where: LeadFilter) { leads(where: $where) { totalCount } }"
    assert (await office.client.run(counted, where={"open": {"eq": True}}))["leads"]["totalCount"] == 0

    few = {"filter": rule("beds", "<", 10), "where": {"projectId": office.project}}
    retyped = await office.change(
        UPDATE_ALL,
        selection={"where": few},
        changes={"values": [{"key": "kind", "value": "Other"}], "status": "OPEN"},
    )
    told = (await finished(office.client, retyped["job"]["id"]))["leadUpdate"]
    assert (told["leads"], told["changed"], told["failed"]) == (10, 0, 10)
    assert told["failures"][0]["code"] == "BAD_USER_INPUT"
    assert {one["leadId"] for one in told["failures"]} == {office.leads[f"L{n}"] for n in range(10)}

    segment = await office.segment_with("L7", "L8")
    by_segment = await office.change(UPDATE_ALL, selection={"segmentId": segment}, changes={"status": "OPEN"})
    assert (await finished(office.client, by_segment["job"]["id"]))["leadUpdate"]["changed"] == 2
    assert await office.names(where={"status": {"eq": "OPEN"}}) == ["L7", "L8"]
    nothings: list[dict[str, Any]] = [{"ids": []}, {"where": {}}]
    for nothing in nothings:
        refused = await office.change(UPDATE_ALL, selection=nothing, changes={"priority": 1})
        assert refused["userErrors"][0]["code"] == "BAD_USER_INPUT"


async def test_a_lead_by_hand_goes_to_the_standing_pool_and_a_duplicate_is_named(office: Office) -> None:
    await office.open("HOUSES", fields=[*FIELDS, *WIDE])
    campaign = office.campaigns["HOUSES"]

    async def enter(number: int, name: str = "N", **more: Any) -> dict[str, Any]:
        values = {"phone": phone(number), "name": name, "extra23": "Far out"}
        given = [{"key": key, "value": value} for key, value in values.items()]
        return await office.change(CREATE, campaignId=campaign, values=given, **more)

    at_once = await asyncio.gather(*(enter(number) for number in range(8)))
    assert [one["userErrors"] for one in at_once] == [[]] * 8
    pools = (await office.client.run(POOLS))["leadPools"]["nodes"]
    assert pools == [
        {"name": "By hand", "source": "hand", "rows": 8, "valid": 8, "invalid": 0, "duplicates": 0}
    ]
    assert len(await office.names(filter=rule("extra23", "=", "far OUT"))) == 8

    existing = at_once[0]["lead"]["id"]
    refused = await enter(0)
    assert refused["userErrors"][0]["__typename"] == "DuplicateLead"
    assert refused["userErrors"][0]["lead"] == {"id": existing}
    noted = await enter(0, "Again", duplicates={"action": "NOTIFY"})
    assert (noted["duplicateAction"], noted["duplicateOf"]) == ("imported and reported", {"id": existing})
    assert (await enter(0, "Free", duplicates={"scope": "NONE"}))["userErrors"] == []
    pools = (await office.client.run(POOLS))["leadPools"]["nodes"]
    assert (pools[0]["rows"], pools[0]["valid"], pools[0]["duplicates"]) == (10, 10, 0)

    nameless = await enter(20, " ")
    assert nameless["userErrors"][0]["field"] == ["input", "values", "name"]
    twice = [{"key": "name", "value": "A"}, {"key": "name", "value": "B"}]
    doubled = await office.change(CREATE, campaignId=campaign, values=twice)
    assert doubled["userErrors"][0]["field"] == ["input", "values", "1", "key"]
    archive = (
        "mutation($id: ID!) { archiveCampaign(input: {id: $id, confirm: true}) { userErrors { code } } }"
    )
    await office.client.run(archive.replace(", confirm: true", ""), id=campaign)
    late = await enter(30)
    assert late["userErrors"][0]["code"] in ("CONFLICT", "NOT_FOUND")


async def test_a_push_with_the_same_key_is_one_import_and_is_answered_alike(office: Office) -> None:
    await office.open("HOUSES")
    rows: list[dict[str, Any]] = [
        {"phone": phone(1), "name": "One", "beds": 12},
        {"phone": phone(2), "name": "Two", "beds": 9_999},
        {"phone": phone(1), "name": "One again"},
        {"phone": "nothing", "name": "Three"},
        {"phone": phone(4), "name": "Four", "unknown": 1},
        {"phone": phone(5), "name": "Five", "city": ["no", "list"]},
        {"phone": phone(6), "name": "Six", "beds": "many", "opened": None},
    ]
    first = await office.push("HOUSES", rows, idempotencyKey="k1")
    assert first["accounts"] == {
        "rows": 7,
        "valid": 2,
        "invalid": 4,
        "duplicates": 1,
        "flagged": 0,
        "actedOn": 0,
    }
    assert [(row["outcome"], row["field"]) for row in first["rows"]] == [
        ("IMPORTED", None),
        ("INVALID", "beds"),
        ("DUPLICATE", None),
        ("INVALID", "phone"),
        ("INVALID", "unknown"),
        ("INVALID", "city"),
        ("IMPORTED", "beds"),
    ]
    assert first["rows"][1]["reason"] == "range: is above 5000"
    assert first["rows"][2]["duplicateOfId"] == first["rows"][0]["leadId"]
    assert first["leadPool"]["name"] == "By API"

    assert await office.push("HOUSES", rows, idempotencyKey="k1") == first
    assert await office.names() == ["One", "Six"]
    other = await office.push("HOUSES", rows[:1], idempotencyKey="k1")
    assert (other["userErrors"][0]["code"], other["accounts"]) == ("CONFLICT", None)

    given = {"campaignCode": "HOUSES", "rows": [{"values": {"phone": phone(70), "name": "S"}}]}
    at_once = await asyncio.gather(
        *(office.client.run(PUSH, input={**given, "idempotencyKey": "k2"}) for _ in range(6))
    )
    answers = [one["pushLeads"] for one in at_once]
    assert answers == [answers[0]] * 6
    assert answers[0]["accounts"]["valid"] == 1

    named = await office.push(
        "HOUSES",
        [
            {"phone": phone(80), "name": "A", "mail": "x@y.example"},
            {"phone": phone(81), "name": "B", "mail": "X@Y.example"},
        ],
        poolName="Fair",
        duplicateField="mail",
        duplicates={"action": "DEACTIVATE", "scope": "ALL"},
    )
    assert named["leadPool"]["name"] == "Fair"
    assert (named["accounts"]["flagged"], named["accounts"]["actedOn"]) == (1, 1)
    assert await office.names(where={"active": {"eq": False}}) == ["A"]

    pools = (await office.client.run(POOLS))["leadPools"]["nodes"]
    assert sorted((pool["name"], pool["rows"]) for pool in pools) == [("By API", 8), ("Fair", 2)]
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"rows": []}, "rows"),
        ({"rows": [{"values": {}}] * 1_001}, "rows"),
        ({"idempotencyKey": " "}, "idempotencyKey"),
        ({"campaignCode": "NO"}, "campaignCode"),
        ({"duplicateField": "mail"}, "duplicateField"),
        ({"campaignCode": None}, "campaignCode"),
    ]
    for wrong, field in refusals:
        refused = await office.change(PUSH, **{**given, **wrong})
        assert refused["userErrors"][0]["field"][1] == field, wrong


async def test_a_clone_shares_master_data_and_its_master_stays_while_it_is_there(office: Office) -> None:
    fewer = [field for field in FIELDS if field["key"] not in ("beds", "mobile")]
    needs = {"key": "reason", "label": "Reason", "type": "TEXT", "required": True}
    await office.open("HOUSES")
    await office.campaign("SCHOOLS", office.project, [*fewer, needs], region="FR")
    await people(office)
    anna, schools = office.leads["Anna Berg"], office.campaigns["SCHOOLS"]

    short = await office.change(CLONE, id=anna, campaignId=schools)
    assert short["userErrors"][0]["field"] == ["input", "values", "reason"]
    made = await office.change(
        CLONE, id=anna, campaignId=schools, values=[{"key": "reason", "value": "Trial"}]
    )
    clone = made["lead"]
    assert made["userErrors"] == []
    assert clone["phone"] == "+12025550100"
    assert {one["key"] for one in clone["values"]} == {"phone", "name", "city", "mail", "opened", "reason"}
    for there in (schools, office.campaigns["HOUSES"]):
        again = await office.change(CLONE, id=clone["id"], campaignId=there)
        assert again["userErrors"][0]["code"] == "CONFLICT"

    changes = [{"key": "city", "value": "Skive"}, {"key": "phone", "value": "+33 1 42 68 53 00"}]
    await office.change(
        UPDATE, id=clone["id"], values=[*changes, {"key": "reason", "value": "Own"}], priority=9
    )
    project = {"projectId": office.project}
    assert await office.names(where=project, filter=rule("city", "=", "skive")) == ["Anna Berg"] * 2
    assert await office.names(where={"priority": {"eq": 9}}) == ["Anna Berg"]
    master = (await office.client.run(PAGE, id=anna))["lead"]
    assert master["phone"] == "+33142685300"
    assert "reason" not in {one["key"] for one in master["values"]}
    assert master["history"]["nodes"][0]["action"] == "shared_data_updated"

    held = await office.change(DELETE, id=anna)
    assert held["userErrors"][0]["code"] == "IN_USE"
    assert (await office.change(DELETE, id=clone["id"]))["deletedId"] == clone["id"]
    assert (await office.change(DELETE, id=anna))["deletedId"] == anna
    assert await office.names(search="anna") == []


async def test_a_deleted_lead_leaves_its_segments_which_their_logs_say(office: Office) -> None:
    await office.open("HOUSES")
    await people(office)
    segment = await office.segment_with("Anna Berg", "Bo Lind")
    anna = office.leads["Anna Berg"]
    stale = await office.change(DELETE, id=anna, expectedVersion=9)
    assert stale["userErrors"][0]["code"] == "STALE_VERSION"
    assert (await office.change(DELETE, id=anna))["userErrors"] == []

    assert (await office.client.run(SEGMENT, id=segment))["segment"] == {
        "memberCount": 1,
        "members": {"totalCount": 1},
    }
    moves = (await office.client.run(CHANGES, segments=[segment]))["membershipChanges"]["nodes"]
    assert (moves[-1]["left"], moves[-1]["cause"]) == ([anna], "DELETION")
    assert (await office.client.run(PAGE, id=anna))["lead"] is None
    log = "query($id: ID!) { changeLog(objectId: $id) { nodes { action before } } }"
    gone = (await office.client.run(log, id=anna))["changeLog"]["nodes"][0]
    assert gone["action"] == "deleted"
    assert gone["before"]["values"]["name"] == "Anna Berg"
    assert (await office.change(DELETE, id=anna))["userErrors"][0]["code"] == "NOT_FOUND"
