"""Settings of segments over HTTP: teams, dates, hours, copies, owner fields, reminders; on both engines."""

import asyncio
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlmodel import col

from db.database import Database
from db.models import Campaign, Lead, LeadPool, Project, SegmentMember, Touch
from gql.schema.ids import opaque
from tests.conftest import Connect
from tests.server import Installation, Server
from tests.settings_desk import ALL_WEEK, GROUP, PROJECT, Desk, beds, lead, open_desk

pytestmark = pytest.mark.anyio

CLOSED = {
    "zone": "Europe/Paris",
    "monday": [{"from": "22:00", "to": "02:00"}, {"from": "12:00", "to": "12:01"}],
}


@pytest.fixture
async def desk(installation: Installation, server: Server, connect: Connect) -> Desk:
    return await open_desk(installation, server, connect)


async def store(desk: Desk, *statements: Any) -> None:
    async with Database(desk.installation.database_url) as database, database.writing() as session:
        for statement in statements:
            await session.execute(statement)


async def test_a_segment_is_made_with_all_its_settings_from_a_group_or_from_the_menu(desk: Desk) -> None:
    settings: dict[str, Any] = {
        "description": "Rural ones",
        "active": False,
        "kind": "STATIC",
        "hours": ALL_WEEK,
        "activeFrom": "2026-01-01T00:00:00Z",
        "activeUntil": "2030-01-01T00:00:00Z",
        "goals": [
            {"metric": "CONTACTS", "target": 5},
            {"metric": "CALLS", "measure": "PERCENT", "target": 50},
        ],
        "reminder": {"days": 14, "touches": "ALL"},
        "ownerField": "keeper",
    }
    segment = await desk.segment("Rural", projectId=PROJECT, **settings)
    shown = await desk.show(
        segment,
        "name description active kind state activeFrom activeUntil ownerField awaitsFilter team { name } "
        "group { id } hours { zone } reminder { days touches } goals { metric measure target value reached }",
    )
    assert shown["goals"] == [
        {"metric": "CALLS", "measure": "PERCENT", "target": 50, "value": 0.0, "reached": False},
        {"metric": "CONTACTS", "measure": "COUNT", "target": 5, "value": 0.0, "reached": False},
    ]
    assert shown | {"goals": None} == {
        "name": "Rural", "description": "Rural ones", "active": False, "kind": "STATIC", "state": "INACTIVE",
        "activeFrom": "2026-01-01T00:00:00+00:00", "activeUntil": "2030-01-01T00:00:00+00:00",
        "ownerField": "keeper", "awaitsFilter": False, "team": None, "group": {"id": GROUP},
        "hours": {"zone": "UTC"}, "reminder": {"days": 14, "touches": "ALL"}, "goals": None,
    }  # fmt: skip

    chosen = "segment { state kind version reminder { days } ownerField hours { zone } goals { metric } }"
    changed = await desk.do(
        "updateSegment", chosen, id=segment, active=True, kind="DYNAMIC", reminder=None, ownerField=None,
        hours=None, goals=[], activeFrom=None, activeUntil="2026-02-01T00:00:00Z",
    )  # fmt: skip
    assert changed["segment"] == {
        "state": "OVER", "kind": "DYNAMIC", "version": 2, "reminder": None, "ownerField": None, "hours": None,
        "goals": [],
    }  # fmt: skip
    later = "2999-01-01T00:00:00Z"
    await desk.do("updateSegment", id=segment, activeFrom=later, activeUntil=None)
    assert (await desk.show(segment, "state"))["state"] == "SCHEDULED"

    for wrong, field in (
        ({"name": " "}, ["input", "name"]),
        ({"goals": [{"metric": "CALLS", "target": 0}]}, ["input", "goals", "0", "target"]),
        (
            {"goals": [{"metric": "CALLS", "measure": "PERCENT", "target": 101}]},
            ["input", "goals", "0", "target"],
        ),
        ({"goals": [{"metric": "CALLS", "target": 1}] * 2}, ["input", "goals", "1"]),
        ({"reminder": {"days": 0}}, ["input", "reminder", "days"]),
        ({"ownerField": "beds"}, ["input", "ownerField"]),
        ({"activeFrom": later, "activeUntil": later}, ["input", "activeUntil"]),
        ({"teamId": opaque("Team", 1, 99)}, ["input", "teamId"]),
    ):
        error = await desk.refused("updateSegment", id=segment, **wrong)
        assert error["field"] == field, (wrong, error)
    nowhere = await desk.refused("createSegment", name="X")
    assert (nowhere["code"], nowhere["field"]) == ("BAD_USER_INPUT", ["input", "groupId"])
    empty = (await desk.do("createProject", "project { id }", name="Empty"))["project"]["id"]
    nowhere = await desk.refused("createSegment", name="X", projectId=empty)
    assert (nowhere["code"], nowhere["field"]) == ("BAD_USER_INPUT", ["input", "projectId"])


