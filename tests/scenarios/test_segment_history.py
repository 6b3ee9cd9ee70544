"""Segments in the past, their overlap, and which comes first for a lead, as clients see it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.access import Role, TokenLimits
from db.models import MembershipLog
from tests.client import GraphQLFailed
from tests.conftest import Connect
from tests.lead_office import FOR_EVER, found
from tests.segment_office import CREATE_GROUP, SegmentOffice, number_of, office, shop
from tests.server import Server

__all__ = ["office", "shop"]
pytestmark = pytest.mark.anyio

PEOPLE: list[dict[str, Any]] = [
    {"name": name, "city": city} for name, city in [("Anna", "Oslo"), ("Bo", "Oslo"), ("Carl", "Bergen")]
]
HISTORY = """query($id: ID!, $from: Date!, $to: Date!) { segment(id: $id) {
  sizeHistory(from: $from, to: $to) { day joined left size } } }"""
AS_OF = """query($id: ID!, $at: DateTime!, $lead: ID!, $after: String) { segment(id: $id) { asOf(at: $at) {
  at memberCount ruleRevision has(leadId: $lead)
  members(first: 1, after: $after) { totalCount nodes { leadId lead { value(key: "name") } }
    pageInfo { hasNextPage endCursor } } } } }"""
OVERLAP = """query($ids: [ID!]!) { segmentOverlap(segmentIds: $ids) { inAll inAny
  segments { segment { name } members onlyHere }
  pairs { first { name } second { name } both onlyFirst onlySecond } } }"""
FIRST = """query($of: [ID!]) { leads { nodes {
  value(key: "name") firstSegment(of: $of) { name } } } }"""


async def _logged(office: SegmentOffice, segment: str, seq: int, at: datetime) -> None:
    """Has an entry of the log lie at another time."""
    async with office.tenant.database.writing() as session:
        moved = update(MembershipLog).where(
            col(MembershipLog.organisation_id) == office.tenant.organisation_id,
            col(MembershipLog.segment_id) == number_of(segment),
            col(MembershipLog.seq) == seq,
        )
        await session.execute(moved.values(at=at))


async def test_the_past_of_a_segment_is_read_from_its_log(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE)
    segment, today = await office.segment(), datetime.now(UTC)
    await office.save(segment, ("city", "=", "Oslo"))
    await office.add(segment, "Carl")
    await office.remove(segment, "Anna")
    for seq, days in enumerate((9, 4, 2), 1):
        await _logged(office, segment, seq, today - timedelta(days=days))

    first, last = (today - timedelta(days=5)).date(), today.date()
    asked = {"id": segment, "from": str(first), "to": str(last + timedelta(days=3))}
    days = (await office.client.run(HISTORY, **asked))["segment"]["sizeHistory"]
    assert [(day["joined"], day["left"], day["size"]) for day in days] == [
        (0, 0, 2), (1, 0, 3), (0, 0, 3), (0, 1, 2), (0, 0, 2), (0, 0, 2),
    ]  # fmt: skip
    assert [day["day"] for day in days] == [str(first + timedelta(days=number)) for number in range(6)]

    at = (today - timedelta(days=3)).isoformat()
    asked = {"id": segment, "at": at, "lead": office.leads["Anna"]}
    past = (await office.client.run(AS_OF, **asked))["segment"]["asOf"]
    assert (past["memberCount"], past["has"], past["ruleRevision"]) == (3, True, 0)
    names, after = [], None
    while True:
        page = (await office.client.run(AS_OF, **asked, after=after))["segment"]["asOf"]["members"]
        names += [node["lead"]["value"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert (names, page["totalCount"]) == (["Anna", "Bo", "Carl"], 3)
    now = (await office.client.run(AS_OF, **{**asked, "at": datetime.now(UTC).isoformat()}))["segment"][
        "asOf"
    ]
    assert (now["memberCount"], now["has"], now["ruleRevision"]) == (2, False, 1)

    for document, given in (
        (AS_OF, {**asked, "at": (today + timedelta(days=1)).isoformat()}),
        (HISTORY, {"id": segment, "from": "2026-03-02", "to": "2026-03-01"}),
    ):
        with pytest.raises(GraphQLFailed) as failed:
            await office.client.run(document, **given)
        assert failed.value.codes == ["BAD_USER_INPUT"]


async def test_the_past_has_no_leads_for_those_who_may_not_see_them(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE)
    segment, server = await office.segment(), shop[0]
    await office.add(segment, "Anna")
    then = datetime.now(UTC).isoformat()
    await office.remove(segment, "Anna")
    only_this = TokenLimits(segment_ids=frozenset({number_of(segment)}))
    token = await office.tenant.token(1, only_this, expires_at=FOR_EVER)
    confined = await connect(server.url, token)
    asked = {"id": segment, "at": then, "lead": office.leads["Anna"]}
    past = (await confined.run(AS_OF, **asked))["segment"]["asOf"]
    assert past["members"]["nodes"] == [{"leadId": office.leads["Anna"], "lead": None}]
    agent = await connect(server.url, await office.token("agent", Role.AGENT))
    assert (await agent.run(AS_OF, **asked))["segment"] is None


async def test_the_overlap_of_segments_is_counted_pair_by_pair(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE)
    oslo, some, none = [await office.segment(name) for name in ("Oslo", "Some", "None")]
    await office.save(oslo, ("city", "=", "Oslo"))
    await office.add(some, "Bo", "Carl")
    await office.add(none, "Anna")
    await office.remove(none, "Anna")
    found_ = (await office.client.run(OVERLAP, ids=[oslo, some, none]))["segmentOverlap"]
    assert (found_["inAll"], found_["inAny"]) == (0, 3)
    assert [(one["segment"]["name"], one["members"], one["onlyHere"]) for one in found_["segments"]] == [
        ("Oslo", 2, 1), ("Some", 2, 1), ("None", 0, 0),
    ]  # fmt: skip
    assert [
        (pair["first"]["name"], pair["second"]["name"], pair["both"], pair["onlyFirst"], pair["onlySecond"])
        for pair in found_["pairs"]
    ] == [("Oslo", "Some", 1, 1, 1), ("Oslo", "None", 0, 2, 0), ("Some", "None", 0, 2, 0)]
    both = (await office.client.run(OVERLAP, ids=[oslo, some]))["segmentOverlap"]
    assert (both["inAll"], both["inAny"]) == (1, 3)

    strangers, stranger_token = await found(shop[1], "Strangers")
    await strangers.database.close()
    stranger = await connect(shop[0].url, stranger_token)
    only_oslo = TokenLimits(segment_ids=frozenset({number_of(oslo)}))
    confined = await connect(shop[0].url, await office.tenant.token(1, only_oslo, expires_at=FOR_EVER))
    for client, ids, code in (
        (office.client, [oslo], "BAD_USER_INPUT"),
        (stranger, [oslo, some], "NOT_FOUND"),
        (confined, [oslo, some], "NOT_FOUND"),
    ):
        with pytest.raises(GraphQLFailed) as failed:
            await client.run(OVERLAP, ids=ids)
        assert failed.value.codes == [code]


async def test_the_first_segment_of_a_lead_goes_by_the_places_of_groups_and_segments(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE)
    first, second, third = [await office.segment(name) for name in ("First", "Second", "Third")]
    made = await office.client.run(CREATE_GROUP, project=office.project)
    other = made["createSegmentGroup"]["segmentGroup"]["id"]
    behind = await office.segment("First of the group behind", groupId=other)
    await office.add(behind, "Anna", "Carl")
    await office.add(third, "Anna", "Bo")
    await office.add(second, "Anna")
    await office.add(first, "Bo")

    async def firsts(**asked: Any) -> dict[str, str | None]:
        nodes = (await office.client.run(FIRST, **asked))["leads"]["nodes"]
        return {node["value"]: node["firstSegment"] and node["firstSegment"]["name"] for node in nodes}

    assert await firsts() == {"Anna": "Second", "Bo": "First", "Carl": "First of the group behind"}
    assert await firsts(of=[third, second]) == {"Anna": "Second", "Bo": "Third", "Carl": None}
    assert await firsts(of=[]) == {"Anna": None, "Bo": None, "Carl": None}
    only_third = TokenLimits(segment_ids=frozenset({number_of(third)}))
    confined = await connect(shop[0].url, await office.tenant.token(1, only_third, expires_at=FOR_EVER))
    seen = (await confined.run(FIRST, of=[first, third]))["leads"]["nodes"]
    assert [node["firstSegment"]["name"] for node in seen] == ["Third", "Third"]
