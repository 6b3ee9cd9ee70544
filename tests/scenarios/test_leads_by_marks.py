"""Leads found by their tags and stages: in lists, by rules, by segments; over HTTP on both engines."""

from typing import Any

import anyio
import pytest

from core.access import Role
from tests.conftest import Connect
from tests.lead_marks import CREATE, DELETE, DELETE_TAG, RENAME, STAGE, TAG, TAGS, UNTAG, UPDATE
from tests.lead_office import UPDATE as EDIT
from tests.segment_office import SegmentOffice, office, rule, shop

__all__ = ["office", "shop"]

pytestmark = pytest.mark.anyio

PEOPLE = [{"name": "Anna"}, {"name": "Bo"}, {"name": "Carl"}, {"name": "Dora"}]


async def marked(office: SegmentOffice) -> tuple[str, dict[str, str]]:
    """Anna is hot and met, Bo hot and from the fair, Carl won. The pipeline and its stages."""
    await office.furnish(PEOPLE)
    made = (await office.change(CREATE, projectId=office.project, name="Sales", stages=["Met", "Won"]))[
        "pipeline"
    ]
    stages = {stage["name"]: stage["id"] for stage in made["stages"]}
    for labels, names in ((["Hot"], ["Anna", "Bo"]), (["Fair"], ["Bo"])):
        await office.change(TAG, selection={"ids": [office.leads[name] for name in names]}, labels=labels)
    for stage, name in (("Met", "Anna"), ("Won", "Carl")):
        given = {"pipelineId": made["id"], "stageId": stages[stage]}
        await office.change(STAGE, selection={"ids": [office.leads[name]]}, **given)
    return made["id"], stages


async def tag_of(office: SegmentOffice, label: str) -> str:
    """The ID of the one tag whose label begins so."""
    (tag,) = (await office.client.run(TAGS, beginning=label))["tags"]["nodes"]
    return str(tag["id"])


async def test_lists_find_leads_by_tags_and_stages_and_so_do_rules(
    office: SegmentOffice,
) -> None:
    _, stages = await marked(office)
    conditions: list[tuple[dict[str, Any], list[str]]] = [
        ({"tag": {"eq": "HOT"}}, ["Anna", "Bo"]),
        ({"tag": {"ne": "hot"}}, ["Carl", "Dora"]),
        ({"tag": {"in": ["fair", "none such"]}}, ["Bo"]),
        ({"tag": {"notIn": ["fair"]}}, ["Anna", "Carl", "Dora"]),
        ({"tag": {"isNull": True}}, ["Carl", "Dora"]),
        ({"tag": {"eq": "hot", "ne": " FAIR "}}, ["Anna"]),
        ({"stage": {"eq": stages["Met"]}}, ["Anna"]),
        ({"stage": {"in": list(stages.values())}}, ["Anna", "Carl"]),
        ({"stage": {"ne": stages["Won"]}}, ["Anna", "Bo", "Dora"]),
        ({"stage": {"isNull": True}}, ["Bo", "Dora"]),
        ({"NOT": {"OR": [{"tag": {"eq": "fair"}}, {"stage": {"isNull": False}}]}}, ["Dora"]),
    ]
    for where, expected in conditions:
        assert await office.names(where=where) == expected, where
    asked: list[tuple[tuple[str, str, object], list[str]]] = [
        (("lead.tags", "in", ["HOT"]), ["Anna", "Bo"]),
        (("lead.tags", "notIn", ["hot"]), ["Carl", "Dora"]),
        (("lead.tags", "null", None), ["Carl", "Dora"]),
        (("lead.stages", "in", [stages["Won"]]), ["Carl"]),
    ]
    for one, expected in asked:
        assert await office.names(filter=rule(one)) == expected, one


async def test_leads_are_selected_by_tag_for_what_is_done_to_many(
    office: SegmentOffice, connect: Connect, shop: Any
) -> None:
    await marked(office)
    agent = await connect(shop[0].url, await office.token("agent", Role.AGENT))
    me = (await agent.run("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    await office.change(EDIT, id=office.leads["Bo"], owner={"userId": me})
    assert await office.names(agent, where={"tag": {"eq": "hot"}}) == ["Bo"]
    assert await office.names(agent, where={"tag": {"ne": "hot"}}) == []


async def test_what_segments_select_by_is_neither_deleted_nor_called_otherwise(office: SegmentOffice) -> None:
    pipeline, stages = await marked(office)
    by_tag, by_stage = await office.segment("By tag"), await office.segment("By stage")
    saved = await office.save(by_tag, ("lead.tags", "in", ["Fair"]))
    assert saved["segment"]["memberCount"] == 1
    saved = await office.save(by_stage, ("lead.stages", "in", [stages["Met"]]))
    assert saved["segment"]["memberCount"] == 1
    fair = next(
        tag["id"] for tag in (await office.client.run(TAGS))["tags"]["nodes"] if tag["label"] == "Fair"
    )

    async def refused(document: str, **given: Any) -> tuple[str, list[str]]:
        asked = document.replace(
            "{ code message field", "{ code message ... on InUse { dependents { name } } field"
        )
        (error,) = (await office.change(asked, **given))["userErrors"]
        return error["code"], [one["name"] for one in error["dependents"]]

    assert await refused(RENAME, id=fair, label="Trade fair") == ("IN_USE", ["By tag"])
    assert (await office.change(RENAME, id=fair, label="FAIR"))["userErrors"] == []
    await office.change(UNTAG, selection={"ids": [office.leads["Bo"]]}, labels=["fair"])
    assert await refused(DELETE_TAG, id=fair) == ("IN_USE", ["By tag"])
    await office.save(by_tag, ("lead.tags", "in", ["Hot"]))
    assert (await office.change(DELETE_TAG, id=fair))["userErrors"] == []

    kept = [{"id": stages["Won"], "name": "Won"}]
    move = [{"from": stages["Met"], "to": None}]
    assert await refused(UPDATE, id=pipeline, stages=kept, moveLeads=move) == ("IN_USE", ["By stage"])
    everyone = {"selection": {"ids": list(office.leads.values())}, "pipelineId": pipeline}
    await office.change(STAGE, **everyone)
    assert await refused(DELETE, id=pipeline) == ("IN_USE", ["By stage"])
    await office.save(by_stage, ("name", "=", "Anna"))
    assert (await office.change(DELETE, id=pipeline))["userErrors"] == []


async def test_an_automated_segment_takes_in_who_is_tagged(office: SegmentOffice) -> None:
    await office.furnish(PEOPLE)
    segment = await office.segment("Hot ones", automation="MIRROR")
    await office.change(TAG, selection={"ids": [office.leads["Dora"]]}, labels=["warm"])
    await office.save(segment, ("lead.tags", "in", ["hot", "blazing"]))

    async def becomes(*names: str) -> None:
        with anyio.fail_after(30):
            while True:
                if await office.members(segment) == list(names):
                    return
                await anyio.sleep(0.05)

    await office.change(TAG, selection={"ids": [office.leads["Anna"], office.leads["Bo"]]}, labels=["Hot"])
    await becomes("Anna", "Bo")
    await office.change(UNTAG, selection={"ids": [office.leads["Bo"]]}, labels=["hot"])
    await becomes("Anna")
    warm = next(
        tag["id"] for tag in (await office.client.run(TAGS))["tags"]["nodes"] if tag["label"] == "warm"
    )
    hot = await office.change(RENAME, id=warm, label="tepid")
    assert hot["userErrors"] == []
