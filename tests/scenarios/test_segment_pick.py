"""Rank, limit, random sample and stable split, as the last step of a filter, on both engines."""

from typing import Any

import pytest

from core.segment_pick import Pick, place_in_draw
from db.database import Database
from gql.authz.enforcer import Policies
from gql.context import utc_now
from gql.jobs.pick_refresh import refresh_once
from gql.settings import Settings
from tests.segment_office import SAVE, SegmentOffice, number_of, office, rule, shop

__all__ = ["office", "shop"]
pytestmark = pytest.mark.anyio

PEOPLE: list[dict[str, Any]] = [
    {"name": f"P{number:02}", "city": ("Bergen", "Oslo")[number % 2], "beds": "" if number == 7 else number}
    for number in range(40)
]
PREVIEW = """query($segment: ID!, $filter: SegmentFilterInput!) {
  previewSegmentFilter(segmentId: $segment, filter: $filter) {
    counts { matching wouldJoin } leads { totalCount nodes { value(key: "name") } } } }"""
FILTER = """query($id: ID!) { segment(id: $id) { filter {
  pick { rankBy descending limit fromPercent toPercent seed } } } }"""
EXPLAIN = """query($segment: ID!, $lead: ID!) {
  explainMembership(segmentId: $segment, leadId: $lead) { isMember reasons } }"""
MATCH = """query($input: UnsavedRecordInput!) {
  matchRecord(input: $input) { segments { id } notAsked { id } userErrors { message } } }"""
OSLO = rule(("city", "=", "oslo"))


async def test_the_first_so_many_by_a_field_join_and_leave_when_it_is_applied_anew(
    office: SegmentOffice,
) -> None:
    await office.furnish(PEOPLE)
    segment = await office.segment()
    best = {"rankBy": "beds", "limit": 3}
    preview = (await office.client.run(PREVIEW, segment=segment, filter={"rule": OSLO, "pick": best}))[
        "previewSegmentFilter"
    ]
    assert preview["counts"] == {"matching": 3, "wouldJoin": 3}
    assert [each["value"] for each in preview["leads"]["nodes"]] == ["P35", "P37", "P39"]
    await office.save(segment, ("city", "=", "oslo"), pick=best)
    assert await office.members(segment) == ["P35", "P37", "P39"]
    shown = (await office.client.run(FILTER, id=segment))["segment"]["filter"]["pick"]
    assert shown == {**best, "descending": True, "fromPercent": 0, "toPercent": 100, "seed": ""}

    # The least first; the one without a value comes last either way.
    await office.save(
        segment, ("city", "=", "oslo"), pick={"rankBy": "beds", "limit": 4, "descending": False}
    )
    assert await office.members(segment) == ["P01", "P03", "P05", "P09"]
    await office.save(segment, ("city", "=", "oslo"), pick={"rankBy": "beds", "limit": 20})
    assert "P07" in await office.members(segment)

    # Who matches and was not picked is told so, and a record that is not saved cannot be picked.
    await office.save(segment, ("city", "=", "oslo"), pick=best)
    explained = await office.client.run(EXPLAIN, segment=segment, lead=office.leads["P01"])
    assert explained["explainMembership"] == {"isMember": False, "reasons": ["NOT_PICKED"]}
    asked = {"campaignId": office.campaigns["C"], "values": {"city": "Oslo", "beds": "99"}}
    matched = (await office.client.run(MATCH, input=asked))["matchRecord"]
    assert matched == {"segments": [], "notAsked": [{"id": segment}], "userErrors": []}


async def test_a_sample_and_a_split_are_the_same_leads_for_the_same_seed(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE)
    segment, other = await office.segment(), await office.segment("Other")
    by_place = sorted(
        office.leads, key=lambda name: (place_in_draw(number_of(office.leads[name]), Pick(seed="a")), name)
    )
    await office.save(segment, ("name", "beginsWith", "p"), pick={"limit": 10, "seed": "a"})
    assert await office.members(segment) == sorted(by_place[:10])

    held_out, rest = {"toPercent": 25, "seed": "a"}, {"fromPercent": 25, "seed": "a"}
    await office.save(segment, ("name", "beginsWith", "p"), pick=held_out)
    await office.save(other, ("name", "beginsWith", "p"), pick=rest)
    first, second = await office.members(segment), await office.members(other)
    assert set(first).isdisjoint(second)
    assert len(first) + len(second) == len(PEOPLE)
    expected = [
        name for name, lead in office.leads.items() if place_in_draw(number_of(lead), Pick(seed="a")) < 2_500
    ]
    assert first == sorted(expected)


async def test_a_pick_that_cannot_be_is_refused_with_its_path(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE[:2])
    segment, other = await office.segment(), await office.segment("Other")
    for pick, path in [
        ({}, ["input", "filter", "pick"]),
        ({"limit": 0}, ["input", "filter", "pick", "limit"]),
        ({"limit": 1, "rankBy": "nothing"}, ["input", "filter", "pick", "rankBy"]),
        ({"toPercent": 101}, ["input", "filter", "pick", "toPercent"]),
    ]:
        chosen = {"rule": OSLO, "pick": pick}
        refused = await office.change(SAVE, segmentId=segment, mode="REPLACE", filter=chosen)
        assert [error["field"] for error in refused["userErrors"]] == [path]
    alone = await office.change(SAVE, segmentId=segment, mode="REPLACE", filter={"pick": {"limit": 1}})
    assert alone["userErrors"][0]["code"] == "BAD_USER_INPUT"
    # By its rules it would mean more than it holds.
    await office.save(segment, ("city", "=", "oslo"), pick={"limit": 1})
    live = rule(("lead.segments", "inSegment", {"segments": [segment], "by": "rules"}))
    refused = await office.change(SAVE, segmentId=other, mode="REPLACE", filter={"rule": live})
    assert "ask for its members" in refused["userErrors"][0]["message"]


async def test_an_automated_segment_that_picks_is_applied_anew_on_a_schedule_and_not_lead_by_lead(
    office: SegmentOffice, shop: tuple[Any, str]
) -> None:
    await office.furnish(PEOPLE[:6])
    segment = await office.segment(automation="MIRROR")
    await office.save(segment, ("name", "beginsWith", "p"), pick={"rankBy": "beds", "limit": 2})
    assert await office.members(segment) == ["P04", "P05"]
    edit = """mutation($id: ID!) {
      updateLead(input: {id: $id, values: [{key: "beds", value: "99"}]}) { userErrors { code } } }"""
    assert (await office.client.run(edit, id=office.leads["P01"]))["updateLead"]["userErrors"] == []
    assert await office.members(segment) == ["P04", "P05"]
    settings = Settings(pick_seconds=0.001)
    async with Database(shop[1]) as database:
        while await office.members(segment) != ["P01", "P05"]:
            await refresh_once(database, settings, utc_now, Policies())
