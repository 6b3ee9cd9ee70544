"""Ways in and out of segments, and who decides: rules, hands, other segments of an exclusive project."""

from datetime import datetime

import pytest

from core.access import Role
from gql.schema.ids import opaque
from tests.conftest import Connect
from tests.membership_office import ADD, OPERATIONS, PEOPLE, MembershipOffice, counts
from tests.segment_office import SegmentOffice, office, shop
from tests.server import Server

__all__ = ["office", "shop"]
pytestmark = pytest.mark.anyio

GRANT = """mutation($input: GrantPermissionInput!) { grantPermission(input: $input) {
  userErrors { message } } }"""
ACCESS = """mutation($input: SetSegmentAccessInput!) { setSegmentAccess(input: $input) {
  userErrors { message } } }"""


AUTOMATE = """mutation($input: UpdateSegmentInput!) { updateSegment(input: $input) {
  segment { automation version } } }"""
AUTOMATION = "query($id: ID!) { segment(id: $id) { automation version } }"
LOG = "query($id: ID!) { changeLog(objectId: $id) { nodes { action before after } } }"
REMOVE_FROM_SEVERAL = """mutation($input: RemoveLeadsFromSegmentInput!) {
  done: removeLeadsFromSegment(input: $input) {
    segment { id } changeset counts { left }
    updates { segment { id memberCount } changeset
      counts { joined left moved kept barred held pinned released } }
    plan { wouldLeave segments { segment { id } } } userErrors { code message field } } }"""


@pytest.fixture
async def desk(office: SegmentOffice) -> MembershipOffice:
    await office.furnish(PEOPLE)
    return MembershipOffice(office)


async def test_each_membership_remembers_its_source_time_and_actor(desk: MembershipOffice) -> None:
    segment = await desk.office.segment()
    await desk.save(segment, "Oslo")
    [added] = await desk.add(segment, "Anna", "Carl")
    assert added["counts"] == counts(joined=1, pinned=1)

    nodes = (await desk.segment(segment))["members"]["nodes"]
    by_name = {node["lead"]["value"]: node for node in nodes}
    assert {name: node["origin"] for name, node in by_name.items()} == {
        "Anna": "HAND", "Bo": "RULE", "Carl": "HAND",
    }  # fmt: skip
    assert {node["addedBy"]["name"] for node in nodes} == {"admin"}
    times = {name: datetime.fromisoformat(node["addedAt"]) for name, node in by_name.items()}
    assert times["Bo"] < times["Anna"] == times["Carl"]


async def test_what_a_program_adds_and_removes_is_told_apart_from_what_people_do_and_sticks_alike(
    desk: MembershipOffice,
) -> None:
    segment = await desk.office.segment()
    await desk.save(segment, "Oslo")
    [added] = await desk.add(segment, "Anna", "Carl", source="API")
    assert added["counts"] == counts(joined=1, pinned=1)
    await desk.add(segment, "Dina")
    assert await desk.members(segment) == {"Anna": "API", "Bo": "RULE", "Carl": "API", "Dina": "HAND"}
    await desk.does(OPERATIONS["remove"], segmentId=segment, leadIds=desk.leads("Bo"), source="API")

    assert (await desk.update(segment))["counts"] == counts(kept=2, barred=1)
    assert await desk.members(segment) == {"Anna": "API", "Carl": "API", "Dina": "HAND"}
    told = [
        (change["cause"], len(change["joined"]), len(change["left"]))
        for change in await desk.changes(segment)
    ]
    assert told == [("RULE", 2, 0), ("API", 1, 0), ("HAND", 1, 0), ("API", 0, 1)]
    nodes = (await desk.client.run(LOG, id=segment))["changeLog"]["nodes"]
    sources = [node["after"].get("source") for node in nodes if node["action"].startswith("leads_")]
    assert sources == ["api", "hand", "api"]


