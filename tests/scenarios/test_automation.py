"""Automated segments as clients meet them: leads change, and the members follow, on both engines."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.automation_office import (
    CREATE_SEGMENT,
    FOLLOW,
    RECORD,
    SAVE,
    START,
    TAG,
    TAKE,
    UPDATE_SEGMENT,
    WITHIN_SECONDS,
    Segments,
    either,
    every,
    where,
)
from tests.conftest import Connect
from tests.lead_office import CLONE, CREATE, UPDATE, UPDATE_ALL, Office, found, phone, served
from tests.server import Server

pytestmark = pytest.mark.anyio

OSLO = where("city", "=", "Oslo")
PEOPLE = [
    {"name": "Anna", "city": "Oslo", "beds": 10},
    {"name": "Bo", "city": "Oslo", "beds": 300},
    {"name": "Carl", "city": "Bergen", "beds": 10},
]

NEW = {"phone": phone(11), "name": "Eva", "city": "Oslo"}
RESULTS = "query($id: ID!) { campaign(id: $id) { results { key label status isContact isSuccess } } }"
UPDATE_CAMPAIGN = """mutation($input: UpdateCampaignInput!) { updateCampaign(input: $input) {
  userErrors { code message field } } }"""
LOGGED = "query($id: ID!) { changeLog(objectId: $id, first: 50) { nodes { action } } }"
STATE = "query($id: ID!) { segment(id: $id) { state broken memberCount } }"
CREATE_EXCLUSIVE = """mutation { createProject(input: {name: "X", exclusive: true}) { project { id } } }"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tls: ssl.SSLContext
) -> Iterator[tuple[Server, str]]:
    template = request.getfixturevalue(
        "sqlite_template" if request.param == "sqlite" else "postgres_template"
    )
    with served(template, tmp_path_factory.mktemp("automation"), tls) as shop:
        yield shop


@pytest.fixture
async def office(
    shop: tuple[Server, str], connect: Connect, request: pytest.FixtureRequest
) -> AsyncIterator[Office]:
    server, url = shop
    tenant, token = await found(url, request.node.name)
    office = Office(await connect(server.url, token), tenant)
    await office.open("SALES")
    await office.push("SALES", [{**one, "phone": phone(n)} for n, one in enumerate(PEOPLE)])
    yield office
    await tenant.database.close()


@pytest.fixture
async def segments(office: Office) -> Segments:
    segments = Segments(office)
    await segments.open()
    return segments


async def edit(office: Office, name: str, **values: str) -> None:
    given = [{"key": key, "value": value} for key, value in values.items()]
    edited = await office.change(UPDATE, id=office.leads[name], values=given)
    assert edited["userErrors"] == []


async def test_members_follow_edits_as_the_automation_says(segments: Segments, office: Office) -> None:
    await segments.create("mirror", OSLO)
    await segments.create("add", OSLO, "ADD")
    await segments.create("off", OSLO, "OFF")
    assert await segments.members("mirror") == {"Anna", "Bo"}

    await edit(office, "Anna", city="Bergen")
    await edit(office, "Carl", city="oslo")
    await segments.become("mirror", "Bo", "Carl")
    await segments.become("add", "Anna", "Bo", "Carl")
    assert await segments.members("off") == {"Anna", "Bo"}
    assert sorted(await segments.causes("mirror")) == [
        (0, 1, "AUTOMATION"),
        (1, 0, "AUTOMATION"),
        (2, 0, "RULE"),
    ]


async def test_leads_that_come_in_join_by_themselves(segments: Segments, office: Office) -> None:
    await segments.create("oslo", OSLO)
    await office.campaign("OTHER", office.project)
    await office.push("SALES", [{"name": "Dora", "city": "Oslo", "phone": phone(10)}])
    values = [{"key": key, "value": value} for key, value in NEW.items()]
    given = {"campaignId": office.campaigns["SALES"], "values": values}
    office.leads["Eva"] = (await office.change(CREATE, **given))["lead"]["id"]
    given = {"id": office.leads["Anna"], "campaignId": office.campaigns["OTHER"]}
    office.leads["clone"] = (await office.change(CLONE, **given))["lead"]["id"]
    await segments.become("oslo", "Anna", "Bo", "Dora", "Eva", "clone")


