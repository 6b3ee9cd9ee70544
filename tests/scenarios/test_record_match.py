"""An unsaved record is matched against the segments in sight, on both engines."""

from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from core.access import Role, TokenLimits
from db.models import FieldDefinition, Lead
from tests.client import Client
from tests.conftest import Connect
from tests.lead_office import FOR_EVER, found, phone
from tests.organisations import NOW
from tests.segment_office import SegmentOffice, number_of, office, shop
from tests.server import Server

__all__ = ["office", "shop"]
pytestmark = pytest.mark.anyio

MATCH = """query($input: UnsavedRecordInput!) { matchRecord(input: $input) {
  asOf segments { name ruleRevision } notAsked { name } warnings { field value reason }
  userErrors { code field } } }"""
UPDATE = """mutation($input: UpdateSegmentMembersInput!) { updateSegmentMembers(input: $input) {
  userErrors { message } } }"""
TAG = """mutation($input: TagLeadsInput!) { tagLeads(input: $input) { userErrors { message } } }"""
RECORDS: list[dict[str, Any]] = [
    {"name": "Anna", "city": "Oslo", "beds": 10, "phone": phone(501)},
    {"name": "Bo", "city": "Bergen", "beds": 300, "opened": "2020-01-05", "phone": phone(502)},
    {"name": "Carl", "phone": phone(503)},
    {"name": "Dora", "city": "oslo", "mobile": "(202) 555-0199", "phone": phone(504)},
]
CONDITIONS: dict[str, list[tuple[str, str, object]]] = {
    "Oslo": [("city", "=", "OSLO")],
    "Elsewhere": [("city", "!=", "oslo")],
    "Small or unknown": [("beds", "notBetween", "100,999")],
    "Never called": [("lead.lastCalledAt", "null", None), ("lead.attempts", "=", 0)],
    "Old": [("opened", "<", "2021-01-01")],
    "New and open": [("lead.status", "=", "new"), ("lead.open", "=", True)],
    "Tagged": [("lead.tags", "in", ["vip"])],
    "Area": [("lead.phone", "beginsWith", "+1202")],
}


async def _asked(office: SegmentOffice, client: Client | None = None, **given: Any) -> dict[str, Any]:
    asked = {"campaignId": office.campaigns["C"], **given}
    answer: dict[str, Any] = (await (client or office.client).run(MATCH, input=asked))["matchRecord"]
    return answer


async def test_a_record_matches_just_the_segments_it_would_be_in_once_saved(office: SegmentOffice) -> None:
    await office.furnish([])
    segments = {name: await office.segment(name) for name in CONDITIONS}
    for name, conditions in CONDITIONS.items():
        await office.save(segments[name], *conditions)
    static = await office.segment("Static", kind="STATIC")
    unsaved = await office.segment("No filter yet")

    said = {}
    for record in RECORDS:
        tags = ["VIP"] if record["name"] == "Bo" else []
        answer = await _asked(office, values=record, tags=tags)
        assert (answer["userErrors"], answer["notAsked"], answer["warnings"]) == ([], [], [])
        assert {one["ruleRevision"] for one in answer["segments"]} == {1}
        said[record["name"]] = [one["name"] for one in answer["segments"]]
    async with office.tenant.database.reading() as session:
        own = col(Lead.organisation_id) == office.tenant.organisation_id
        assert (await session.execute(select(func.count()).select_from(Lead).where(own))).scalar_one() == 0

    await office.push("C", RECORDS)
    await office.change(TAG, selection={"ids": [office.leads["Bo"]]}, labels=["VIP"])
    for segment in segments.values():
        await office.change(UPDATE, segmentId=segment, mode="REPLACE")
    members = {name: await office.members(segment) for name, segment in segments.items()}
    assert said == {
        record["name"]: [name for name in CONDITIONS if record["name"] in members[name]] for record in RECORDS
    }
    assert all(members.values())
    assert await office.members(static) == await office.members(unsaved) == []


async def test_broken_segments_and_unreadable_values_are_said_and_unknown_fields_refused(
    office: SegmentOffice,
) -> None:
    await office.furnish([])
    beds, city = await office.segment("Beds"), await office.segment("City")
    await office.save(beds, ("beds", "null", None))
    await office.save(city, ("city", "=", "Oslo"))
    answer = await _asked(office, values={"beds": "many", "city": "Oslo"})
    assert [one["name"] for one in answer["segments"]] == ["Beds", "City"]
    assert answer["warnings"] == [{"field": "beds", "value": "many", "reason": "is not a whole number"}]

    async with office.tenant.database.writing() as session:
        retired = update(FieldDefinition).where(
            col(FieldDefinition.organisation_id) == office.tenant.organisation_id,
            col(FieldDefinition.key) == "city",
        )
        await session.execute(retired.values(retired_at=NOW))
    answer = await _asked(office, values={})
    assert [one["name"] for one in answer["notAsked"]] == ["City"]
    for given, error in (
        ({"values": {"street": 1}}, {"code": "BAD_USER_INPUT", "field": ["input", "values", "street"]}),
        ({"values": [1]}, {"code": "BAD_USER_INPUT", "field": ["input", "values"]}),
        (
            {"values": {}, "campaignId": office.group},
            {"code": "NOT_FOUND", "field": ["input", "campaignId"]},
        ),
    ):
        assert (await _asked(office, **given))["userErrors"] == [error]


async def test_only_segments_in_sight_are_asked_and_none_about_phones_without_the_right_to_them(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish([])
    oslo, area = await office.segment("Oslo"), await office.segment("Area")
    await office.save(oslo, ("city", "=", "oslo"))
    await office.save(area, ("lead.phone", "beginsWith", "+1202"))
    record = {"city": "Oslo", "phone": phone(1)}

    integrator = await connect(shop[0].url, await office.token("i", Role.INTEGRATOR))
    answer = await _asked(office, integrator, values=record)
    assert [one["name"] for one in answer["segments"]] == ["Oslo"]
    assert [one["name"] for one in answer["notAsked"]] == ["Area"]
    only_area = TokenLimits(segment_ids=frozenset({number_of(area)}))
    confined = await connect(shop[0].url, await office.tenant.token(1, only_area, expires_at=FOR_EVER))
    answer = await _asked(office, confined, values=record)
    assert ([one["name"] for one in answer["segments"]], answer["notAsked"]) == (["Area"], [])
    strangers, token = await found(shop[1], "Strangers")
    await strangers.database.close()
    for outsider in (token, await office.token("agent", Role.AGENT)):
        answer = await _asked(office, await connect(shop[0].url, outsider), values=record)
        assert [error["code"] for error in answer["userErrors"]] == ["NOT_FOUND"]
