"""Segments of real data have as many members as the file says, counted here by other means."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import phonenumbers
import pytest

from tests.client import Client
from tests.conftest import Connect
from tests.server import Installation, Server

pytestmark = pytest.mark.anyio

HOSPITALS = Path(__file__).parent.parent.parent / "examples" / "hospitals.csv"
PHONE, STATE, ZIP, NAME = "Telephone Number", "State", "ZIP Code", "Facility Name"
RATING, OWNER, NOTE = "Hospital overall rating", "Hospital Ownership", "Hospital overall rating footnote"

Row = dict[str, str]

CREATE_PROJECT = 'mutation { createProject(input: {name: "P"}) { project { id } userErrors { message } } }'
CREATE_CAMPAIGN = """mutation($project: ID!, $fields: [TemplateFieldInput!]!) {
  createCampaign(input: {projectId: $project, code: "H", name: "H", region: "US", fields: $fields}) {
    campaign { id } userErrors { message field } } }"""
CREATE_UPLOAD = """mutation($campaign: ID!, $settings: UploadSettingsInput!) {
  createLeadUpload(input: {campaignId: $campaign, fileName: "hospitals.csv", settings: $settings}) {
    leadUpload { id url } userErrors { message field } } }"""
MAP = """mutation($upload: ID!, $mapping: [ColumnMappingInput!]!) {
  updateLeadUpload(input: {id: $upload, mapping: $mapping}) {
    leadUpload { id } userErrors { message field } } }"""
IMPORT = """mutation($upload: ID!) { importLeads(input: {uploadId: $upload}) {
  job { id } leadPool { id } userErrors { message field } } }"""
JOB = "query($id: ID!) { job(id: $id) { state error } }"
POOL = "query($id: ID!) { leadPool(id: $id) { rows valid invalid duplicates } }"
CREATE_GROUP = """mutation($project: ID!) { createSegmentGroup(input: {projectId: $project, name: "G"}) {
  segmentGroup { id } userErrors { message } } }"""
CREATE = """mutation($group: ID!) { createSegment(input: {groupId: $group, name: "S"}) {
  segment { id } userErrors { message } } }"""
PREVIEW = """query($segment: ID!, $rule: RuleTree) {
  previewSegmentFilter(segmentId: $segment, filter: {rule: $rule}) {
    counts { matching } userErrors { message field } } }"""
SAVE = """mutation($segment: ID!, $rule: RuleTree) {
  saveSegmentFilter(input: {segmentId: $segment, filter: {rule: $rule}, mode: REPLACE}) {
    segment { memberCount members { totalCount } filter { rule } } userErrors { message field } } }"""


def key_of(column: str) -> str:
    return re.sub(r"\W+", "_", column).strip("_").lower()


def condition(column: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"field": key_of(column), "operator": operator, "value": value}


def group(combinator: str, *rules: dict[str, Any], negated: bool = False) -> dict[str, Any]:
    return {"combinator": combinator, "not": negated, "rules": list(rules)}


def number_of(text: str) -> float:
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else float("nan")


RULES: dict[str, tuple[dict[str, Any], Callable[[Row], bool]]] = {
    "equals": (condition(STATE, "=", "tx"), lambda row: row[STATE] == "TX"),
    "in": (condition(STATE, "in", "TX, ca,NY"), lambda row: row[STATE] in ("TX", "CA", "NY")),
    "not in": (condition(STATE, "notIn", ["TX", "CA"]), lambda row: row[STATE] not in ("TX", "CA")),
    "contains": (condition(NAME, "contains", "Children"), lambda row: "CHILDREN" in row[NAME].upper()),
    "does not contain": (
        condition(OWNER, "doesNotContain", "GOVERNMENT"),
        lambda row: "government" not in row[OWNER].lower(),
    ),
    "between on numbers in a text": (
        condition(ZIP, "between", [4000, 5999]),
        lambda row: 4000 <= number_of(row[ZIP]) <= 5999,
    ),
    "at least on numbers in a text": (condition(RATING, ">=", "4"), lambda row: number_of(row[RATING]) >= 4),
    "empty": (condition(NOTE, "null"), lambda row: row[NOTE].strip() == ""),
    "begins with": (
        condition("County/Parish", "beginsWith", "san "),
        lambda row: row["County/Parish"][:4] == "SAN ",
    ),
    "nested with a negation": (
        group(
            "and",
            group("or", condition(STATE, "=", "TX"), condition(STATE, "=", "CA")),
            group(
                "or",
                condition(RATING, "in", ["1", "2"]),
                condition(RATING, "=", "Not Available"),
                negated=True,
            ),
            condition(NOTE, "null"),
        ),
        lambda row: (
            row[STATE] in ("TX", "CA")
            and row[RATING] not in ("1", "2", "Not Available")
            and row[NOTE].strip() == ""
        ),
    ),
    "without combinators of their own": (
        {
            "rules": [
                condition(STATE, "=", "TX"),
                "and",
                condition(RATING, "=", "5"),
                "or",
                condition(NAME, "endsWith", "clinic"),
            ]
        },
        lambda row: (row[STATE] == "TX" and row[RATING] == "5") or row[NAME].upper().endswith("CLINIC"),
    ),
}


def imported_rows() -> list[Row]:
    """The rows that become leads: a valid phone that no earlier row has."""
    seen: set[str] = set()
    kept = []
    with HOSPITALS.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            phone = phonenumbers.parse(row[PHONE], "US")
            number = phonenumbers.format_number(phone, phonenumbers.PhoneNumberFormat.E164)
            if phonenumbers.is_valid_number(phone) and number not in seen:
                seen.add(number)
                kept.append(row)
    return kept


async def answer(client: Client, operation: str, **variables: Any) -> dict[str, Any]:
    """The only field of the answer, which reports no user error."""
    [field] = (await client.run(operation, **variables)).values()
    assert not field.get("userErrors"), field["userErrors"]
    found: dict[str, Any] = field
    return found


async def import_hospitals(client: Client, project: str) -> dict[str, Any]:
    """Takes the whole file in, and returns the figures of its pool."""
    with HOSPITALS.open(newline="", encoding="utf-8") as file:
        columns = next(csv.reader(file))
    fields = [
        {"key": key_of(column), "label": column, "type": "PHONE" if column == PHONE else "TEXT"}
        for column in columns
    ]
    campaign = (await answer(client, CREATE_CAMPAIGN, project=project, fields=fields))["campaign"]["id"]
    settings = {"duplicateField": key_of(PHONE)}
    made = await answer(client, CREATE_UPLOAD, campaign=campaign, settings=settings)
    upload = made["leadUpload"]
    assert (await client.put(upload["url"], HOSPITALS.read_bytes())).is_success
    mapping = [{"column": column, "field": key_of(column)} for column in columns]
    await answer(client, MAP, upload=upload["id"], mapping=mapping)
    started = await answer(client, IMPORT, upload=upload["id"])
    with anyio.fail_after(120):
        while (job := await answer(client, JOB, id=started["job"]["id"]))["state"] != "SUCCEEDED":
            assert job["state"] in ("QUEUED", "RUNNING"), job
            await anyio.sleep(0.2)
    return await answer(client, POOL, id=started["leadPool"]["id"])


async def test_segments_have_the_counts_that_the_file_itself_gives(
    installation: Installation, server: Server, connect: Connect
) -> None:
    token = installation.run("organisation", "create", "O", "--admin", "admin@o.example").strip()
    client = await connect(server.url, token)
    project = (await answer(client, CREATE_PROJECT))["project"]["id"]
    pool = await import_hospitals(client, project)
    rows = imported_rows()
    assert pool["valid"] == len(rows)

    segment_group = (await answer(client, CREATE_GROUP, project=project))["segmentGroup"]["id"]
    segment = (await answer(client, CREATE, group=segment_group))["segment"]["id"]
    for name, (rule, expected) in RULES.items():
        count = sum(expected(row) for row in rows)
        assert 0 < count < len(rows), name
        preview = await answer(client, PREVIEW, segment=segment, rule=rule)
        assert preview["counts"]["matching"] == count, name
        saved = (await answer(client, SAVE, segment=segment, rule=rule))["segment"]
        assert saved["memberCount"] == saved["members"]["totalCount"] == count, name
        assert saved["filter"]["rule"] == rule
