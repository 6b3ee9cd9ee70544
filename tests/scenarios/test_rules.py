"""What rules can ask, as clients meet it: over HTTP, on both engines."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.access import Role
from db.models import Lead
from tests.conftest import Connect
from tests.lead_marks import CREATE as CREATE_PIPELINE
from tests.lead_marks import STAGE, TAG, TOUCH
from tests.lead_office import CREATE_PROJECT, FIELDS, FOR_EVER
from tests.segment_office import CREATE_GROUP, SAVE, SegmentOffice, number_of, office, rule, shop
from tests.server import Server

__all__ = ["office", "shop"]
pytestmark = pytest.mark.anyio

ASKED: list[dict[str, Any]] = [
    *FIELDS,
    {"key": "zip", "label": "Postal code", "type": "TEXT"},
    {"key": "home", "label": "Home", "type": "CHOICE", "choices": ["Apartment", "House"]},
    {"key": "pets", "label": "Pets", "type": "BOOLEAN"},
    {"key": "insured", "label": "Pet insurance", "type": "BOOLEAN"},
    {"key": "born", "label": "Born", "type": "DATE"},
]
PEOPLE: list[dict[str, str]] = [
    {"name": "Anna", "city": "København", "zip": "4000", "home": "Apartment", "pets": "yes"},
    {"name": "Bo", "city": "ÅRHUS", "zip": "5999", "home": "House", "pets": "yes", "insured": "yes"},
    {"name": "Carl", "city": "Århus C", "zip": "DK-4500", "home": "Apartment", "pets": "no"},
    {"name": "Dora", "city": "københavn", "zip": "6000", "home": "apartment", "insured": "no"},
    {"name": "Eva", "zip": "4500.5"},
]
PREVIEW = """query($project: ID, $segment: ID, $filter: SegmentFilterInput!) {
  previewSegmentFilter(projectId: $project, segmentId: $segment, filter: $filter, first: 50) {
    counts { matching } leads { nodes { value(key: "name") } } findings { code message path }
    userErrors { __typename code message field ... on InvalidRule { path } } } }"""
SAVE_RULE = """mutation($input: SaveSegmentFilterInput!) { saveSegmentFilter(input: $input) {
  segment { memberCount } userErrors { __typename code message field
    ... on RuleCycle { path segments { name } } } } }"""
FILTER = "query($id: ID!) { segment(id: $id) { broken filter { rule findings { code path } } } }"
RULE_FIELDS = """query($project: ID!) { ruleFields(projectId: $project) { name label datatype inputType
  valueEditorType operators { name label } values { name label } valueSources } }"""


async def names(office: SegmentOffice, tree: object, **chosen: Any) -> list[str]:
    asked = await office.client.run(PREVIEW, project=office.project, filter={"rule": tree, **chosen})
    preview = asked["previewSegmentFilter"]
    assert preview["userErrors"] == [], preview
    found = [node["value"] for node in preview["leads"]["nodes"]]
    assert preview["counts"]["matching"] == len(found)
    return found


async def refusal(office: SegmentOffice, tree: object, segment: str | None = None) -> dict[str, Any]:
    target = {"segment": segment} if segment else {"project": office.project}
    asked = await office.client.run(PREVIEW, **target, filter={"rule": tree})
    [error] = asked["previewSegmentFilter"]["userErrors"]
    return dict(error)


def negated(tree: dict[str, Any]) -> dict[str, Any]:
    return {**tree, "not": True}


def in_segment(*segments: str, by: str = "members", operator: str = "inSegment") -> dict[str, Any]:
    return rule(("lead.segments", operator, {"segments": list(segments), "by": by}))


async def test_the_examples_of_the_sources_select_whom_they_say(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE, fields=ASKED)
    async with office.tenant.database.writing() as session:
        anna = col(Lead.id) == number_of(office.leads["Anna"])
        mine = col(Lead.organisation_id) == office.tenant.organisation_id
        await session.execute(update(Lead).where(mine, anna).values(status="open"))
    postal = ("zip", "between", "4000,5999")
    copenhagen = ("city", "=", "KØBENHAVN")
    assert await names(office, rule(postal)) == ["Anna", "Bo", "Eva"]
    assert await names(office, rule(postal, ("home", "=", "Apartment"))) == ["Anna"]
    assert await names(office, rule(("pets", "=", True), ("insured", "!=", True))) == ["Anna"]
    assert await names(office, rule(copenhagen, ("lead.status", "=", "open"))) == ["Anna"]
    assert await names(office, rule(copenhagen), statuses=["NEW"]) == ["Dora"]
    either = rule(copenhagen, ("city", "beginsWith", "århus"), combinator="or")
    assert await names(office, either) == ["Anna", "Bo", "Carl", "Dora"]


async def test_texts_compare_in_full_unicode_and_a_lead_without_a_value_is_not_equal_to_anything(
    office: SegmentOffice,
) -> None:
    await office.furnish(PEOPLE, fields=ASKED)
    assert await names(office, rule(("city", "=", "århus"))) == ["Bo"]
    assert await names(office, rule(("city", "!=", "århus"))) == ["Anna", "Carl", "Dora", "Eva"]
    assert await names(office, negated(rule(("city", "=", "århus")))) == ["Anna", "Carl", "Dora", "Eva"]
    assert await names(office, negated(rule(("zip", "<", 6000)))) == ["Carl", "Dora"]
    assert await names(office, rule(("zip", ">=", 6000))) == ["Dora"]
    assert await names(office, rule(("insured", "null", None))) == ["Anna", "Carl", "Eva"]
    assert await names(office, rule(("zip", "matchesRegex", r"^(DK-)?45\d\d"))) == ["Carl", "Eva"]
    assert await names(office, rule(("city", "matchesRegex", "^.RHUS( C)?$"))) == ["Bo", "Carl"]
    refused = await refusal(office, rule(("zip", "matchesRegex", r"(\d)\1")))
    assert (refused["code"], refused["path"]) == ("INVALID_RULE", ["rules", "0", "value"])


async def test_relative_dates_anniversaries_and_history_are_asked_for(office: SegmentOffice) -> None:
    today = datetime.now(UTC).date()
    people = [
        {"name": "Now", "born": str(today - timedelta(days=4))},
        {"name": "Soon", "born": str(today + timedelta(days=3))},
        {"name": "Old", "born": "1964-06-15"},
        {"name": "None"},
    ]
    await office.furnish(people, fields=ASKED)

    def days(number: int) -> dict[str, Any]:
        return {"amount": number, "unit": "days"}

    assert await names(office, rule(("born", "withinLast", days(7)))) == ["Now"]
    assert await names(office, rule(("born", "withinNext", days(7)))) == ["Soon"]
    assert await names(office, rule(("born", "olderThan", days(3)))) == ["Now", "Old"]
    assert await names(office, negated(rule(("born", "olderThan", days(3))))) == ["Soon", "None"]
    birthday = rule(("born", "anniversary", {"amount": 12, "unit": "months"}))
    assert await names(office, birthday) == ["Now", "Soon", "Old"]
    assert await names(office, rule(("lead.createdAt", "withinLast", {"amount": 1, "unit": "hours"}))) == [
        "Now",
        "Soon",
        "Old",
        "None",
    ]
    await office.change(TOUCH, leadId=office.leads["Old"], kind="MANUAL", channel="LETTER")
    assert await names(office, rule(("lead.daysSinceContact", "<", 1))) == ["Old"]
    assert await names(office, rule(("lead.daysSinceContact", "null", None))) == ["Now", "Soon", "None"]
    assert await names(office, rule(("lead.lastTouchAt", "withinLast", days(1)))) == ["Old"]
    unit = await refusal(office, rule(("born", "withinLast", {"amount": 1, "unit": "hours"})))
    assert unit["path"] == ["rules", "0", "value"]


async def test_whatever_a_value_says_it_reaches_the_database_as_a_value_alone(office: SegmentOffice) -> None:
    odd = ["'; DROP TABLE lead; --", '" OR 1=1 --', "100%", "a_b", "\\", "${jndi}", ":name", "?1"]
    await office.furnish([{"name": name, "city": name} for name in odd] + [{"name": "plain", "city": "axb"}])
    for text in odd:
        for operator in ("=", "contains", "beginsWith", "endsWith"):
            assert await names(office, rule(("city", operator, text))) == [text], (operator, text)
        assert await names(office, rule(("city", "in", [text]))) == [text]
        others = [name for name in [*odd, "plain"] if name != text]
        assert sorted(await names(office, rule(("city", "doesNotContain", text)))) == sorted(others)
        for tree in (
            rule((text, "=", "x")),
            rule(("city", text, "x")),
            {**rule(("city", "=", "x")), text: 1},
        ):
            assert (await refusal(office, tree))["code"] == "INVALID_RULE"
        assert (await refusal(office, rule(("city", "=", "x"), combinator=text)))["path"] == ["combinator"]
    assert len(await office.names()) == len(odd) + 1


async def test_members_of_another_segment_and_whom_its_rules_select_are_two_questions(
    office: SegmentOffice,
) -> None:
    await office.furnish(PEOPLE, fields=ASKED)
    first, second, third = [await office.segment(name) for name in ("First", "Second", "Third")]
    await office.save(first, ("pets", "=", True))
    await office.remove(first, "Bo")
    await office.add(first, "Eva")
    assert await names(office, in_segment(first)) == ["Anna", "Eva"]
    assert await names(office, in_segment(first, by="rules")) == ["Anna", "Bo"]
    assert await names(office, in_segment(first, operator="notInSegment")) == ["Bo", "Carl", "Dora"]
    assert await names(office, rule(("lead.segments", "null", None))) == ["Bo", "Carl", "Dora"]
    alone = rule(("lead.segments", "inSegment", first))
    assert await names(office, alone) == ["Anna", "Eva"]
    several = rule(("lead.segments", "inSegment", f"{first},{second}"))
    assert await names(office, several) == ["Anna", "Eva"]

    # A diamond: the first by way of two others, and by itself.
    for segment, condition in ((second, ("zip", "<", 5000)), (third, ("zip", ">", 3000))):
        tree = {"combinator": "and", "rules": [in_segment(first, by="rules"), rule(condition)]}
        saved = await office.change(SAVE, segmentId=segment, mode="REPLACE", filter={"rule": tree})
        assert saved["userErrors"] == []
    assert await office.members(second) == ["Anna"]
    diamond = {
        "combinator": "and",
        "rules": [in_segment(one, by="rules") for one in (second, third, first)],
    }
    assert await names(office, diamond) == ["Anna"]
    assert await names(office, negated(diamond)) == ["Bo", "Carl", "Dora", "Eva"]
    found = await office.names(where={"projectId": office.project}, filter=diamond)
    assert found == ["Anna"]


async def test_a_circle_of_segments_is_refused_with_the_way_round(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE, fields=ASKED)
    ids = {name: await office.segment(name) for name in ("A", "B", "C")}
    for name, other, by in (("A", "B", "rules"), ("B", "C", "members")):
        await office.save(ids["C"], ("pets", "=", True))
        await office.save(ids["B"], ("pets", "=", True))
        tree = in_segment(ids[other], by=by)
        saved = await office.change(SAVE_RULE, segmentId=ids[name], mode="ADD", filter={"rule": tree})
        assert saved["userErrors"] == []

    async def refused(segment: str, tree: object) -> dict[str, Any]:
        answer = await office.change(SAVE_RULE, segmentId=segment, mode="ADD", filter={"rule": tree})
        assert answer["segment"] is None
        [error] = answer["userErrors"]
        return dict(error)

    error = await refused(ids["C"], {"combinator": "or", "rules": [in_segment(ids["A"])]})
    assert (error["__typename"], error["code"]) == ("RuleCycle", "INVALID_RULE")
    assert error["field"] == ["input", "filter", "rule"]
    assert "C → A → B → C" in error["message"]
    assert [one["name"] for one in error["segments"]] == ["C", "A", "B", "C"]
    itself = await refused(ids["C"], in_segment(ids["C"], operator="notInSegment"))
    assert [one["name"] for one in itself["segments"]] == ["C", "C"]
    assert (await refusal(office, in_segment(ids["A"]), ids["C"]))["__typename"] == "RuleCycle"
    assert await names(office, in_segment(ids["A"])) == ["Anna", "Bo"]


async def test_segments_out_of_sight_and_of_other_projects_are_not_found_wherever_they_are_named(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE, fields=ASKED)
    seen = await office.segment("Seen")
    other = (await office.client.run(CREATE_PROJECT, name="Other"))["createProject"]["project"]["id"]
    group = (await office.client.run(CREATE_GROUP, project=other))["createSegmentGroup"]["segmentGroup"]["id"]
    elsewhere = await office.segment("Elsewhere", groupId=group)
    never = elsewhere[:-2] + ("Q" if elsewhere[-2] != "Q" else "R") + elsewhere[-1]
    for tree in (
        rule(("city", "=", "x"), ("lead.segments", "inSegment", [seen, elsewhere])),
        rule(("city", "=", "x"), ("lead.segments", "inSegment", {"segments": [elsewhere], "by": "rules"})),
    ):
        error = await refusal(office, tree)
        assert (error["code"], error["field"]) == (
            "NOT_FOUND",
            ["filter", "rule", "rules", "1", "value"],
        )
    assert (await refusal(office, in_segment(never)))["code"] in ("NOT_FOUND", "INVALID_RULE")
    manager = await office.tenant.user("mona", Role.MANAGER)
    token = await office.tenant.token(manager, expires_at=FOR_EVER)
    limited = SegmentOffice(await connect(shop[0].url, token), office.tenant)
    limited.project, limited.group = office.project, office.group
    own = await limited.segment("Own")
    assert await names(limited, in_segment(own)) == []


async def test_tags_stages_and_source_are_offered_with_their_values_and_asked_for(
    office: SegmentOffice,
) -> None:
    await office.furnish(PEOPLE, fields=ASKED)
    segment = await office.segment("Some")
    await office.change(TAG, selection={"ids": [office.leads["Anna"]]}, labels=["VIP", "Århus"])
    await office.change(TAG, selection={"ids": [office.leads["Bo"]]}, labels=["vip"])
    made = await office.change(CREATE_PIPELINE, projectId=office.project, name="Way", stages=["In", "Out"])
    stages = {one["name"]: one["id"] for one in made["pipeline"]["stages"]}
    await office.change(
        STAGE,
        selection={"ids": [office.leads["Eva"]]},
        pipelineId=made["pipeline"]["id"],
        stageId=stages["Out"],
    )

    fields = (await office.client.run(RULE_FIELDS, project=office.project))["ruleFields"]
    known = {field["name"]: field for field in fields}
    assert [one["label"] for one in known["lead.tags"]["values"]] == ["VIP", "Århus"]
    assert known["lead.tags"]["valueEditorType"] == "multiselect"
    assert [one["name"] for one in known["lead.tags"]["operators"]][:4] == ["=", "!=", "in", "notIn"]
    assert {one["label"]: one["name"] for one in known["lead.stages"]["values"]} == {
        "Way: In": stages["In"],
        "Way: Out": stages["Out"],
    }
    assert known["lead.segments"]["values"] == [{"name": segment, "label": "Some"}]
    assert [one["name"] for one in known["lead.segments"]["operators"]] == [
        "inSegment",
        "notInSegment",
        "null",
        "notNull",
    ]
    assert {"withinLast", "anniversary"} <= {one["name"] for one in known["born"]["operators"]}
    assert known["lead.daysSinceContact"]["inputType"] == "number"
    assert {field["valueSources"][0] for field in fields} == {"value"}

    assert await names(office, rule(("lead.tags", "contains", ["vip", "ÅRHUS"]))) == ["Anna"]
    assert await names(office, rule(("lead.tags", "in", ["vip"]))) == ["Anna", "Bo"]
    assert await names(office, rule(("lead.tags", "notIn", ["vip"]))) == ["Carl", "Dora", "Eva"]
    assert await names(office, rule(("lead.stages", "=", stages["Out"]))) == ["Eva"]
    assert await names(office, rule(("lead.source", "=", "api"), ("lead.stages", "null", None))) == [
        "Anna",
        "Bo",
        "Carl",
        "Dora",
    ]


async def test_what_react_querybuilder_wrote_comes_back_as_it_was_and_what_is_odd_about_it_is_told(
    office: SegmentOffice,
) -> None:
    await office.furnish(PEOPLE, fields=ASKED)
    segment = await office.segment()
    tree = {
        "id": "root",
        "not": False,
        "rules": [
            {"id": "1", "field": "city", "operator": "=", "value": "x", "valueSource": "value"},
            "or",
            {"id": "2", "rules": [{"field": "pets", "operator": "=", "value": True}], "combinator": "and"},
            "and",
            {"field": "zip", "operator": "between", "value": "4000,5999", "muted": False},
            "or",
            {"combinator": "or", "muted": True, "rules": [{"field": "name", "operator": "notNull"}]},
        ],
    }
    assert await names(office, tree) == ["Anna", "Bo"]
    saved = await office.change(SAVE, segmentId=segment, mode="REPLACE", filter={"rule": tree})
    assert saved["counts"]["joined"] == 2
    stored = (await office.client.run(FILTER, id=segment))["segment"]["filter"]
    assert stored == {"rule": tree, "findings": []}

    odd = rule(("city", "=", "a"), ("city", "=", "b"))
    asked = await office.client.run(PREVIEW, project=office.project, filter={"rule": odd})
    preview = asked["previewSegmentFilter"]
    assert preview["counts"]["matching"] == 0
    assert preview["findings"] == [
        {"code": "CONTRADICTION", "message": "No lead can match this.", "path": ["rule"]}
    ]
    await office.change(SAVE, segmentId=segment, mode="ADD", filter={"rule": odd})
    findings = (await office.client.run(FILTER, id=segment))["segment"]["filter"]["findings"]
    assert findings == [{"code": "CONTRADICTION", "path": ["rule"]}]
    for key, value in (("combinator", "xor"), ("match", {"mode": "all"})):
        assert (await refusal(office, {**odd, key: value}))["path"] == [key]
    source = {"combinator": "and", "rules": [{**odd["rules"][0], "valueSource": "field"}]}
    assert (await refusal(office, source))["path"] == ["rules", "0", "valueSource"]