async def test_calls_tags_and_bulk_edits_are_followed(segments: Segments, office: Office) -> None:
    await segments.create("called", where("lead.attempts", ">=", 1))
    await segments.create("tagged", where("lead.tags", "contains", "vip"))
    await segments.create("closed", where("lead.status", "=", "closed"))

    started = await office.change(START, campaignIds=[office.campaigns["SALES"]], segmentIds=[])
    session = started["callSession"]["id"]
    taken = (await office.change(TAKE, sessionId=session))["nextLead"]["lead"]["id"]
    done = await office.change(RECORD, sessionId=session, leadId=taken, resultKey="no_answer")
    assert done["userErrors"] == []
    called = {one for one, lead_id in office.leads.items() if lead_id == taken}
    await segments.become("called", *called)

    ids = [office.leads["Anna"], office.leads["Bo"]]
    await office.change(TAG, selection={"ids": ids}, labels=["VIP"])
    await segments.become("tagged", "Anna", "Bo")
    await office.change(UPDATE_ALL, selection={"ids": ids}, changes={"status": "CLOSED"})
    await segments.become("closed", "Anna", "Bo")


async def test_results_that_begin_to_count_as_contact_move_the_leads_they_were_recorded_for(
    segments: Segments, office: Office
) -> None:
    await segments.create("contacted", where("lead.lastContactAt", "notNull"))
    await segments.create("never", where("lead.daysSinceContact", "null"))
    started = await office.change(START, campaignIds=[office.campaigns["SALES"]], segmentIds=[])
    session = started["callSession"]["id"]
    taken = (await office.change(TAKE, sessionId=session))["nextLead"]["lead"]["id"]
    await office.change(RECORD, sessionId=session, leadId=taken, resultKey="no_answer")
    called = {one for one, lead_id in office.leads.items() if lead_id == taken}
    others = {"Anna", "Bo", "Carl"} - called

    campaign = office.campaigns["SALES"]
    known = (await office.client.run(RESULTS, id=campaign))["campaign"]["results"]
    for counts in (True, False):
        results = [one | {"isContact": counts or one["key"] == "success"} for one in known]
        changed = await office.change(UPDATE_CAMPAIGN, id=campaign, results=results)
        assert changed["userErrors"] == []
        await segments.become("contacted", *(called if counts else ()))
        await segments.become("never", *(others if counts else called | others))


async def test_what_was_decided_by_hand_sticks_until_it_is_released(
    segments: Segments, office: Office
) -> None:
    await segments.create("oslo", OSLO)
    await segments.add("oslo", "Carl")
    await segments.remove("oslo", "Anna")
    for name in ("Anna", "Carl"):
        await edit(office, name, beds="11")
    await edit(office, "Bo", city="Bergen")
    await segments.become("oslo", "Carl")

    await segments.release("oslo", "Anna", "Carl")
    await segments.become("oslo", "Anna")


async def test_in_an_exclusive_project_a_lead_stays_where_it_is(office: Office) -> None:
    made = await office.client.run(CREATE_EXCLUSIVE)
    project = made["createProject"]["project"]["id"]
    office.project = project
    await office.campaign("ONE", project)
    segments = Segments(office)
    await segments.open()
    await segments.create("first", OSLO)
    await segments.create("second", where("beds", ">", 5))
    await office.push("ONE", [{"name": "Xenia", "city": "Oslo", "beds": 10, "phone": phone(20)}])
    await office.push("ONE", [{"name": "Yngve", "city": "Rome", "beds": 10, "phone": phone(21)}])
    await segments.become("first", "Xenia")
    await segments.become("second", "Yngve")
    await edit(office, "Yngve", city="Oslo")
    await edit(office, "Xenia", city="Rome")
    await segments.become("second", "Xenia", "Yngve")
    assert await segments.members("first") == set()


async def test_a_move_is_announced_with_its_cause_and_actor(segments: Segments, office: Office) -> None:
    segment = await segments.create("oslo", OSLO)
    async with contextlib.aclosing(office.client.subscribe(FOLLOW, segments=[segment])) as events:
        await anext(events)  # a sign of life: it listens
        await edit(office, "Carl", city="Oslo")
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                event = (await anext(events))["data"]["segmentMembershipChanged"]
                if event["__typename"] == "MembershipChange":
                    break
    assert event["joined"] == [office.leads["Carl"]]
    assert (event["left"], event["cause"]) == ([], "AUTOMATION")
    assert event["actor"] == {"kind": "AUTOMATION", "user": None}


async def test_segments_that_name_segments_follow_in_the_same_look(
    segments: Segments, office: Office
) -> None:
    """A diamond, and what joins and leaves its top by hand."""
    top = await segments.create("top", OSLO)
    left = await segments.create("left", where("lead.segments", "inSegment", [top]))
    right = await segments.create("right", where("lead.segments", "inSegment", [top]))
    both = [where("lead.segments", "inSegment", [one]) for one in (left, right)]
    await segments.create("bottom", every(*both))
    await edit(office, "Carl", city="Oslo")
    await segments.become("bottom", "Anna", "Bo", "Carl")
    assert [one async for one in moments(segments, "top", "left", "right", "bottom")] == [1] * 4

    await segments.remove("top", "Anna")
    await segments.become("bottom", "Bo", "Carl")
    await segments.add("top", "Anna")
    await segments.become("bottom", "Anna", "Bo", "Carl")


