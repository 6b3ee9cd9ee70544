"""Why a lead is in a segment or not, as clients are told, on both engines."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.access import Role, TokenLimits
from db.models import FieldDefinition, Project
from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.lead_marks import TOUCH
from tests.lead_office import FOR_EVER, found
from tests.organisations import NOW
from tests.segment_office import SegmentOffice, number_of, office, rule, shop
from tests.server import Server

__all__ = ["office", "shop"]
pytestmark = pytest.mark.anyio

PEOPLE: list[dict[str, Any]] = [
    {"name": "Anna", "city": "ÅRHUS", "beds": 10, "opened": "2020-01-05", "mobile": "(202) 555-0199"},
    {"name": "Bo", "city": "Oslo", "beds": 300},
    {"name": "Carl", "beds": 20},
]
EXPLAIN = """query($segment: ID!, $lead: ID!) { explainMembership(segmentId: $segment, leadId: $lead) {
  isMember reasons origin since ruleRevision matches broken by { email } heldBy { name }
  parts { path combinator negated field operator wanted seen held } } }"""


STEPS = """query($id: ID!, $filter: SegmentFilterInput!) {
  previewSegmentFilter(segmentId: $id, filter: $filter) { waterfall { steps { field keeps } } } }"""


class Asker:
    """Asks about leads of an office by their names."""

    def __init__(self, office: SegmentOffice, client: Client | None = None) -> None:
        self.office = office
        self.client = client or office.client

    async def why(self, segment: str, name: str) -> dict[str, Any]:
        asked = {"segment": segment, "lead": self.office.leads[name]}
        explained: dict[str, Any] = (await self.client.run(EXPLAIN, **asked))["explainMembership"]
        return explained

    async def refused(self, segment: str, name: str) -> str:
        with pytest.raises(GraphQLFailed) as failed:
            await self.why(segment, name)
        return str(failed.value.codes[0])


async def test_days_since_something_are_named_and_seen_as_days(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE)
    segment = await office.segment()
    at = (datetime.now(UTC) - timedelta(days=5)).isoformat()
    touched = await office.change(TOUCH, leadId=office.leads["Anna"], channel="EMAIL", at=at)
    assert touched["userErrors"] == []
    asked = rule(("lead.daysSinceTouch", "between", [3, 9]))
    await office.save(segment, rule=asked)
    for name, seen in (("Anna", ["5"]), ("Bo", [])):
        explained = await Asker(office).why(segment, name)
        [part] = explained["parts"]
        assert (part["field"], part["operator"], part["wanted"]) == ("lead.daysSinceTouch", "between", [3, 9])
        assert (part["seen"], part["held"]) == (seen, name == "Anna")
    preview = await office.client.run(STEPS, id=segment, filter={"rule": asked})
    steps = preview["previewSegmentFilter"]["waterfall"]["steps"]
    assert steps == [{"field": "lead.daysSinceTouch", "keeps": 1}]


async def test_each_condition_says_what_it_wants_what_it_saw_and_whether_it_held(
    office: SegmentOffice,
) -> None:
    await office.furnish(PEOPLE)
    segment = await office.segment()
    some = {
        "combinator": "or",
        "not": True,
        "rules": [
            {"field": "city", "operator": "beginsWith", "value": "os"},
            {"field": "beds", "operator": "between", "value": "15,400"},
        ],
    }
    opened = {"field": "opened", "operator": ">", "value": "2019-12-31"}
    tree = {"combinator": "and", "rules": [some, opened]}
    await office.save(segment, campaignIds=[office.campaigns["C"]], statuses=["NEW"], rule=tree)

    anna = await Asker(office).why(segment, "Anna")
    assert (anna["isMember"], anna["reasons"], anna["origin"]) == (True, ["BROUGHT_BY_RULE"], "RULE")
    assert (anna["matches"], anna["ruleRevision"], anna["broken"]) == (True, 1, None)
    assert anna["by"] == {"email": "admin@acme.example"}
    assert anna["since"] is not None
    condition = {"combinator": None, "negated": False}
    assert anna["parts"] == [
        {
            **condition, "path": ["campaignIds"], "field": "lead.campaign", "operator": "in",
            "wanted": [office.campaigns["C"]], "seen": [office.campaigns["C"]], "held": True,
        },
        {
            **condition, "path": ["statuses"], "field": "lead.status", "operator": "in",
            "wanted": ["new"], "seen": ["new"], "held": True,
        },
        {
            "path": ["rule"], "combinator": "and", "negated": False, "field": None, "operator": None,
            "wanted": None, "seen": [], "held": True,
        },
        {
            "path": ["rule", "rules", "0"], "combinator": "or", "negated": True, "field": None,
            "operator": None, "wanted": None, "seen": [], "held": True,
        },
        {
            **condition, "path": ["rule", "rules", "0", "rules", "0"], "field": "city",
            "operator": "beginsWith", "wanted": "os", "seen": ["ÅRHUS"], "held": False,
        },
        {
            **condition, "path": ["rule", "rules", "0", "rules", "1"], "field": "beds",
            "operator": "between", "wanted": "15,400", "seen": ["10"], "held": False,
        },
        {
            **condition, "path": ["rule", "rules", "1"], "field": "opened",
            "operator": ">", "wanted": "2019-12-31", "seen": ["2020-01-05"], "held": True,
        },
    ]  # fmt: skip
    carl = await Asker(office).why(segment, "Carl")
    assert (carl["isMember"], carl["reasons"], carl["matches"]) == (False, ["DOES_NOT_MATCH"], False)
    assert [(part["seen"], part["held"]) for part in carl["parts"][2:]] == [
        ([], False), ([], False), ([], False), (["20"], True), ([], False),
    ]  # fmt: skip
    assert (carl["origin"], carl["since"], carl["by"]) == (None, None, None)


async def test_decisions_by_hand_exclusive_projects_and_broken_filters_are_named_as_the_reason(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE)
    async with office.tenant.database.writing() as session:
        own = col(Project.organisation_id) == office.tenant.organisation_id
        await session.execute(update(Project).where(own).values(exclusive=True))
    oslo, all_, fixed = [await office.segment(name) for name in ("Oslo", "All", "Fixed")]
    static = await office.segment("Static", kind="STATIC")
    ask = Asker(office)
    assert (await ask.why(all_, "Anna"))["reasons"] == ["NO_FILTER"]
    assert (await ask.why(static, "Anna"))["reasons"] == ["STATIC_SEGMENT"]
    await office.save(oslo, ("city", "=", "oslo"))
    await office.save(all_, ("beds", ">", 0))

    held = await ask.why(all_, "Bo")
    assert (held["reasons"], held["heldBy"], held["matches"]) == (["HELD_ELSEWHERE"], {"name": "Oslo"}, True)
    only_all = TokenLimits(segment_ids=frozenset({number_of(all_)}))
    token = await office.tenant.token(1, only_all, expires_at=FOR_EVER)
    confined = Asker(office, await connect(shop[0].url, token))
    assert (await confined.why(all_, "Anna"))["isMember"]
    assert await confined.refused(all_, "Bo") == "NOT_FOUND"
    assert await confined.refused(oslo, "Anna") == "NOT_FOUND"

    await office.remove(all_, "Carl")
    carl = await ask.why(all_, "Carl")
    assert (carl["reasons"], carl["origin"], carl["isMember"]) == (
        ["REMOVED_BY_HAND"], "REMOVED_BY_HAND", False,
    )  # fmt: skip
    assert carl["by"] == {"email": "admin@acme.example"}
    await office.add(fixed, "Carl")
    await office.save(fixed, ("beds", ">", 1000))
    assert (await ask.why(fixed, "Carl"))["reasons"] == ["PINNED", "NO_LONGER_MATCHES"]

    async with office.tenant.database.writing() as session:
        beds = update(FieldDefinition).where(
            col(FieldDefinition.organisation_id) == office.tenant.organisation_id,
            col(FieldDefinition.key) == "beds",
        )
        await session.execute(beds.values(retired_at=NOW))
    broken = await ask.why(all_, "Bo")
    assert broken["reasons"] == ["HELD_ELSEWHERE", "FILTER_BROKEN"]
    assert (broken["matches"], broken["parts"]) == (None, [])
    assert "beds" in broken["broken"]


async def test_phones_in_an_explanation_are_masked_for_who_may_not_see_them(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE)
    segment = await office.segment()
    await office.save(segment, ("mobile", "beginsWith", "+1202"), ("lead.phone", "notNull", None))
    integrator = Asker(office, await connect(shop[0].url, await office.token("i", Role.INTEGRATOR)))
    for asker, shown in (
        (Asker(office), ["+1202", "(202) 555-0199", "+12025550100"]),
        (integrator, ["+••••", "(•••) •••-••99", "+•••••••••00"]),
    ):
        mobile, phone_ = (await asker.why(segment, "Anna"))["parts"][1:]
        assert [mobile["wanted"], *mobile["seen"], *phone_["seen"]] == shown


async def test_only_who_sees_the_segment_and_the_lead_is_told(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE, "C", "D")
    segment = await office.segment()
    strangers, token = await found(shop[1], "Strangers")
    await strangers.database.close()
    agent = Asker(office, await connect(shop[0].url, await office.token("agent", Role.AGENT)))
    assert await agent.refused(segment, "Anna") == "NOT_FOUND"
    assert await Asker(office, await connect(shop[0].url, token)).refused(segment, "Anna") == "NOT_FOUND"
    assert await Asker(office).refused(office.leads["Anna"], "Anna") == "NOT_FOUND"


async def test_segments_out_of_sight_are_not_named_as_what_a_lead_has(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE)
    hidden, segment = await office.segment("Hidden"), await office.segment("S")
    await office.add(hidden, "Anna")
    await office.save(segment, ("lead.segments", "inSegment", hidden))
    only_this = TokenLimits(segment_ids=frozenset({number_of(segment)}))
    confined = Asker(
        office, await connect(shop[0].url, await office.tenant.token(1, only_this, expires_at=FOR_EVER))
    )
    for asker, seen in ((Asker(office), {hidden, segment}), (confined, {segment})):
        [part] = [part for part in (await asker.why(segment, "Anna"))["parts"] if part["field"]]
        assert (set(part["seen"]), part["held"]) == (seen, True)
