"""Who may give a segment to a team or take it away, and what rules offer to whom; on both engines."""

from typing import Any

import pytest

from gql.schema.ids import opaque
from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.server import Installation, Server
from tests.settings_desk import PROJECT, Desk, beds, lead, open_desk

pytestmark = pytest.mark.anyio

TOKEN = """mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) {
  token userErrors { message } } }"""
TAG = """mutation($lead: ID!, $label: String!) {
  tagLeads(input: {selection: {ids: [$lead]}, labels: [$label]}) { userErrors { message } } }"""
ACCESS = "access { team { name } user { email } rights }"
OFFERED = """query($project: ID!) { ruleFields(projectId: $project) { name values { label } } }"""


@pytest.fixture
async def desk(installation: Installation, server: Server, connect: Connect) -> Desk:
    return await open_desk(installation, server, connect)


async def editor(desk: Desk, segment: str, *permissions: str) -> Client:
    """Somebody with the right to edit the segment, who sees its leads."""
    made = await desk.do("createUser", "user { id }", email="gus@x.example", name="Gus", roles=["AGENT"])
    gus = {"userId": made["user"]["id"]}
    for permission in permissions:
        await desk.do("grantPermission", permission=permission, to=gus)
    await desk.do("setSegmentAccess", segmentId=segment, access=[{"to": gus, "rights": ["EDIT"]}])
    return await desk.person("gus@x.example")


async def offered(desk: Desk, client: Client) -> dict[str, list[str]]:
    fields = (await client.run(OFFERED, project=PROJECT))["ruleFields"]
    return {each["name"]: [one["label"] for one in each["values"] or ()] for each in fields}


async def test_only_who_may_give_access_to_a_segment_gives_it_to_a_team_or_takes_it_away(desk: Desk) -> None:
    teams = [
        (await desk.do("createTeam", "team { id }", name=name))["team"]["id"] for name in ("red", "blue")
    ]
    segment = await desk.segment("Theirs")
    gus = await editor(desk, segment, "SEGMENT_EDIT")
    await desk.do("updateSegment", id=segment, teamId=teams[0])
    await desk.save(segment, beds("<=", 2))

    async def refused(team: str | None) -> None:
        with pytest.raises(GraphQLFailed) as failed:
            await desk.ask("updateSegment", client=gus, id=segment, teamId=team)
        assert failed.value.codes == ["FORBIDDEN"]

    await refused(None)
    chosen = "segment { team { name } }"
    copy = await desk.ask("copySegment", chosen, gus, id=segment, name="Copy", confirm=True)
    assert copy == {"segment": {"team": None}, "userErrors": []}
    renamed = await desk.ask("updateSegment", chosen, gus, id=segment, name="Renamed")
    assert renamed == {"segment": {"team": {"name": "red"}}, "userErrors": []}
    [user] = [
        each["id"]
        for each in (await desk.client.run("{ users { nodes { id email } } }"))["users"]["nodes"]
        if each["email"] == "gus@x.example"
    ]
    # The permission alone is not enough: it takes the right to administer the segment besides.
    await desk.do("grantPermission", permission="ACCESS_EDIT", to={"userId": user})
    for team in (None, teams[1]):
        await refused(team)
    assert (await desk.show(segment, "team { name }"))["team"] == {"name": "red"}


async def test_a_filter_is_saved_together_with_the_teams_and_users_who_get_access(desk: Desk) -> None:
    team = (await desk.do("createTeam", "team { id }", name="red"))["team"]["id"]
    segment = await desk.segment()
    gus = await editor(desk, segment, "SEGMENT_EDIT")
    before = await desk.show(segment, ACCESS)
    to_team = {"to": {"teamId": team}, "rights": ["CALL"]}
    nobody = {"to": {"teamId": opaque("Team", 1, 99)}, "rights": ["CALL"]}
    given: dict[str, Any] = {"segmentId": segment, "filter": {"rule": beds("<=", 2)}, "mode": "ADD"}

    wrong = await desk.refused("saveSegmentFilter", access=[to_team, nobody], **given)
    assert (wrong["code"], wrong["field"]) == ("NOT_FOUND", ["input", "access"])
    with pytest.raises(GraphQLFailed) as failed:
        await desk.ask("saveSegmentFilter", client=gus, access=[to_team], **given)
    assert failed.value.codes == ["FORBIDDEN"]
    planned = await desk.do(
        "saveSegmentFilter", "plan { id wouldJoin }", access=[to_team], dryRun=True, **given
    )
    assert planned["plan"]["wouldJoin"] == 2
    assert await desk.show(segment, f"ruleRevision {ACCESS}") == {"ruleRevision": 0, **before}
    assert await desk.show(segment, "name", gus) == {"name": "S"}

    await desk.do("applyPlan", planId=planned["plan"]["id"])
    rights = ["CALL", "VIEW"]
    only_team = {"access": [{"team": {"name": "red"}, "user": None, "rights": rights}]}
    assert await desk.show(segment, f"ruleRevision {ACCESS}") == {"ruleRevision": 1, **only_team}
    assert await desk.show(segment, "name", gus) is None
    assert [entry["action"] for entry in await desk.log(segment)][-3:] == [
        "filter_saved", "access_set", "plan_applied",
    ]  # fmt: skip

    await desk.do("saveSegmentFilter", **given)
    assert await desk.show(segment, ACCESS) == only_team
    await desk.do("saveSegmentFilter", access=[], **given)
    assert await desk.show(segment, ACCESS) == {"access": []}


async def test_rules_offer_tags_and_people_only_to_who_may_list_them(desk: Desk) -> None:
    for number, label in ((1, "Near"), (2, "Far")):
        await desk.client.run(TAG, lead=lead(number), label=label)
    segment = await desk.segment()
    gus = await editor(desk, segment)
    await desk.add(segment, 1)

    whole, part = await offered(desk, desk.client), await offered(desk, gus)
    assert (whole["lead.tags"], part["lead.tags"]) == (["Far", "Near"], ["Near"])
    assert part["lead.ownerUser"] == whole["lead.ownerUser"] != []
    limits = {"name": "t", "scopes": ["SEGMENT_VIEW", "LEAD_VIEW"]}
    made = (await desk.client.run(TOKEN, input=limits))["createApiToken"]
    narrow = await offered(desk, await desk.connect(desk.server.url, made["token"]))
    assert (narrow["lead.tags"], narrow["lead.ownerUser"]) == (["Far", "Near"], [])


async def test_who_sees_few_leads_does_not_change_rules_that_others_apply_to_what_they_see(
    desk: Desk,
) -> None:
    lent, borrower = await desk.segment("Lent"), await desk.segment("Borrower")
    await desk.save(lent, beds("<=", 2))
    await desk.save(
        borrower,
        {"field": "lead.segments", "operator": "inSegment", "value": {"segments": [lent], "by": "rules"}},
    )
    gus = await editor(desk, lent, "SEGMENT_EDIT")
    chosen = {"rule": {"combinator": "and", "rules": [beds(">", 0)]}}
    refused = await desk.ask(
        "saveSegmentFilter", "segment { id }", gus, segmentId=lent, mode="REPLACE", filter=chosen
    )
    assert [error["code"] for error in refused["userErrors"]] == ["IN_USE"]
    assert "Borrower" not in str(refused)
    changed = await desk.ask(
        "saveSegmentFilter", "segment { id }", segmentId=lent, mode="REPLACE", filter=chosen
    )
    assert changed["userErrors"] == []