async def test_a_segment_of_a_team_may_be_viewed_by_that_team_until_it_belongs_to_another(desk: Desk) -> None:
    teams, clients = [], []
    for name in ("red", "blue"):
        team = (await desk.do("createTeam", "team { id }", name=name))["team"]["id"]
        await desk.do("createUser", email=f"{name}@x.example", name=name, teamIds=[team], roles=["AGENT"])
        teams.append(team)
        clients.append(await desk.person(f"{name}@x.example", "agent"))
    segment = await desk.segment("Theirs", teamId=teams[0])
    everyone = await desk.segment("Everyone's")

    async def seen() -> list[list[str]]:
        query = "{ segments { nodes { name } } }"
        return [[each["name"] for each in (await one.run(query))["segments"]["nodes"]] for one in clients]

    assert await seen() == [["Theirs"], []]
    assert (await desk.show(segment, "team { name }"))["team"] == {"name": "red"}
    refused = await desk.ask("updateSegment", id=everyone, teamId=opaque("Team", 1, 77))
    assert refused["userErrors"][0]["code"] == "NOT_FOUND"

    await desk.do("updateSegment", id=segment, teamId=teams[1])
    assert await seen() == [[], ["Theirs"]]
    right = {"to": {"teamId": teams[1]}, "rights": ["CALL"]}
    await desk.do("setSegmentAccess", segmentId=segment, access=[right])
    await desk.do("updateSegment", id=segment, teamId=None)
    assert await seen() == [[], ["Theirs"]]
    assert (await desk.show(segment, "team { name }"))["team"] is None
    entry = (await desk.log(segment))[-1]
    assert (entry["before"], entry["after"]) == ({"team": teams[1]}, {"team": None})

    await desk.do("updateSegment", id=segment, teamId=teams[0])
    error = await desk.refused("deleteTeam", id=teams[0])
    assert (error["code"], error["dependents"]) == (
        "IN_USE", [{"type": "Segment", "id": segment, "name": "Theirs"}],
    )  # fmt: skip


async def test_why_a_segment_or_a_lead_of_it_cannot_be_called_is_told_before_anyone_tries(desk: Desk) -> None:
    segment = await desk.segment()
    await desk.add(segment, 1, 2, 3)
    members = "notCallable members { nodes { notCallable } }"

    async def told() -> tuple[list[str], list[list[str]]]:
        shown = await desk.show(segment, members)
        return shown["notCallable"], [each["notCallable"] for each in shown["members"]["nodes"]]

    assert await told() == (["SEGMENT_WITHOUT_HOURS"], [["SEGMENT_WITHOUT_HOURS"]] * 3)
    error = await desk.refused("startCallSession", segmentIds=[segment])
    assert error["reasons"] == ["SEGMENT_WITHOUT_HOURS"]

    await desk.do("updateSegment", id=segment, hours=ALL_WEEK)
    await store(
        desk,
        update(Lead).where(col(Lead.id) == 2).values(is_open=False, status="closed", active=False),
        update(Lead).where(col(Lead.id) == 3).values(priority=0),
    )
    assert await told() == ([], [[], ["LEAD_INACTIVE", "LEAD_NOT_OPEN"], []])
    past = "2020-01-01T00:00:00Z"
    await desk.do("updateSegment", id=segment, active=False, activeUntil=past)
    assert (await told())[0] == ["SEGMENT_INACTIVE", "SEGMENT_OUTSIDE_DATES"]
    await desk.do("updateSegment", id=segment, active=True, activeUntil=None)
    await store(desk, update(LeadPool).values(active=False), update(Campaign).values(active=False))
    assert (await told())[1][0] == ["CAMPAIGN_INACTIVE", "POOL_INACTIVE"]