async def test_what_is_decided_by_hand_sticks_until_it_is_released(desk: MembershipOffice) -> None:
    segment = await desk.office.segment()
    await desk.save(segment, "Oslo")
    await desk.add(segment, "Carl")
    assert (await desk.remove(segment, "Bo", "Eva"))["counts"] == counts(left=1)

    assert (await desk.update(segment))["counts"] == counts(kept=1, barred=1)
    assert await desk.members(segment) == {"Anna": "RULE", "Carl": "HAND"}

    released = await desk.release(segment, "Bo", "Carl", "Anna", "Dina")
    assert released["counts"] == counts(released=2)
    assert await desk.members(segment) == {"Anna": "RULE", "Carl": "RULE"}
    assert len(await desk.changes(segment)) == 3
    assert (await desk.update(segment))["counts"] == counts(joined=1, left=1)
    assert await desk.members(segment) == {"Anna": "RULE", "Bo": "RULE"}


async def test_in_a_static_segment_only_removals_are_released(desk: MembershipOffice) -> None:
    segment = await desk.office.segment(kind="STATIC")
    await desk.add(segment, "Anna", "Bo")
    await desk.remove(segment, "Bo")
    assert (await desk.release(segment, "Anna", "Bo"))["counts"] == counts(released=1)
    assert await desk.members(segment) == {"Anna": "HAND"}


async def test_members_are_added_to_or_replaced_and_pinned_ones_go_where_included(
    desk: MembershipOffice,
) -> None:
    segment = await desk.office.segment()
    await desk.save(segment, "Oslo")
    assert (await desk.save(segment, "Bergen", "ADD"))["counts"] == counts(joined=2, kept=2)
    await desk.add(segment, "Eva")
    assert (await desk.save(segment, "Bergen"))["counts"] == counts(left=2, kept=1)
    assert (await desk.update(segment, includePinned=True))["counts"] == counts(left=1)
    assert await desk.members(segment) == {"Carl": "RULE", "Dina": "RULE"}
    found = await desk.segment(segment)
    assert (found["membersRevision"], found["ruleRevision"]) == (3, 3)


async def test_a_segment_is_emptied_when_that_is_confirmed(desk: MembershipOffice) -> None:
    segment = await desk.office.segment()
    await desk.save(segment, "Oslo")
    await desk.add(segment, "Carl")
    refused = await desk.asked(OPERATIONS["empty"], segmentId=segment)
    assert [error["code"] for error in refused["userErrors"]] == ["CONFIRM_REQUIRED"]
    assert len(await desk.members(segment)) == 3
    assert (await desk.empty(segment))["counts"] == counts(left=3)
    assert await desk.members(segment) == {}


async def test_emptying_turns_automation_off_unless_told_otherwise_as_an_edit_that_the_log_tells(
    desk: MembershipOffice,
) -> None:
    segment = await desk.office.segment()
    await desk.save(segment, "Oslo")
    automated = {"input": {"id": segment, "automation": "MIRROR"}}
    [before] = (await desk.client.run(AUTOMATE, **automated))["updateSegment"].values()
    assert before["automation"] == "MIRROR"
    assert before["version"] == 3
    same = {"input": {"id": segment, "active": True}}
    [again] = (await desk.client.run(AUTOMATE, **same))["updateSegment"].values()
    assert again == before, "an edit that changes nothing is none"
    await desk.does(OPERATIONS["empty"], segmentId=segment, confirm=True, keepAutomation=True)
    assert (await desk.client.run(AUTOMATION, id=segment))["segment"] == before
    await desk.empty(segment)
    answer = await desk.client.run(AUTOMATION, id=segment)
    assert answer["segment"] == {"automation": "OFF", "version": before["version"] + 1}
    entries = (await desk.client.run(LOG, id=segment))["changeLog"]["nodes"]
    assert [entry["before"] for entry in entries if entry["action"] == "emptied"] == [
        {"automation": "mirror", "members": count} for count in (0, 2)
    ]
    assert [entry["after"]["automation"] for entry in entries if entry["action"] == "emptied"] == [
        "off",
        "mirror",
    ]
    assert [entry["action"] for entry in entries].count("updated") == 0


