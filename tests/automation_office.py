"""Segments that follow their leads, at a server: for tests of automation."""

import asyncio
from collections.abc import Mapping
from typing import Any

from tests.lead_office import Office

CREATE_GROUP = """mutation($input: CreateSegmentGroupInput!) { createSegmentGroup(input: $input) {
  segmentGroup { id } userErrors { message } } }"""
CREATE_SEGMENT = """mutation($input: CreateSegmentInput!) { createSegment(input: $input) {
  segment { id automation } userErrors { code field message } } }"""
UPDATE_SEGMENT = """mutation($input: UpdateSegmentInput!) { updateSegment(input: $input) {
  segment { id automation memberCount } userErrors { code field message } } }"""
SAVE = """mutation($input: SaveSegmentFilterInput!) { saveSegmentFilter(input: $input) {
  segment { memberCount } counts { joined left held } userErrors { code field message } } }"""
ADD = """mutation($input: AddLeadsToSegmentsInput!) { addLeadsToSegments(input: $input) {
  userErrors { code message } } }"""
REMOVE = """mutation($input: RemoveLeadsFromSegmentInput!) { removeLeadsFromSegment(input: $input) {
  userErrors { code message } } }"""
MEMBERS = """query($id: ID!) { segment(id: $id) { memberCount members(first: 200) {
  nodes { origin lead { id } } } } }"""
CHANGES = """query($segments: [ID!]) { membershipChanges(segmentIds: $segments, first: 100) {
  nodes { joined left cause actor { kind } } } }"""
FOLLOW = """subscription($segments: [ID!]) { segmentMembershipChanged(segmentIds: $segments) {
  __typename ... on MembershipChange { joined left cause actor { kind user { email } } } } }"""

RELEASE = """mutation($input: ReleaseLeadsInput!) { releaseLeads(input: $input) {
  counts { released } userErrors { code message } } }"""
TAG = """mutation($input: TagLeadsInput!) { tagLeads(input: $input) { userErrors { code message } } }"""
START = """mutation($input: StartCallSessionInput!) { startCallSession(input: $input) {
  callSession { id } userErrors { code message } } }"""
TAKE = """mutation($input: TakeNextLeadInput!) { takeNextLead(input: $input) {
  nextLead { lead { id } } noLeadLeft { reasons } userErrors { code message } } }"""
RECORD = """mutation($input: RecordCallInput!) { recordCall(input: $input) {
  lead { id } userErrors { code message } } }"""
PREVIEW = """query($segment: ID!, $filter: SegmentFilterInput!) {
  previewSegmentFilter(segmentId: $segment, filter: $filter) {
    counts { matching members wouldJoin wouldLeave } userErrors { code } } }"""

WITHIN_SECONDS = 20.0
"""How long a test waits at most for what takes a moment: the machine may stall."""


def where(field: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def every(*rules: Mapping[str, Any]) -> dict[str, Any]:
    return {"combinator": "and", "rules": list(rules)}


def either(*rules: Mapping[str, Any]) -> dict[str, Any]:
    return {"combinator": "or", "rules": list(rules)}


class Segments:
    """The segments of an office, by name, in one group."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.ids: dict[str, str] = {}
        self.group = ""

    async def open(self) -> None:
        given = {"projectId": self.office.project, "name": "G"}
        made = await self.office.change(CREATE_GROUP, **given)
        self.group = made["segmentGroup"]["id"]

    async def create(
        self, name: str, rule: Mapping[str, Any] | None = None, automation: str = "MIRROR"
    ) -> str:
        """A segment that follows the rule."""
        given = {"groupId": self.group, "name": name, "automation": automation}
        made = await self.office.change(CREATE_SEGMENT, **given)
        assert made["userErrors"] == []
        self.ids[name] = made["segment"]["id"]
        if rule is not None:
            await self.save(name, rule)
        return self.ids[name]

    async def save(self, name: str, rule: Mapping[str, Any], mode: str = "REPLACE") -> dict[str, Any]:
        given = {"segmentId": self.ids[name], "filter": {"rule": every(rule)}, "mode": mode}
        saved = await self.office.change(SAVE, **given)
        assert saved["userErrors"] == []
        return saved

    async def add(self, name: str, *leads: str) -> None:
        ids = [self.office.leads[lead] for lead in leads]
        done = await self.office.change(ADD, segmentIds=[self.ids[name]], leadIds=ids)
        assert done["userErrors"] == []

    async def remove(self, name: str, *leads: str) -> None:
        ids = [self.office.leads[lead] for lead in leads]
        done = await self.office.change(REMOVE, segmentId=self.ids[name], leadIds=ids)
        assert done["userErrors"] == []

    async def release(self, name: str, *leads: str) -> None:
        ids = [self.office.leads[lead] for lead in leads]
        done = await self.office.change(RELEASE, segmentId=self.ids[name], leadIds=ids)
        assert done["userErrors"] == []

    async def members(self, name: str) -> set[str]:
        """The names of its members."""
        return (await self._counted(name))[0]

    async def become(self, name: str, *leads: str) -> None:
        """Waits until these are its members, and its count says so."""
        found: tuple[set[str], int] = set(), 0
        wanted = set(leads), len(leads)
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                while True:
                    found = await self._counted(name)
                    if found == wanted:
                        return
                    await asyncio.sleep(0.02)
        except TimeoutError:
            assert found == wanted, name

    async def _counted(self, name: str) -> tuple[set[str], int]:
        found = (await self.office.client.run(MEMBERS, id=self.ids[name]))["segment"]
        names = {lead_id: name for name, lead_id in self.office.leads.items()}
        return {names[node["lead"]["id"]] for node in found["members"]["nodes"]}, found["memberCount"]

    async def causes(self, name: str) -> list[tuple[int, int, str]]:
        """How many joined and left at each change, and why."""
        found = await self.office.client.run(CHANGES, segments=[self.ids[name]])
        nodes = found["membershipChanges"]["nodes"]
        return [(len(node["joined"]), len(node["left"]), node["cause"]) for node in nodes]
