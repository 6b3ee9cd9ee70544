"""What each condition of a filter keeps, as clients see it before saving, on both engines."""

from typing import Any

import pytest

from core.access import Role
from tests.client import GraphQLFailed
from tests.conftest import Connect
from tests.segment_office import SegmentOffice, office, shop
from tests.server import Server

__all__ = ["office", "shop"]
pytestmark = pytest.mark.anyio

PEOPLE: list[dict[str, Any]] = [
    {"name": "Anna", "city": "Oslo", "beds": 10},
    {"name": "Bo", "city": "Oslo", "beds": 300},
    {"name": "Carl", "city": "Bergen", "beds": 20},
    {"name": "Dora", "city": "Bergen", "beds": 400},
    {"name": "Eva", "beds": 30},
]
PREVIEW = """query($project: ID!, $filter: SegmentFilterInput!) {
  previewSegmentFilter(projectId: $project, filter: $filter) {
    asOf counts { matching } userErrors { code field }
    waterfall { leads steps { path field keeps remaining } } } }"""


async def test_a_preview_says_what_each_condition_keeps_alone_and_after_those_before_it(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish(PEOPLE)
    some = {
        "combinator": "or",
        "rules": [
            {"field": "beds", "operator": ">=", "value": 300},
            {"field": "city", "operator": "null"},
        ],
    }
    not_bergen = {"field": "city", "operator": "!=", "value": "bergen"}
    chosen = {
        "campaignIds": [office.campaigns["C"]],
        "statuses": ["NEW"],
        "rule": {"combinator": "and", "rules": [some, {"combinator": "and", "rules": [not_bergen]}]},
    }
    preview = (await office.client.run(PREVIEW, project=office.project, filter=chosen))[
        "previewSegmentFilter"
    ]
    assert preview["userErrors"] == []
    assert preview["counts"] == {"matching": 2}
    assert preview["asOf"] is not None
    assert preview["waterfall"]["leads"] == 5
    steps = [
        (step["path"], step["field"], step["keeps"], step["remaining"])
        for step in preview["waterfall"]["steps"]
    ]
    assert steps == [
        (["campaignIds"], "lead.campaign", 5, 5),
        (["statuses"], "lead.status", 5, 5),
        (["rule", "rules", "0"], None, 3, 3),
        (["rule", "rules", "0", "rules", "0"], "beds", 2, None),
        (["rule", "rules", "0", "rules", "1"], "city", 1, None),
        (["rule", "rules", "1", "rules", "0"], "city", 3, 2),
    ]

    refused = (await office.client.run(PREVIEW, project=office.project, filter={}))["previewSegmentFilter"]
    assert refused["waterfall"] is None
    assert refused["userErrors"] == [{"code": "BAD_USER_INPUT", "field": ["filter"]}]
    agent = await connect(shop[0].url, await office.token("agent", Role.AGENT))
    with pytest.raises(GraphQLFailed) as failed:
        await agent.run(PREVIEW, project=office.project, filter=chosen)
    assert failed.value.codes == ["FORBIDDEN"]
