"""The change log: every edit of segments, groups, pools and campaigns, by whom, before and after."""

from pathlib import Path
from typing import Any

import pytest
from graphql import ObjectTypeDefinitionNode, parse

from gql.schema.ids import opaque
from tests.client import GraphQLFailed
from tests.conftest import Connect
from tests.server import Installation, Server
from tests.settings_desk import ALL_WEEK, GROUP, PROJECT, Desk, beds, lead, open_desk

pytestmark = pytest.mark.anyio

CAMPAIGN = opaque("Campaign", 1, 1)
POOL = opaque("LeadPool", 1, 1)
MANAGER: dict[str, Any] = {"from": {"role": "MANAGER"}}
ADMIN = opaque("User", 1, 1)
LOG = "query($id: ID) { changeLog(objectId: $id, first: 200) { nodes { action before after } } }"


@pytest.fixture
async def desk(installation: Installation, server: Server, connect: Connect) -> Desk:
    return await open_desk(installation, server, connect)


def numbers(value: Any) -> list[int]:
    """Every number in a record."""
    if isinstance(value, bool):
        return []
    if isinstance(value, int):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [number for part in parts for number in numbers(part)]


async def test_every_edit_of_a_segment_is_listed_by_whom_and_when_before_and_after(desk: Desk) -> None:
    segment = await desk.segment("Rural")
    await desk.do(
        "updateSegment", id=segment, name="Town", hours=ALL_WEEK, goals=[{"metric": "CALLS", "target": 5}]
    )
    chosen = {"rule": beds("<=", 4), "campaignIds": [CAMPAIGN], "leadPoolIds": [POOL]}
    await desk.save(segment, None, filter=chosen)
    await desk.add(segment, 9, 10)
    await desk.do("removeLeadsFromSegment", segmentId=segment, leadIds=[lead(1)])
    await desk.do("updateSegmentMembers", segmentId=segment, mode="REPLACE")
    team = (await desk.do("createTeam", "team { id }", name="red"))["team"]["id"]
    right = {"to": {"teamId": team}, "rights": ["CALL"]}
    await desk.do("setSegmentAccess", segmentId=segment, access=[right])
    await desk.do("emptySegment", segmentId=segment, confirm=True)
    await desk.do("deleteSegment", id=segment, confirm=True)

    entries = await desk.log(segment)
    assert [entry["action"] for entry in entries] == [
        "created", "updated", "filter_saved", "leads_added", "leads_removed", "members_updated", "access_set",
        "emptied", "deleted",
    ]  # fmt: skip
    assert {entry["actor"]["user"]["email"] for entry in entries} == {"admin@office.example"}
    sizes = [
        (entry["action"], entry["before"]["members"], entry["after"]["members"])
        for entry in entries
        if entry["after"] and "members" in entry["after"]
    ]
    assert sizes == [
        ("filter_saved", 0, 4), ("leads_added", 4, 6), ("leads_removed", 6, 5), ("members_updated", 5, 5),
        ("emptied", 5, 0),
    ]  # fmt: skip
    created, updated, saved, added, removed, _, access, _, deleted = entries
    assert (created["after"]["name"], created["after"]["group"]) == ("Rural", GROUP)
    assert updated["before"] == {"name": "Rural", "hours": None, "goals": []}
    assert updated["after"] == {
        "name": "Town", "hours": ALL_WEEK, "goals": [{"metric": "calls", "measure": "count", "target": 5}],
    }  # fmt: skip
    whole = {**chosen, "statuses": [], "results": [], "lastChanged": None}
    assert (saved["before"]["filter"], saved["after"]["filter"]) == (None, whole)
    assert added["after"]["leads"] == [lead(9), lead(10)]
    assert removed["after"]["leads"] == [lead(1)]
    assert access["before"] == {"access": {ADMIN: ["administer", "call", "edit", "view"]}}
    assert access["after"] == {"access": {team: ["call", "view"]}}
    assert (deleted["before"]["name"], deleted["before"]["filter"]) == ("Town", whole)