async def test_in_an_exclusive_project_leads_are_kept_moved_or_the_operation_is_rejected(
    desk: MembershipOffice,
) -> None:
    first, second = await desk.office.segment("A"), await desk.office.segment("B")
    assert (await desk.exclusive())["project"] == {"exclusive": True}
    await desk.save(first, "Oslo")
    await desk.add(first, "Eva")

    [kept] = await desk.add(second, "Anna", "Carl")
    assert kept["counts"] == counts(joined=1, held=1)
    rejected = await desk.asked(
        ADD, segmentIds=[second], leadIds=desk.leads("Anna", "Dina"), exclusive="REJECT"
    )
    [error] = rejected["userErrors"]
    assert (error["__typename"], error["code"], error["count"]) == (
        "ExclusiveConflict",
        "EXCLUSIVE_CONFLICT",
        1,
    )
    assert error["held"] == [{"leadId": desk.leads("Anna")[0], "segmentId": first}]
    assert sorted(await desk.members(second)) == ["Carl"]

    [moved] = await desk.add(second, "Anna", "Eva", "Dina", exclusive="MOVE")
    assert moved["counts"] == counts(joined=3, moved=2)
    assert await desk.members(first) == {"Bo": "RULE"}
    *_, left, joined = await desk.changes(first, second)
    assert (left["segmentId"], sorted(left["left"])) == (first, sorted(desk.leads("Anna", "Eva")))
    assert (joined["segmentId"], sorted(joined["joined"])) == (
        second,
        sorted(desk.leads("Anna", "Dina", "Eva")),
    )
    assert left["changeset"] == joined["changeset"] == moved["changeset"]
    assert (await desk.update(first))["counts"] == counts(held=1)


async def test_saving_and_updating_choose_too_what_becomes_of_leads_that_are_held(
    desk: MembershipOffice,
) -> None:
    first, second = await desk.office.segment("A"), await desk.office.segment("B")
    await desk.exclusive()
    await desk.save(first, "Oslo")
    assert (await desk.save(second, "Oslo"))["counts"] == counts(held=2)
    refused = await desk.asked(OPERATIONS["update"], segmentId=second, mode="ADD", exclusive="REJECT")
    assert [(error["code"], error["count"]) for error in refused["userErrors"]] == [("EXCLUSIVE_CONFLICT", 2)]
    assert (await desk.update(second, exclusive="MOVE"))["counts"] == counts(joined=2, moved=2)
    assert (await desk.members(first), len(await desk.members(second))) == ({}, 2)
    assert (await desk.save(first, "Oslo", exclusive="MOVE"))["counts"] == counts(joined=2, moved=2)
    several = await desk.asked(ADD, segmentIds=[first, second], leadIds=desk.leads("Eva"), exclusive="MOVE")
    assert [error["code"] for error in several["userErrors"]] == ["BAD_USER_INPUT"]


