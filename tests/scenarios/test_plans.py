"""Operations on members can be planned first and applied by the plan if nothing moved, on both engines."""

from datetime import timedelta
from typing import Any

import anyio
import pytest
from sqlalchemy import update
from sqlmodel import col

from core.access import Role, TokenLimits
from db.models import Plan, Project
from tests.client import Client
from tests.conftest import Connect
from tests.lead_office import FOR_EVER, UPDATE, finished, found
from tests.organisations import NOW
from tests.segment_office import SegmentOffice, number_of, office, rule, shop
from tests.server import Server

__all__ = ["office", "shop"]
pytestmark = pytest.mark.anyio

PEOPLE: list[dict[str, Any]] = [
    {"name": name, "city": city, "beds": beds}
    for name, city, beds in [
        ("Anna", "Oslo", 10),
        ("Bo", "Oslo", 20),
        ("Carl", "Bergen", 30),
        ("Dora", "", 40),
    ]
]
PLAN = """plan { id kind wouldJoin wouldLeave displaced blocked appliedAt createdBy { user { email } }
  segments { segment { name memberCount } wouldJoin wouldLeave displaced blocked kept }
  samples { effect lead { value(key: "name") } segment { name } } }
  userErrors { __typename code message field }"""
SAVE = f"""mutation($input: SaveSegmentFilterInput!) {{ saveSegmentFilter(input: $input) {{
  changeset {PLAN} }} }}"""
UPDATE_MEMBERS = f"""mutation($input: UpdateSegmentMembersInput!) {{ updateSegmentMembers(input: $input) {{
  changeset {PLAN} }} }}"""
ADD = f"mutation($input: AddLeadsToSegmentsInput!) {{ addLeadsToSegments(input: $input) {{ {PLAN} }} }}"
REMOVE = f"""mutation($input: RemoveLeadsFromSegmentInput!) {{ removeLeadsFromSegment(input: $input) {{
  changeset {PLAN} }} }}"""
EMPTY = f"mutation($input: EmptySegmentInput!) {{ emptySegment(input: $input) {{ changeset {PLAN} }} }}"
RESTORE = f"""mutation($input: RestoreSegmentFilterInput!) {{ restoreSegmentFilter(input: $input) {{
  changeset {PLAN} }} }}"""
UNDO = f"mutation($input: UndoChangesetInput!) {{ undoChangeset(input: $input) {{ {PLAN} }} }}"
APPLY = f"""mutation($input: ApplyPlanInput!) {{ applyPlan(input: $input) {{
  updates {{ segment {{ name memberCount }} changeset counts {{ joined left moved }} }} {PLAN} }} }}"""
NODE = """query($id: ID!) { node(id: $id) { id ... on Plan { kind wouldJoin } } }"""
TAG = """mutation($input: TagLeadsInput!) { tagLeads(input: $input) {
  job { id } userErrors { code field } } }"""
TAGGED = """query($rule: RuleTree) { leads(filter: $rule) { nodes { value(key: "name") } } }"""
STATE = """query($id: ID!) { segment(id: $id) { version ruleRevision memberCount filter { rule } }
  changeLog(first: 200) { totalCount } membershipChanges(segmentIds: [$id]) { totalCount } }"""


class Planner:
    """Plans and applies with one client."""

    def __init__(self, office: SegmentOffice, client: Client | None = None) -> None:
        self.office = office
        self.client = client or office.client

    async def plan(self, document: str, **given: Any) -> dict[str, Any]:
        data = await self.client.run(document, input={**given, "dryRun": True})
        payload = next(iter(data.values()))
        assert payload["userErrors"] == [], payload
        assert payload.get("changeset") is None
        made: dict[str, Any] = payload["plan"]
        return made

    async def apply(self, plan: dict[str, Any]) -> dict[str, Any]:
        data = await self.client.run(APPLY, input={"planId": plan["id"]})
        applied: dict[str, Any] = data["applyPlan"]
        return applied

    async def refused(self, plan: dict[str, Any]) -> tuple[str, str]:
        applied = await self.apply(plan)
        assert (applied["plan"], applied["updates"]) == (None, [])
        [error] = applied["userErrors"]
        assert error["field"] == ["input", "planId"]
        return error["code"], error["message"]

    async def state(self, segment: str) -> dict[str, Any]:
        return await self.client.run(STATE, id=segment)