async def test_edits_of_groups_pools_and_campaigns_are_listed_alike_and_name_objects_by_their_ids(
    desk: Desk,
) -> None:
    group = await desk.group("Second")
    await desk.do("updateSegmentGroup", id=group, active=False)
    first, last = await desk.log(group)
    assert first["after"] == {"name": "Second", "active": True, "project": PROJECT}
    assert (last["before"], last["after"]) == ({"active": True}, {"active": False})

    made = await desk.do("createLeadPool", "leadPool { id }", campaignId=CAMPAIGN, name="Pool")
    pool = made["leadPool"]["id"]
    await desk.do("updateLeadPool", id=pool, name="Other", priority=3)
    first, last = await desk.log(pool)
    assert first["after"] == {"name": "Pool", "campaign": CAMPAIGN}
    assert (last["before"], last["after"]) == (
        {"name": "Pool", "priority": 0},
        {"name": "Other", "priority": 3},
    )

    results = [{"key": "sale", "label": "Sold", "status": "CLOSED", "isContact": True}]
    await desk.do("updateCampaign", id=CAMPAIGN, name="Beds", results=results)
    [entry] = await desk.log(CAMPAIGN)
    assert (entry["before"]["name"], entry["after"]["name"]) == ("C", "Beds")
    assert [result["label"] for result in entry["before"]["results"]] == ["S"]
    assert entry["after"]["results"] == [
        {"key": "sale", "label": "Sold", "status": "closed", "is_contact": True, "is_success": False}
    ]
    fields = [
        {"key": "phone", "label": "Phone", "type": "PHONE"},
        {"key": "city", "label": "Town", "type": "TEXT"},
    ]
    await desk.do("updateCampaign", id=CAMPAIGN, fields=fields)
    entry = (await desk.log(CAMPAIGN))[-1]
    assert entry["before"]["fields"] == []
    assert [(field["key"], field["label"]) for field in entry["after"]["fields"]] == [
        ("phone", "Phone"), ("city", "Town"),
    ]  # fmt: skip

    lead_made = await desk.do(
        "createLead", "lead { id }", campaignId=CAMPAIGN, values=[{"key": "phone", "value": "+12025550177"}]
    )
    [entry] = await desk.log(lead_made["lead"]["id"])
    assert entry["after"]["campaign"] == CAMPAIGN
    everything = (await desk.client.run(LOG))["changeLog"]["nodes"]
    counts = {"priority", "rule_revision", "revision", "target", "position"}
    for entry in everything:
        for record in (entry["before"], entry["after"]):
            named = {key: value for key, value in (record or {}).items() if key not in counts}
            assert numbers(named) == [], entry


async def test_the_log_needs_its_permission_hides_phones_and_cannot_be_edited(desk: Desk) -> None:
    segment = await desk.segment()
    phone = {"field": "lead.phone", "operator": "=", "value": "+12025550123"}
    await desk.save(segment, {"combinator": "and", "rules": [phone]})
    await desk.save(segment, {"combinator": "and", "rules": [{**phone, "value": "+12025550199"}]})
    await desk.do("createUser", email="max@x.example", name="Max", teamIds=[], roles=["MANAGER"])
    manager = await desk.person("max@x.example", "manager")
    diff = """query($id: ID!) { segmentRevisionDiff(segmentId: $id, fromRevision: 1, toRevision: 2) {
      before after } }"""

    assert "+12025550199" in (await manager.post(LOG, id=segment)).text
    found = (await manager.run(diff, id=segment))["segmentRevisionDiff"]
    assert found == [{"before": "+12025550123", "after": "+12025550199"}]
    await desk.do("revokePermission", permission="PHONE_VIEW", **MANAGER)
    told = (await manager.post(LOG, id=segment)).text + (await manager.post(diff, id=segment)).text
    assert "filter_saved" in told
    assert "5550123" not in told
    assert "5550199" not in told
    refused = await desk.ask("updateSegment", client=manager, id=segment, name="By Max")
    assert refused["userErrors"] == []

    await desk.do("revokePermission", permission="CHANGE_LOG_VIEW", **MANAGER)
    with pytest.raises(GraphQLFailed) as forbidden:
        await manager.run(LOG, id=segment)
    assert forbidden.value.codes == ["FORBIDDEN"]


def test_no_mutation_writes_or_takes_away_entries_of_the_log() -> None:
    schema = parse((Path(__file__).parent.parent.parent / "schema.graphql").read_text())
    [fields] = [
        [field.name.value for field in definition.fields or ()]
        for definition in schema.definitions
        if isinstance(definition, ObjectTypeDefinitionNode) and definition.name.value == "Mutation"
    ]
    assert "updateSegment" in fields
    assert [name for name in fields if "log" in name.lower()] == []
