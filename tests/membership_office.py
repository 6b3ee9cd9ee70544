"""An office whose leads are put into segments and taken out in every way, over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any

from gql.schema.ids import opaque
from tests.client import Client
from tests.segment_office import SegmentOffice

UPDATES = """updates { segment { id memberCount } changeset
  counts { joined left moved kept barred held pinned released } }"""
ERRORS = """userErrors { __typename code message field
  ... on ExclusiveConflict { count held { leadId segmentId } } }"""
ONE = """job { id } segment { id memberCount } changeset
  counts { joined left moved kept barred held pinned released }"""


def _mutation(name: str, given: str, asked: str) -> str:
    return f"mutation($input: {given}!) {{ done: {name}(input: $input) {{ {asked} {ERRORS} }} }}"


ADD = _mutation("addLeadsToSegments", "AddLeadsToSegmentsInput", f"job {{ id }} {UPDATES}")
OPERATIONS = {
    "save": _mutation("saveSegmentFilter", "SaveSegmentFilterInput", ONE),
    "update": _mutation("updateSegmentMembers", "UpdateSegmentMembersInput", ONE),
    "remove": _mutation("removeLeadsFromSegment", "RemoveLeadsFromSegmentInput", ONE),
    "release": _mutation("releaseLeads", "ReleaseLeadsInput", ONE),
    "empty": _mutation("emptySegment", "EmptySegmentInput", ONE),
}
UNDO = _mutation("undoChangeset", "UndoChangesetInput", f"job {{ id }} {UPDATES} skipped skippedLeadIds")
EXCLUSIVE = f"""mutation($id: ID!, $exclusive: Boolean!) {{
  done: updateProject(input: {{id: $id, exclusive: $exclusive}}) {{ project {{ exclusive }} {ERRORS} }} }}"""
PEOPLE = [
    {"name": name, "city": city}
    for name, city in (
        ("Anna", "Oslo"), ("Bo", "Oslo"), ("Carl", "Bergen"), ("Dina", "Bergen"), ("Eva", "Rome")
    )
]  # fmt: skip
MEMBERS = """query($id: ID!) { segment(id: $id) { memberCount membersAsOf membersRevision ruleRevision
  members(first: 200) { totalCount nodes {
    origin addedAt addedBy { name } lead { value(key: "name") } } } } }"""
CHANGES = """query($ids: [ID!]) { membershipChanges(segmentIds: $ids, first: 200) {
  nodes { segmentId joined left cause changeset } } }"""


def counts(**moved: int) -> dict[str, int]:
    """Counts of an operation; those that are not named are zero."""
    names = ("joined", "left", "moved", "kept", "barred", "held", "pinned", "released")
    return dict.fromkeys(names, 0) | moved


class MembershipOffice:
    """What is done with segments of an office, and who is in them then."""

    def __init__(self, office: SegmentOffice, client: Client | None = None) -> None:
        self.office = office
        self.client = client or office.client

    async def does(self, document: str, **given: Any) -> dict[str, Any]:
        """The payload of an operation that is carried out."""
        done = await self.asked(document, **given)
        assert done["userErrors"] == [], done
        return done

    async def asked(self, document: str, **given: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.client.run(document, input=given))["done"]
        return answer

    async def save(self, segment: str, city: str, mode: str = "REPLACE", **more: Any) -> dict[str, Any]:
        rules = [{"field": "city", "operator": "=", "value": city}]
        chosen = {"rule": {"combinator": "and", "rules": rules}}
        return await self.does(OPERATIONS["save"], segmentId=segment, mode=mode, filter=chosen, **more)

    async def update(self, segment: str, mode: str = "REPLACE", **more: Any) -> dict[str, Any]:
        return await self.does(OPERATIONS["update"], segmentId=segment, mode=mode, **more)

    async def add(self, segments: str | Sequence[str], *names: str, **more: Any) -> list[dict[str, Any]]:
        wanted = [segments] if isinstance(segments, str) else list(segments)
        done = await self.does(ADD, segmentIds=wanted, leadIds=self.leads(*names), **more)
        updates: list[dict[str, Any]] = done["updates"]
        return updates

    async def remove(self, segment: str, *names: str) -> dict[str, Any]:
        return await self.does(OPERATIONS["remove"], segmentId=segment, leadIds=self.leads(*names))

    async def release(self, segment: str, *names: str) -> dict[str, Any]:
        return await self.does(OPERATIONS["release"], segmentId=segment, leadIds=self.leads(*names))

    async def empty(self, segment: str) -> dict[str, Any]:
        return await self.does(OPERATIONS["empty"], segmentId=segment, confirm=True)

    async def undo(self, changeset: str) -> dict[str, Any]:
        return await self.does(UNDO, changeset=changeset)

    async def exclusive(self, exclusive: bool = True) -> dict[str, Any]:
        answer = await self.client.run(EXCLUSIVE, id=self.office.project, exclusive=exclusive)
        done: dict[str, Any] = answer["done"]
        return done

    async def segment(self, segment: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.run(MEMBERS, id=segment))["segment"]
        return found

    async def members(self, segment: str) -> dict[str, str]:
        """The origins of the members by their names; the counts agree."""
        found = await self.segment(segment)
        nodes = found["members"]["nodes"]
        assert found["memberCount"] == found["members"]["totalCount"] == len(nodes)
        return {node["lead"]["value"]: node["origin"] for node in nodes}

    async def changes(self, *segments: str) -> list[Mapping[str, Any]]:
        nodes: list[Mapping[str, Any]] = (await self.client.run(CHANGES, ids=list(segments)))[
            "membershipChanges"
        ]["nodes"]
        return nodes

    def leads(self, *names: str) -> list[str]:
        return [self.office.leads[name] for name in names]

    def unknown(self) -> str:
        return opaque("ChangeLogEntry", self.office.tenant.organisation_id, 10**9)