async def test_a_plan_changes_nothing_and_does_what_it_says_when_it_is_applied(
    office: SegmentOffice,
) -> None:
    await office.furnish(PEOPLE)
    segment, planner = await office.segment(), Planner(office)
    await office.save(segment, ("city", "=", "oslo"))
    await office.add(segment, "Dora")
    before = await planner.state(segment)

    chosen = {"rule": rule(("beds", ">", 15))}
    plan = await planner.plan(SAVE, segmentId=segment, mode="REPLACE", filter=chosen)
    assert (plan["kind"], plan["appliedAt"]) == ("SAVE_FILTER", None)
    assert plan["createdBy"] == {"user": {"email": "admin@acme.example"}}
    numbers = {"wouldJoin": 1, "wouldLeave": 1, "displaced": 0, "blocked": 0}
    assert {name: plan[name] for name in numbers} == numbers
    named = {"name": "S", "memberCount": 3}
    assert plan["segments"] == [{"segment": named, **numbers, "kept": 0}]
    assert plan["samples"] == [
        {"effect": effect, "lead": {"value": name}, "segment": {"name": "S"}}
        for effect, name in (("JOIN", "Carl"), ("LEAVE", "Anna"))
    ]
    assert await planner.state(segment) == before

    applied = await planner.apply(plan)
    assert applied["userErrors"] == []
    assert applied["plan"]["appliedAt"] is not None
    [done] = applied["updates"]
    assert done["segment"] == {"name": "S", "memberCount": 3}
    assert done["counts"] == {"joined": 1, "left": 1, "moved": 0}
    assert await office.members(segment) == ["Bo", "Carl", "Dora"]
    after = (await planner.state(segment))["segment"]
    assert (after["ruleRevision"], after["filter"]["rule"]) == (2, chosen["rule"])
    assert await planner.refused(plan) == ("CONFLICT", "The plan was applied already.")


async def test_each_operation_on_members_can_be_planned_and_applied(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE)
    first, second, planner = await office.segment("First"), await office.segment("Second"), Planner(office)
    await office.save(first, ("city", "=", "oslo"))
    leads = [office.leads[name] for name in ("Anna", "Carl")]

    added = await planner.plan(ADD, segmentIds=[first, second], leadIds=leads)
    assert [(one["segment"]["name"], one["wouldJoin"]) for one in added["segments"]] == [
        ("First", 1), ("Second", 2),
    ]  # fmt: skip
    assert (added["kind"], added["wouldJoin"], await office.members(second)) == ("ADD_LEADS", 3, [])
    assert len((await planner.apply(added))["updates"]) == 2
    assert await office.members(second) == ["Anna", "Carl"]

    removed = await planner.plan(REMOVE, segmentId=first, leadIds=leads)
    assert (removed["kind"], removed["wouldLeave"]) == ("REMOVE_LEADS", 2)
    await planner.apply(removed)
    assert await office.members(first) == ["Bo"]

    updated = await planner.plan(UPDATE_MEMBERS, segmentId=first, mode="ADD")
    assert (updated["kind"], updated["wouldJoin"], updated["blocked"]) == ("UPDATE_MEMBERS", 0, 1)
    assert (await planner.apply(updated))["userErrors"] == []

    emptied = await planner.plan(EMPTY, segmentId=second)
    assert (emptied["kind"], emptied["wouldLeave"], await office.members(second)) == (
        "EMPTY", 2, ["Anna", "Carl"],
    )  # fmt: skip
    changeset = (await planner.apply(emptied))["updates"][0]["changeset"]
    assert await office.members(second) == []

    undone = await planner.plan(UNDO, changeset=changeset)
    assert (undone["kind"], undone["wouldJoin"], await office.members(second)) == ("UNDO", 2, [])
    await planner.apply(undone)
    assert await office.members(second) == ["Anna", "Carl"]


async def test_the_restoring_of_an_earlier_filter_is_planned_and_applied(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE)
    segment, planner = await office.segment(), Planner(office)
    await office.save(segment, ("city", "=", "oslo"))
    await office.save(segment, ("beds", ">", 15))
    plan = await planner.plan(RESTORE, segmentId=segment, revision=1, mode="REPLACE")
    assert (plan["kind"], plan["wouldJoin"], plan["wouldLeave"]) == ("RESTORE_FILTER", 1, 2)
    assert await office.members(segment) == ["Bo", "Carl", "Dora"]
    assert (await planner.apply(plan))["userErrors"] == []
    assert await office.members(segment) == ["Anna", "Bo"]
    after = (await planner.state(segment))["segment"]
    assert (after["ruleRevision"], after["filter"]["rule"]) == (3, rule(("city", "=", "oslo")))


