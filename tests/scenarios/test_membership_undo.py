"""Taking back what was done to members of segments: exactly, and only as far as nothing moved since."""

from typing import Any

import pytest

from tests.membership_office import PEOPLE, UNDO, MembershipOffice, counts
from tests.segment_office import SegmentOffice, office, shop

__all__ = ["office", "shop"]
pytestmark = pytest.mark.anyio

MADE = """query($id: ID!) { segment(id: $id) { members(first: 200) { nodes {
  origin addedAt addedBy { id } lead { id } } } } }"""


@pytest.fixture
async def desk(office: SegmentOffice) -> MembershipOffice:
    await office.furnish(PEOPLE)
    return MembershipOffice(office)


async def made(desk: MembershipOffice, *segments: str) -> list[Any]:
    """Who is in the segments, with source, time and actor, and whom rules would not bring back."""
    found = []
    for segment in segments:
        found.append((await desk.client.run(MADE, id=segment))["segment"]["members"]["nodes"])
    return found


async def test_what_was_done_to_members_is_undone_exactly_and_redone_by_undoing_that(
    desk: MembershipOffice,
) -> None:
    segment = await desk.office.segment()
    await desk.save(segment, "Oslo")
    await desk.add(segment, "Carl")
    await desk.remove(segment, "Bo")
    before = await made(desk, segment)

    async def undone_and_redone(changeset: str) -> None:
        after = await made(desk, segment)
        undone = await desk.undo(changeset)
        assert (await made(desk, segment), undone["skipped"]) == (before, 0)
        redone = await desk.undo(undone["updates"][0]["changeset"])
        assert await made(desk, segment) == after
        again = await desk.undo(redone["updates"][0]["changeset"])
        assert (await made(desk, segment), again["skipped"]) == (before, 0)

    await undone_and_redone((await desk.empty(segment))["changeset"])
    await undone_and_redone((await desk.save(segment, "Bergen"))["changeset"])
    await undone_and_redone((await desk.update(segment, includePinned=True))["changeset"])
    await undone_and_redone((await desk.add(segment, "Anna", "Bo", "Eva"))[0]["changeset"])
    await undone_and_redone((await desk.remove(segment, "Carl"))["changeset"])
    await undone_and_redone((await desk.release(segment, "Bo", "Carl"))["changeset"])


async def test_a_lead_that_moved_since_stays_and_is_named(desk: MembershipOffice) -> None:
    segment = await desk.office.segment()
    await desk.save(segment, "Oslo")
    await desk.add(segment, "Carl")
    emptied = (await desk.empty(segment))["changeset"]
    await desk.add(segment, "Bo")

    undone = await desk.undo(emptied)
    [update] = undone["updates"]
    assert update["counts"] == counts(joined=2)
    assert (undone["skipped"], undone["skippedLeadIds"]) == (1, desk.leads("Bo"))
    assert await desk.members(segment) == {"Anna": "RULE", "Bo": "HAND", "Carl": "HAND"}
    twice = await desk.undo(emptied)
    assert (twice["updates"][0]["counts"], twice["skipped"]) == (counts(), 3)
    assert [change["cause"] for change in await desk.changes(segment)] == [
        "RULE",
        "HAND",
        "HAND",
        "HAND",
        "HAND",
    ]


async def test_a_move_between_exclusive_segments_is_undone_in_both(desk: MembershipOffice) -> None:
    first, second = await desk.office.segment("A"), await desk.office.segment("B")
    await desk.exclusive()
    await desk.save(first, "Oslo")
    await desk.add(second, "Carl")
    before = await made(desk, first, second)
    [moved] = await desk.add(second, "Anna", "Bo", exclusive="MOVE")
    after = await made(desk, first, second)

    undone = await desk.undo(moved["changeset"])
    assert await made(desk, first, second) == before
    assert len({update["changeset"] for update in undone["updates"]}) == 1
    await desk.undo(undone["updates"][0]["changeset"])
    assert await made(desk, first, second) == after

    await desk.empty(first)
    emptied = (await desk.empty(second))["changeset"]
    await desk.add(first, "Anna")
    undone = await desk.undo(emptied)
    assert (undone["updates"][0]["counts"], undone["skipped"]) == (counts(joined=2, held=1), 1)


async def test_only_what_moved_members_can_be_undone(desk: MembershipOffice) -> None:
    segment = await desk.office.segment()
    nobody = (await desk.remove(segment, "Anna"))["changeset"]
    for changeset, code in ((nobody, "CONFLICT"), (desk.unknown(), "NOT_FOUND")):
        refused = await desk.asked(UNDO, changeset=changeset)
        assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [
            (code, ["input", "changeset"])
        ]