async def test_active_dates_bind_with_either_end_open_and_switch_by_themselves(desk: Desk) -> None:
    past, later = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
    segment = await desk.segment(hours=ALL_WEEK)
    for dates, state in (
        ((None, None), "ACTIVE"), ((past, None), "ACTIVE"), ((None, later), "ACTIVE"),
        ((past, later), "ACTIVE"), ((later, None), "SCHEDULED"), ((None, past), "OVER"),
    ):  # fmt: skip
        await desk.do("updateSegment", id=segment, activeFrom=dates[0], activeUntil=dates[1])
        shown = await desk.show(segment, "state active notCallable")
        reasons = [] if state == "ACTIVE" else ["SEGMENT_OUTSIDE_DATES"]
        assert shown == {"state": state, "active": True, "notCallable": reasons}, dates
    end = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    await desk.do("updateSegment", id=segment, activeFrom=past, activeUntil=end)
    await asyncio.sleep(1.1)
    assert (await desk.show(segment, "state"))["state"] == "OVER"


async def test_the_hours_of_a_leads_campaign_go_before_those_of_the_segment_both_ways(desk: Desk) -> None:
    never = {"zone": "UTC", "monday": [{"from": "00:00", "to": "00:01"}]}
    segment = await desk.segment(hours=never)
    await desk.add(segment, 1)
    members = "notCallable members { nodes { notCallable } }"
    shown = await desk.show(segment, members)
    assert shown["notCallable"] == ["SEGMENT_OUT_OF_HOURS"]
    assert shown["members"]["nodes"] == [{"notCallable": ["SEGMENT_OUT_OF_HOURS"]}]

    await store(desk, update(Campaign).values(hours=ALL_WEEK))
    shown = await desk.show(segment, members)
    assert shown["notCallable"] == ["SEGMENT_OUT_OF_HOURS"]
    assert shown["members"]["nodes"] == [{"notCallable": []}]
    session = (await desk.do("startCallSession", "callSession { id }", segmentIds=[segment]))["callSession"][
        "id"
    ]
    assert await desk.call(session) == lead(1)

    await desk.do("updateSegment", id=segment, hours=ALL_WEEK)
    await desk.add(segment, 2)
    await store(desk, update(Campaign).values(hours=never))
    shown = await desk.show(segment, members)
    assert shown["notCallable"] == []
    assert shown["members"]["nodes"][1] == {"notCallable": ["CAMPAIGN_OUT_OF_HOURS"]}
    await desk.do("updateSegment", id=segment, hours=None)
    shown = await desk.show(segment, members)
    assert shown["members"]["nodes"][1] == {"notCallable": ["CAMPAIGN_OUT_OF_HOURS", "SEGMENT_WITHOUT_HOURS"]}


async def test_hours_take_any_number_of_ranges_and_run_past_midnight_in_the_segments_zone(desk: Desk) -> None:
    segment = await desk.segment(hours=CLOSED)
    hours = (await desk.show(segment, "hours { zone monday { from to } tuesday { from to } }"))["hours"]
    assert hours == {**CLOSED, "tuesday": []}
    many = [{"from": f"{hour:02}:00", "to": f"{hour:02}:30"} for hour in range(24)]
    await desk.do("updateSegment", id=segment, hours={"zone": "America/New_York", "sunday": many})
    error = await desk.refused("updateSegment", id=segment, hours={"zone": "Mars/Olympus", "sunday": many})
    assert error["code"] == "BAD_USER_INPUT"
    assert "zone" in error["field"]