async def test_any_number_of_leads_that_are_selected_is_planned_as_they_are_then(
    office: SegmentOffice,
) -> None:
    await office.furnish(PEOPLE)
    first, second, planner = await office.segment("First"), await office.segment("Second"), Planner(office)
    await office.save(first, ("city", "=", "bergen"))
    chosen = {"where": {"projectId": office.project}, "filter": rule(("beds", ">", 15))}
    selection = {"where": chosen}

    added = await planner.plan(ADD, segmentIds=[first, second], selection=selection)
    assert (added["kind"], added["wouldJoin"]) == ("ADD_LEADS", 2 + 3)
    assert (await office.members(first), await office.members(second)) == (["Carl"], [])
    # Whom it names was settled then: who is selected since does not join.
    await office.change(UPDATE, id=office.leads["Anna"], values=[{"key": "beds", "value": "99"}])
    assert (await planner.apply(added))["userErrors"] == []
    assert await office.members(second) == ["Bo", "Carl", "Dora"]

    removed = await planner.plan(REMOVE, segmentIds=[second], selection={"segmentId": second})
    assert (removed["kind"], removed["wouldLeave"]) == ("REMOVE_LEADS", 3)
    await office.remove(second, "Bo")
    assert (await planner.refused(removed))[0] == "CONFLICT"
    again = await planner.plan(REMOVE, segmentIds=[second], selection={"planId": removed["id"]})
    assert again["wouldLeave"] == 2
    assert (await planner.apply(again))["userErrors"] == []
    assert await office.members(second) == []

    nobody = {"where": {"where": {"projectId": office.project}, "filter": rule(("beds", ">", 1_000))}}
    for wrong, code in ((nobody, "BAD_USER_INPUT"), ({"ids": [office.group]}, "NOT_FOUND")):
        given = {"segmentIds": [first], "selection": wrong, "dryRun": True}
        payload = (await office.client.run(ADD, input=given))["addLeadsToSegments"]
        assert ([error["code"] for error in payload["userErrors"]], payload["plan"]) == ([code], None)


async def test_a_plan_is_refused_once_data_or_rules_moved_since(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE)
    segment, planner = await office.segment(), Planner(office)
    await office.save(segment, ("city", "=", "oslo"))

    async def planned() -> dict[str, Any]:
        chosen = {"rule": rule(("beds", ">", 15))}
        return await planner.plan(SAVE, segmentId=segment, mode="REPLACE", filter=chosen)

    async def is_refused(plan: dict[str, Any]) -> None:
        before = await planner.state(segment)
        code, message = await planner.refused(plan)
        assert (code, "moved since" in message) == ("CONFLICT", True)
        assert await planner.state(segment) == before

    plan = await planned()
    await office.change(UPDATE, id=office.leads["Anna"], values=[{"key": "beds", "value": "99"}])
    await is_refused(plan)

    plan = await planned()
    await office.add(segment, "Dora")
    await is_refused(plan)

    plan = await planned()
    await office.client.run(
        'mutation($id: ID!) { updateSegment(input: {id: $id, name: "T"}) { userErrors { code } } }',
        id=segment,
    )
    await is_refused(plan)

    plan = await planned()
    other = await office.segment("Other")
    await office.add(other, "Anna")
    assert (await planner.apply(plan))["userErrors"] == []


async def test_a_plan_names_whom_it_takes_from_other_exclusive_segments(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE)
    async with office.tenant.database.writing() as session:
        own = col(Project.organisation_id) == office.tenant.organisation_id
        await session.execute(update(Project).where(own).values(exclusive=True))
    oslo, all_, planner = await office.segment("Oslo"), await office.segment("All"), Planner(office)
    await office.save(oslo, ("city", "=", "oslo"))
    chosen = {"rule": rule(("beds", ">", 0))}

    kept = await planner.plan(SAVE, segmentId=all_, mode="ADD", filter=chosen)
    assert (kept["wouldJoin"], kept["displaced"], kept["blocked"]) == (2, 0, 2)
    moved = await planner.plan(SAVE, segmentId=all_, mode="ADD", filter=chosen, exclusive="MOVE")
    assert (moved["wouldJoin"], moved["displaced"], moved["blocked"], moved["wouldLeave"]) == (4, 2, 0, 0)
    displaced = [one for one in moved["samples"] if one["effect"] == "DISPLACED"]
    assert {one["lead"]["value"] for one in displaced} == {"Anna", "Bo"}
    assert {one["segment"]["name"] for one in displaced} == {"Oslo"}
    assert await office.members(oslo) == ["Anna", "Bo"]
    applied = await planner.apply(moved)
    assert applied["updates"][0]["counts"] == {"joined": 4, "left": 0, "moved": 2}
    assert await office.members(oslo) == []