async def moments(segments: Segments, *names: str) -> AsyncIterator[int]:
    """How many changes each segment has seen by automation."""
    for name in names:
        yield len([cause for _, _, cause in await segments.causes(name) if cause == "AUTOMATION"])


async def test_segments_that_select_by_the_rules_of_another_follow_when_its_filter_is_saved_anew(
    segments: Segments, office: Office
) -> None:
    await segments.create("first", OSLO, "OFF")
    by_rules = {"segments": [segments.ids["first"]], "by": "rules"}
    await segments.create("second", where("lead.segments", "inSegment", by_rules))
    through = {"segments": [segments.ids["second"]], "by": "rules"}
    await segments.create("third", where("lead.segments", "notInSegment", through))
    assert await segments.members("second") == {"Anna", "Bo"}
    assert await segments.members("third") == {"Carl"}

    await segments.save("first", where("city", "=", "Bergen"))
    await segments.become("second", "Carl")
    await segments.become("third", "Anna", "Bo")
    await segments.save("first", either(where("city", "=", "Bergen"), where("beds", ">", 100)))
    await segments.become("second", "Bo", "Carl")
    await segments.become("third", "Anna")


async def test_what_selects_by_rules_that_are_no_more_is_broken_loudly_and_follows_again_once_mended(
    segments: Segments, office: Office
) -> None:
    first = await segments.create("first", OSLO, "OFF")
    by_rules = {"segments": [first], "by": "rules"}
    second = await segments.create("second", where("lead.segments", "inSegment", by_rules))

    async def logged() -> list[str]:
        nodes = (await office.client.run(LOGGED, id=second))["changeLog"]["nodes"]
        return [node["action"] for node in nodes if node["action"] in ("broken", "mended")][::-1]

    static = await office.change(UPDATE_SEGMENT, id=first, kind="STATIC")
    assert static["userErrors"] == []
    shown = (await office.client.run(STATE, id=second))["segment"]
    assert (shown["state"], shown["memberCount"]) == ("BROKEN", 2)
    assert "no filter" in shown["broken"]
    assert await logged() == ["broken"]

    await office.change(UPDATE_SEGMENT, id=first, kind="DYNAMIC")
    await segments.save("first", where("city", "=", "Bergen"))
    await segments.become("second", "Carl")
    assert await logged() == ["broken", "mended"]

    given = {"segmentId": first, "mode": "REPLACE"}
    picked = {"rule": every(OSLO), "pick": {"limit": 1}}
    assert (await office.change(SAVE, filter=picked, **given))["userErrors"] == []
    assert await logged() == ["broken", "mended", "broken"]
    assert await segments.members("second") == {"Carl"}


async def test_who_opted_out_does_not_come_in_through_an_or(segments: Segments, office: Office) -> None:
    asked = either(OSLO, where("beds", ">", 5))
    await segments.create("new")
    filter_ = {"statuses": ["NEW"], "rule": asked}
    await office.change(SAVE, segmentId=segments.ids["new"], filter=filter_, mode="REPLACE")
    await segments.become("new", "Anna", "Bo", "Carl")
    ids = [office.leads["Anna"]]
    await office.change(UPDATE_ALL, selection={"ids": ids}, changes={"status": "REMOVED"})
    await segments.become("new", "Bo", "Carl")
    await edit(office, "Anna", beds="500")
    await edit(office, "Bo", beds="301")
    await segments.become("new", "Bo", "Carl")


async def test_turning_automation_on_applies_the_filter_at_once(segments: Segments, office: Office) -> None:
    segment = await segments.create("oslo", OSLO, "OFF")
    await edit(office, "Anna", city="Rome")
    await edit(office, "Carl", city="Oslo")
    turned = await office.change(UPDATE_SEGMENT, id=segment, automation="ADD")
    assert turned["segment"] == {"id": segment, "automation": "ADD", "memberCount": 3}
    turned = await office.change(UPDATE_SEGMENT, id=segment, automation="MIRROR")
    assert turned["segment"]["memberCount"] == 2
    assert await segments.members("oslo") == {"Bo", "Carl"}


async def test_a_static_segment_has_nothing_to_follow(segments: Segments, office: Office) -> None:
    given = {"groupId": segments.group, "name": "S", "kind": "STATIC", "automation": "ADD"}
    made = await office.change(CREATE_SEGMENT, **given)
    assert [(one["code"], one["field"]) for one in made["userErrors"]] == [
        ("CONFLICT", ["input", "automation"])
    ]
    segment = await segments.create("oslo", OSLO)
    changed = await office.change(UPDATE_SEGMENT, id=segment, kind="STATIC")
    assert changed["segment"]["automation"] == "OFF"