async def test_a_copy_has_settings_and_rules_but_no_members_and_waits_for_its_filter(desk: Desk) -> None:
    await store(desk, update(Project).values(exclusive=True))
    goals = [{"metric": "CALLS", "target": 3}]
    original = await desk.segment(
        "Original",
        hours=ALL_WEEK,
        description="D",
        goals=goals,
        reminder={"days": 3},
        ownerField="lead.owner",
    )
    await desk.save(original, beds("<=", 4))
    await desk.do("updateSegment", id=original, automation="MIRROR")
    assert (await desk.refused("copySegment", id=original, name="Copy"))["code"] == "CONFIRM_REQUIRED"

    done = await desk.do("copySegment", "warnings segment { id }", id=original, name="Copy", confirm=True)
    assert len(done["warnings"]) == 1
    assert "adjust the rules" in done["warnings"][0]
    copy = done["segment"]["id"]
    shown = await desk.show(
        copy,
        "name description active awaitsFilter state memberCount ruleRevision automation position ownerField "
        "filter { rule } hours { zone } reminder { days } goals { target value } revisions { totalCount }",
    )
    assert shown == {
        "name": "Copy", "description": "D", "active": False, "awaitsFilter": True, "state": "INACTIVE",
        "memberCount": 0, "ruleRevision": 0, "automation": "MIRROR", "position": 2,
        "ownerField": "lead.owner",
        "filter": {"rule": beds("<=", 4)}, "hours": {"zone": "UTC"}, "reminder": {"days": 3},
        "goals": [{"target": 3, "value": 0.0}], "revisions": {"totalCount": 0},
    }  # fmt: skip
    for field, values in (
        ("updateSegment", {"id": copy, "active": True}),
        ("updateSegment", {"id": copy, "automation": "ADD"}),
        ("updateSegmentMembers", {"segmentId": copy, "mode": "ADD"}),
    ):
        assert (await desk.refused(field, **values))["code"] == "CONFLICT"
    assert await desk.show(copy, "memberCount automation") == {"memberCount": 0, "automation": "MIRROR"}

    saved = await desk.save(copy, beds("between", [5, 6]))
    assert (saved["segment"]["active"], saved["counts"]["joined"]) == (True, 2)
    entry = (await desk.log(copy))[-1]
    assert (entry["before"]["active"], entry["after"]["active"]) == (False, True)
    assert (await desk.log(copy))[0]["after"]["copy_of"] == original
    assert (await desk.show(original, "memberCount automation"))["memberCount"] == 4

    static = await desk.segment("Static", kind="STATIC")
    done = await desk.do(
        "copySegment", "warnings segment { id awaitsFilter }", id=static, name="T", confirm=True
    )
    assert (done["warnings"], done["segment"]["awaitsFilter"]) == ([], False)
    await desk.do("updateSegment", id=done["segment"]["id"], active=True)


async def test_a_dynamic_segment_made_static_keeps_its_members_and_can_be_given_its_filter_again(
    desk: Desk,
) -> None:
    segment = await desk.segment()
    await desk.save(segment, beds("<=", 4))
    await desk.do("updateSegment", id=segment, kind="STATIC")
    shown = await desk.show(segment, "kind memberCount filter { rule } revisions { totalCount }")
    assert shown == {"kind": "STATIC", "memberCount": 4, "filter": None, "revisions": {"totalCount": 1}}
    saved = await desk.refused(
        "saveSegmentFilter", segmentId=segment, mode="ADD", filter={"rule": beds("<=", 5)}
    )
    assert saved["code"] == "CONFLICT"
    await desk.do("updateSegment", id=segment, kind="DYNAMIC")
    await desk.do("restoreSegmentFilter", segmentId=segment, revision=1, mode="ADD")
    shown = await desk.show(segment, "filter { rule } ruleRevision")
    assert shown == {"filter": {"rule": beds("<=", 4)}, "ruleRevision": 2}


async def test_a_segment_in_use_is_not_deleted_and_the_answer_names_what_uses_it(desk: Desk) -> None:
    segment = await desk.segment("Named", hours=ALL_WEEK)
    await desk.add(segment, 1)
    assert (await desk.refused("deleteSegment", id=segment))["code"] == "CONFIRM_REQUIRED"

    session = (await desk.do("startCallSession", "callSession { id }", segmentIds=[segment]))["callSession"][
        "id"
    ]
    await desk.do("takeNextLead", sessionId=session)
    assert (await desk.refused("deleteSegment", id=segment, confirm=True))["code"] == "IN_USE"
    await desk.do("endCallSession", sessionId=session)

    naming = await desk.segment("Naming")
    condition = {"field": "lead.segments", "operator": "inSegment", "value": [segment]}
    await desk.save(naming, {"combinator": "and", "rules": [condition]})
    error = await desk.refused("deleteSegment", id=segment, confirm=True)
    assert (error["code"], error["dependents"]) == (
        "IN_USE", [{"type": "Segment", "id": naming, "name": "Naming"}],
    )  # fmt: skip
    query = "query($of: UsedInput!) { segmentsUsing(of: $of) { name } }"
    using = await desk.client.run(query, of={"segmentId": segment})
    assert using["segmentsUsing"] == [{"name": "Naming"}]
    # Both at once leave nothing behind that names what is gone.
    await desk.do("deleteSegmentGroup", id=GROUP, deleteSegments=True, confirm=True)
    assert await desk.show(segment, "name") is None