async def test_leads_move_only_out_of_segments_that_the_caller_may_edit(
    desk: MembershipOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    first, second = await desk.office.segment("A"), await desk.office.segment("B")
    await desk.exclusive()
    await desk.add(first, "Anna")
    await desk.add(second, "Bo")
    token = await desk.office.token("ann", Role.AGENT)
    ann = {"userId": opaque("User", desk.office.tenant.organisation_id, 2)}
    await desk.client.run(GRANT, input={"permission": "SEGMENT_EDIT", "to": ann})
    third = await desk.office.segment("C")
    await desk.add(third, "Carl")
    for segment, right in ((first, "EDIT"), (second, "VIEW"), (third, "EDIT")):
        access = [{"to": ann, "rights": [right]}]
        granted = await desk.client.run(ACCESS, input={"segmentId": segment, "access": access})
        assert granted["setSegmentAccess"]["userErrors"] == []
    hers = MembershipOffice(desk.office, await connect(shop[0].url, token))

    [moved] = await hers.add(first, "Bo", "Carl", exclusive="MOVE")
    assert moved["counts"] == counts(joined=1, moved=1, held=1)
    assert sorted(await desk.members(second)) == ["Bo"]
    await desk.client.run(ACCESS, input={"segmentId": second, "access": []})
    await desk.client.run(ACCESS, input={"segmentId": third, "access": [{"to": ann, "rights": ["VIEW"]}]})
    await desk.add(third, "Carl", exclusive="MOVE")
    rejected = await hers.asked(ADD, segmentIds=[first], leadIds=desk.leads("Carl"), exclusive="REJECT")
    assert rejected["userErrors"][0]["held"] == [{"leadId": desk.leads("Carl")[0], "segmentId": third}]


async def test_a_project_becomes_exclusive_once_no_lead_is_in_two_of_its_segments(
    desk: MembershipOffice,
) -> None:
    first, second = await desk.office.segment("A"), await desk.office.segment("B")
    await desk.save(first, "Oslo")
    await desk.add(second, "Anna", "Carl")
    await desk.remove(second, "Carl")
    await desk.add(first, "Carl")

    [error] = (await desk.exclusive())["userErrors"]
    anna = desk.leads("Anna")[0]
    assert (error["code"], error["count"], error["field"]) == (
        "EXCLUSIVE_CONFLICT",
        1,
        ["input", "exclusive"],
    )
    assert error["held"] == [{"leadId": anna, "segmentId": first}, {"leadId": anna, "segmentId": second}]

    await desk.remove(second, "Anna")
    assert (await desk.exclusive())["project"] == {"exclusive": True}
    [held] = await desk.add(second, "Bo", "Eva")
    assert held["counts"] == counts(joined=1, held=1)
    assert (await desk.exclusive(exclusive=False))["project"] == {"exclusive": False}
    [free] = await desk.add(second, "Bo")
    assert free["counts"] == counts(joined=1)


async def test_one_call_adds_leads_to_several_segments_or_takes_them_out_of_several(
    desk: MembershipOffice,
) -> None:
    segments = [await desk.office.segment("A"), await desk.office.segment("B")]
    done = await desk.add([*segments, segments[0]], "Anna", "Bo")
    assert [update["counts"] for update in done] == [counts(joined=2)] * 2
    assert [sorted(await desk.members(one)) for one in segments] == [["Anna", "Bo"]] * 2
    given = {"segmentIds": [*segments, segments[0]], "leadIds": desk.leads("Anna", "Eva")}
    plan = (await desk.does(REMOVE_FROM_SEVERAL, **given, dryRun=True))["plan"]
    assert plan == {"wouldLeave": 2, "segments": [{"segment": {"id": one}} for one in segments]}
    missing = await desk.asked(
        REMOVE_FROM_SEVERAL, segmentIds=[segments[0], opaque("Segment", 1, 999)], leadIds=desk.leads("Anna")
    )
    assert [error["code"] for error in missing["userErrors"]] == ["NOT_FOUND"]
    assert [sorted(await desk.members(one)) for one in segments] == [["Anna", "Bo"]] * 2
    removed = await desk.does(REMOVE_FROM_SEVERAL, **given)
    assert removed["segment"] is removed["counts"] is removed["changeset"] is None
    assert [update["counts"] for update in removed["updates"]] == [counts(left=1)] * 2
    assert [sorted(await desk.members(one)) for one in segments] == [["Bo"]] * 2
    [undone] = (await desk.undo(removed["updates"][0]["changeset"]))["updates"]
    assert undone["segment"] == {"id": segments[0], "memberCount": 2}
    both = await desk.asked(REMOVE_FROM_SEVERAL, segmentId=segments[0], **given)
    assert [error["field"] for error in both["userErrors"]] == [["input", "segmentId"]]
    none = await desk.asked(REMOVE_FROM_SEVERAL, segmentIds=[], leadIds=given["leadIds"])
    assert [error["field"] for error in none["userErrors"]] == [["input", "segmentIds"]]