async def test_a_plan_is_applied_by_anyone_who_may_do_it_and_by_nobody_else(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE)
    segment, other, planner = await office.segment("S"), await office.segment("Other"), Planner(office)
    await office.save(segment, ("city", "=", "oslo"))
    plan = await planner.plan(EMPTY, segmentId=segment)

    strangers, stranger_token = await found(shop[1], "Strangers")
    await strangers.database.close()
    only_other = TokenLimits(segment_ids=frozenset({number_of(other)}))
    for token in (stranger_token, await office.tenant.token(1, only_other, expires_at=FOR_EVER)):
        outsider = Planner(office, await connect(shop[0].url, token))
        assert (await outsider.refused(plan))[0] == "NOT_FOUND"
    agent = await connect(shop[0].url, await office.token("agent", Role.AGENT))
    answer = (await agent.post(APPLY, input={"planId": plan["id"]})).json()
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await office.members(segment) == ["Anna", "Bo"]

    manager = Planner(office, await connect(shop[0].url, await office.token("manager", Role.MANAGER)))
    applied = await manager.apply(plan)
    assert applied["plan"]["createdBy"] == {"user": {"email": "admin@acme.example"}}
    assert await office.members(segment) == []

    late = await planner.plan(UPDATE_MEMBERS, segmentId=segment, mode="ADD")
    async with office.tenant.database.writing() as session:
        own = col(Plan.organisation_id) == office.tenant.organisation_id
        await session.execute(update(Plan).where(own).values(expires_at=NOW - timedelta(days=900)))
    assert (await planner.refused(late))[0] == "NOT_FOUND"


async def test_what_the_operation_would_refuse_its_plan_refuses_as_well(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE)
    segment = await office.segment()
    for document, given, code in (
        (UPDATE_MEMBERS, {"segmentId": segment, "mode": "ADD"}, "CONFLICT"),
        (SAVE, {"segmentId": segment, "mode": "ADD", "filter": {}}, "BAD_USER_INPUT"),
        (ADD, {"segmentIds": [segment], "leadIds": []}, "BAD_USER_INPUT"),
        (UNDO, {"changeset": segment}, "NOT_FOUND"),
    ):
        payload = next(iter((await office.client.run(document, input={**given, "dryRun": True})).values()))
        assert payload["plan"] is None
        assert [error["code"] for error in payload["userErrors"]] == [code]


async def test_of_two_who_apply_a_plan_at_once_one_does(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE)
    segment, planner = await office.segment(), Planner(office)
    plan = await planner.plan(ADD, segmentIds=[segment], leadIds=list(office.leads.values()))
    answers: list[dict[str, Any]] = []

    async def apply() -> None:
        answers.append(await planner.apply(plan))

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(apply)
    assert sorted(len(answer["updates"]) for answer in answers) == [0, 0, 0, 1]
    errors = [error["code"] for answer in answers for error in answer["userErrors"]]
    assert errors == ["CONFLICT"] * 3
    assert len(await office.members(segment)) == 4


async def test_the_leads_of_a_plan_can_be_chosen_for_something_else_and_the_plan_be_looked_at(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE)
    segment, other, planner = await office.segment("S"), await office.segment("Other"), Planner(office)
    await office.save(segment, ("city", "=", "oslo"))
    chosen = {"rule": rule(("beds", ">", 15))}
    plan = await planner.plan(SAVE, segmentId=segment, mode="REPLACE", filter=chosen)
    seen = {"node": {"id": plan["id"], "kind": "SAVE_FILTER", "wouldJoin": 2}}
    assert await office.client.run(NODE, id=plan["id"]) == seen
    only_other = TokenLimits(segment_ids=frozenset({number_of(other)}))
    confined = await connect(shop[0].url, await office.tenant.token(1, only_other, expires_at=FOR_EVER))
    assert await confined.run(NODE, id=plan["id"]) == {"node": None}

    done = await office.change(TAG, selection={"planId": plan["id"]}, labels=["moved"])
    assert done["userErrors"] == []
    assert (await finished(office.client, done["job"]["id"]))["state"] == "SUCCEEDED"
    tagged = await office.client.run(TAGGED, rule=rule(("lead.tags", "in", ["moved"])))
    assert {node["value"] for node in tagged["leads"]["nodes"]} == {"Anna", "Carl", "Dora"}
    unknown = await office.change(TAG, selection={"planId": office.group}, labels=["moved"])
    assert unknown["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "selection", "planId"]}]