async def test_members_not_contacted_within_the_period_are_expired_until_they_are(desk: Desk) -> None:
    segment = await desk.segment(reminder={"days": 10}, hours=ALL_WEEK)
    quiet = await desk.segment("Quiet")
    await desk.add(segment, 1, 2, 3, 4)
    await desk.add(quiet, 1)
    chosen = "light expiredCount expired { totalCount nodes { lead { id } } }"
    assert await desk.show(quiet, chosen) == {
        "light": None, "expiredCount": None, "expired": {"totalCount": 0, "nodes": []},
    }  # fmt: skip
    assert (await desk.show(segment, chosen))["light"] == "GREEN"

    async with Database(desk.installation.database_url) as database, database.reading() as session:
        joined = (await session.get_one(SegmentMember, (1, 1, 1))).added_at
    long_ago, lately = joined - timedelta(days=11), joined - timedelta(days=9)
    members = update(SegmentMember).where(col(SegmentMember.segment_id) == 1)
    automatic = {"organisation_id": 1, "kind": "automatic", "channel": "email", "note": "", "actor": {}}
    await store(
        desk,
        members.where(col(SegmentMember.lead_id) != 4).values(added_at=long_ago),
        update(Lead).where(col(Lead.id) == 2).values(last_called_at=lately),
        insert(Touch).values(**automatic, id=1, lead_id=3, at=lately, recorded_at=lately),
    )

    async def expired() -> list[str]:
        shown = await desk.show(segment, chosen)
        nodes = [each["lead"]["id"] for each in shown["expired"]["nodes"]]
        assert shown["expired"]["totalCount"] == shown["expiredCount"] == len(nodes)
        assert shown["light"] == ("RED" if nodes else "GREEN")
        return nodes

    assert await expired() == [lead(1), lead(3)]
    await desk.do("updateSegment", id=segment, reminder={"days": 10, "touches": "ALL"})
    assert await expired() == [lead(1)]
    await desk.do("updateSegment", id=segment, reminder={"days": 8, "touches": "ALL"})
    assert await expired() == [lead(1), lead(2), lead(3)]
    session = (await desk.do("startCallSession", "callSession { id }", segmentIds=[segment]))["callSession"][
        "id"
    ]
    assert await desk.call(session) == lead(1)
    assert await expired() == [lead(2), lead(3)]
    await desk.do("removeLeadsFromSegment", segmentId=segment, leadIds=[lead(2), lead(3)])
    assert await expired() == []


async def test_a_lead_in_several_segments_has_the_owner_that_the_first_one_by_position_says(
    desk: Desk,
) -> None:
    people = {}
    for name in ("ann", "ben"):
        made = await desk.do(
            "createUser", "user { id }", email=f"{name}@x.example", name=name, roles=["AGENT"]
        )
        people[name] = int(b64decode(made["user"]["id"] + "==").decode().rsplit(":", 1)[1])
    keepers = {
        1: {"keeper": " Ann@x.example"},
        2: {"keeper": "nobody@x.example"},
        3: {"keeper": "ann@x.example"},
    }
    await store(
        desk,
        *(
            update(Lead).where(col(Lead.id) == number).values(field_values=given)
            for number, given in keepers.items()
        ),
        update(Lead).where(col(Lead.id) != 4).values(owner_user_id=people["ben"]),
    )
    silent = await desk.segment("Silent")
    by_field, by_owner = (
        await desk.segment("A", ownerField="keeper"),
        await desk.segment("B", ownerField="lead.owner"),
    )
    for segment in (silent, by_owner):
        await desk.add(segment, 1, 2, 3, 4, 5)
    await desk.add(by_field, 1, 2, 4)
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Lead { ownerBySegment { name } } } }"

    async def owners() -> list[str | None]:
        nodes = (await desk.client.run(query, ids=[lead(number) for number in range(1, 7)]))["nodes"]
        return [node["ownerBySegment"] and node["ownerBySegment"]["name"] for node in nodes]

    assert await owners() == ["ann", None, "ben", None, "ben", None]
    await desk.do("moveSegment", id=by_owner, position=1)
    assert await owners() == ["ben", "ben", "ben", None, "ben", None]
