"""Importing a CSV straight into a segment: who matches, who joins, who does not and why, and the undo."""

from collections.abc import Mapping
from typing import Any

import pytest

from core.access import Permission, Resource, Right, Role
from core.policies import user as user_subject
from db.commands.grant import AccessEntry, grant_permission, set_access
from gql.schema.ids import parts
from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.import_office import UNDO, ImportOffice, phones
from tests.lead_office import FOR_EVER, phone
from tests.organisations import NOW
from tests.segment_office import SegmentOffice, office, shop
from tests.server import Server

__all__ = ["office", "shop"]

pytestmark = pytest.mark.anyio

OUTCOME = """segmentId changeset leads matched joined moved alreadyMembers pinned held unfit hidden
  ownersChanged"""
PLAN = """mutation($input: ImportIntoSegmentInput!) { importIntoSegment(input: $input) {
  job { id } leadPool { id } changeset plan { id kind wouldJoin wouldLeave displaced blocked
    segments { segment { name } wouldJoin blocked }
    samples { effect lead { value(key: "name") } segment { name } } }
  importPlan { rows valid invalid duplicates problems { line outcome } }
  userErrors { code message field } } }"""
APPLY = """mutation($input: ApplyPlanInput!) { applyPlan(input: $input) {
  plan { appliedAt } job { id } updates { changeset } userErrors { code message field } } }"""
POOLS = "{ leadPools { totalCount } }"
IMPORT = """mutation($input: ImportIntoSegmentInput!) { importIntoSegment(input: $input) {
  job { id } leadPool { id } changeset userErrors { code message field } } }"""
JOB = f"query($id: ID!) {{ job(id: $id) {{ state error segmentImport {{ {OUTCOME} }} }} }}"
MEMBERS = """query($id: ID!) { segment(id: $id) { memberCount members(first: 200) {
  nodes { origin addedBy { email } lead { value(key: "name") ownerUser { email } } } } } }"""
CHANGES = """query($ids: [ID!]!) { membershipChanges(segmentIds: $ids) {
  nodes { cause joinedCount leftCount } } }"""
POOL = "query($id: ID!) { leadPool(id: $id) { outsideSegmentUrl duplicatesUrl } }"
UPDATE = """mutation($input: UpdateSegmentInput!) { updateSegment(input: $input) {
  segment { uploadsMustMatch } userErrors { code message } } }"""
EXCLUSIVE = """mutation($input: UpdateProjectInput!) { updateProject(input: $input) {
  project { id } userErrors { message } } }"""
USERS = "{ users { nodes { id email } } }"


def table(*people: tuple[int, str, str]) -> bytes:
    return "\n".join(["phone,name,city", *(f"{phone(n)},{name},{city}" for n, name, city in people)]).encode()


class Importer:
    """Files on their way into segments of an office."""

    def __init__(self, office: SegmentOffice, client: Client | None = None) -> None:
        self.office = office
        self.files = ImportOffice(client or office.client)

    async def asked(
        self, segment: str, data: bytes, settings: Mapping[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        upload = await self.files.uploaded(self.office.campaigns["C"], data, **(settings or {}))
        answer = await self.files.client.run(IMPORT, input={"uploadId": upload, "segmentId": segment, **more})
        return dict(answer["importIntoSegment"])

    async def done(self, begun: Mapping[str, Any]) -> dict[str, Any]:
        """The job once it is over; leads add up."""
        assert begun["userErrors"] == [], begun
        await self.files.finished(begun["job"]["id"])
        job = dict((await self.files.client.run(JOB, id=begun["job"]["id"]))["job"])
        if job["state"] == "SUCCEEDED":
            told = job["segmentImport"]
            apart = ("joined", "alreadyMembers", "held", "unfit", "hidden")
            assert told["leads"] == sum(told[name] for name in apart)
        return job

    async def into(self, segment: str, data: bytes, **more: Any) -> dict[str, Any]:
        job = await self.done(await self.asked(segment, data, **more))
        assert (job["state"], job["error"]) == ("SUCCEEDED", None)
        return dict(job["segmentImport"])

    async def outside(self, pool: str) -> list[tuple[str, str]]:
        url = (await self.files.client.run(POOL, id=pool))["leadPool"]["outsideSegmentUrl"]
        return [(row["line"], row["reason"]) for row in await self.files.report(url)]


def counted(told: Mapping[str, Any]) -> dict[str, int]:
    """The counts that are not 0."""
    return {name: count for name, count in told.items() if isinstance(count, int) and count}


async def origins(office: SegmentOffice, segment: str) -> dict[str, str]:
    nodes = (await office.client.run(MEMBERS, id=segment))["segment"]["members"]["nodes"]
    return {node["lead"]["value"]: node["origin"] for node in nodes}


async def test_rows_match_leads_of_the_project_others_are_created_and_all_become_members_by_import(
    office: SegmentOffice,
) -> None:
    await office.furnish([{"name": "Ann", "city": "Oslo"}, {"name": "Bo"}, {"name": "Cy"}], "C", "OTHER")
    segment = await office.segment()
    await office.save(segment, ("city", "=", "Oslo"))
    await office.add(segment, "Bo")
    await office.push("OTHER", [{"phone": phone(500), "name": "Far"}])
    importer = Importer(office)
    data = table(
        (100, "Ann again", ""), (101, "Bo again", ""), (102, "Cy", ""), (500, "Far", ""), (900, "New", ""),
        (900, "New twice", ""), (100, "Ann a third time", ""),
    )  # fmt: skip
    begun = await importer.asked(segment, data)
    job = await importer.done(begun)
    told = job["segmentImport"]
    assert (job["state"], told["segmentId"]) == ("SUCCEEDED", segment)
    assert counted(told) == {"leads": 5, "matched": 4, "joined": 3, "alreadyMembers": 2, "pinned": 1}
    assert await importer.files.accounts(begun["leadPool"]["id"]) == [7, 1, 0, 6, 0, 0]
    assert await origins(office, segment) == {
        "Ann": "IMPORT", "Bo": "HAND", "Cy": "IMPORT", "Far": "IMPORT", "New": "IMPORT",
    }  # fmt: skip
    nodes = (await office.client.run(CHANGES, ids=[segment]))["membershipChanges"]["nodes"]
    assert nodes[-1] == {"cause": "IMPORT", "joinedCount": 3, "leftCount": 0}
    assert len(nodes) == 3
    assert await importer.outside(begun["leadPool"]["id"]) == []
    assert sorted(await office.names()) == ["Ann", "Bo", "Cy", "Far", "New"]


async def test_an_upload_is_imported_into_one_segment_once(office: SegmentOffice) -> None:
    await office.furnish([])
    segment, other = await office.segment(), await office.segment("Other")
    importer = Importer(office)
    upload = await importer.files.uploaded(office.campaigns["C"], table((1, "Ann", "")))
    given = {"uploadId": upload, "segmentId": segment}
    first = await office.change(IMPORT, **given)
    assert await office.change(IMPORT, **given) == first
    await importer.done(first)
    assert await office.change(IMPORT, **given) == first
    elsewhere = await office.change(IMPORT, uploadId=upload, segmentId=other)
    assert [(one["code"], one["field"]) for one in elsewhere["userErrors"]] == [
        ("CONFLICT", ["input", "uploadId"])
    ]
    nowhere = await importer.files.submitted(upload)
    assert [one["code"] for one in nowhere["userErrors"]] == ["CONFLICT"]
    assert await office.members(segment) == ["Ann"]
    assert await office.members(other) == []


async def test_leads_that_do_not_meet_the_rules_are_reported_and_stay_out_where_the_segment_asks_for_it(
    office: SegmentOffice,
) -> None:
    await office.furnish([{"name": "Ann", "city": "Oslo"}, {"name": "Bo", "city": "Bergen"}, {"name": "Cy"}])
    segment = await office.segment(uploadsMustMatch=True)
    importer = Importer(office)
    data = table(
        (100, "Ann", ""), (101, "Bo", ""), (102, "Cy", ""), (900, "Dee", "OSLO"), (901, "Eve", "Bergen"),
        (101, "Bo", ""),
    )  # fmt: skip
    unruled = await importer.asked(segment, data)
    assert [(one["code"], one["field"]) for one in unruled["userErrors"]] == [
        ("CONFLICT", ["input", "segmentId"])
    ]
    await office.save(segment, ("city", "=", "Oslo"))
    await office.remove(segment, "Ann")
    await office.add(segment, "Cy")
    begun = await importer.asked(segment, data)
    told = (await importer.done(begun))["segmentImport"]
    assert counted(told) == {"leads": 5, "matched": 3, "joined": 2, "alreadyMembers": 1, "unfit": 2}
    assert await origins(office, segment) == {"Ann": "IMPORT", "Cy": "HAND", "Dee": "IMPORT"}
    unfit = "does not meet the rules of the segment"
    assert await importer.outside(begun["leadPool"]["id"]) == [("3", unfit), ("6", unfit), ("7", unfit)]
    changed = await office.change(UPDATE, id=segment, uploadsMustMatch=False)
    assert changed == {"segment": {"uploadsMustMatch": False}, "userErrors": []}
    assert counted(await importer.into(segment, data)) == {
        "leads": 5, "matched": 5, "joined": 2, "alreadyMembers": 3,
    }  # fmt: skip


async def test_the_owner_of_existing_leads_is_kept_or_overwritten_as_chosen(office: SegmentOffice) -> None:
    await office.furnish([{"name": "Ann"}, {"name": "Bo"}])
    segment = await office.segment()
    number = await office.tenant.user("ola", Role.AGENT)
    users = (await office.client.run(USERS))["users"]["nodes"]
    [ola] = [one["id"] for one in users if parts(one["id"])[2] == number]
    importer, data = Importer(office), table((100, "Ann", ""), (900, "New", ""))

    async def owners() -> dict[str, str | None]:
        nodes = (await office.client.run(MEMBERS, id=segment))["segment"]["members"]["nodes"]
        found = [node["lead"] for node in nodes]
        return {one["value"]: one["ownerUser"] and one["ownerUser"]["email"] for one in found}

    nobody = await importer.asked(segment, data, owner="OVERWRITE")
    assert [(one["code"], one["field"]) for one in nobody["userErrors"]] == [
        ("BAD_USER_INPUT", ["input", "owner"])
    ]
    settings = {"ownerUserId": ola}
    kept = await importer.into(segment, data, settings=settings)
    assert counted(kept) == {"leads": 2, "matched": 1, "joined": 2}
    assert await owners() == {"Ann": None, "New": "ola@acme.example"}
    overwritten = await importer.into(segment, data, settings=settings, owner="OVERWRITE")
    assert counted(overwritten) == {"leads": 2, "matched": 2, "alreadyMembers": 2, "ownersChanged": 1}
    assert await owners() == {"Ann": "ola@acme.example", "New": "ola@acme.example"}


async def test_in_an_exclusive_project_leads_of_other_segments_are_kept_moved_or_refuse_the_whole(
    office: SegmentOffice,
) -> None:
    await office.furnish([{"name": "Ann"}, {"name": "Bo"}])
    rival, segment = await office.segment("Rival"), await office.segment()
    await office.add(rival, "Ann")
    made = await office.change(EXCLUSIVE, id=office.project, exclusive=True)
    assert made["userErrors"] == []
    importer = Importer(office)
    data = table((100, "Ann", ""), (101, "Bo", ""), (900, "New", ""))
    refused = await importer.done(await importer.asked(segment, data, exclusive="REJECT"))
    assert (refused["state"], refused["segmentImport"]) == ("FAILED", None)
    assert refused["error"].startswith("1 of the leads are in other segments")
    assert await office.members(segment) == []
    begun = await importer.asked(segment, data)
    kept = (await importer.done(begun))["segmentImport"]
    assert counted(kept) == {"leads": 3, "matched": 3, "joined": 2, "held": 1}
    assert await importer.outside(begun["leadPool"]["id"]) == [
        ("2", "another segment of the exclusive project has the lead")
    ]
    assert (await office.members(segment), await office.members(rival)) == (["Bo", "New"], ["Ann"])
    moved = await importer.into(segment, data, exclusive="MOVE")
    assert counted(moved) == {"leads": 3, "matched": 3, "joined": 1, "moved": 1, "alreadyMembers": 2}
    assert (await office.members(segment), await office.members(rival)) == (["Ann", "Bo", "New"], [])


async def test_the_undo_of_an_import_into_a_segment_takes_back_leads_and_members(
    office: SegmentOffice,
) -> None:
    await office.furnish([{"name": "Ann", "city": "Oslo"}, {"name": "Bo"}, {"name": "Cy"}])
    segment = await office.segment()
    await office.save(segment, ("city", "=", "Oslo"))
    importer = Importer(office)
    data = table((100, "Ann", ""), (101, "Bo", ""), (900, "New", ""))
    begun = await importer.asked(segment, data)
    await importer.done(begun)
    assert await office.members(segment) == ["Ann", "Bo", "New"]
    done = await importer.files.undone(begun["changeset"])
    assert done == {"removed": 1, "restored": 0, "stayed": 0, "stayedLeadIds": []}
    assert await origins(office, segment) == {"Ann": "RULE"}
    assert sorted(await office.names()) == ["Ann", "Bo", "Cy"]

    told = await importer.into(segment, data)
    alone = (await office.client.run(UNDO, changeset=told["changeset"]))["undoChangeset"]
    assert alone == {"job": None, "userErrors": []}
    assert await origins(office, segment) == {"Ann": "RULE"}
    assert sorted(await office.names()) == ["Ann", "Bo", "Cy", "New"]


async def test_who_may_not_edit_the_segment_cannot_import_into_it_nor_bring_in_leads_they_do_not_see(
    office: SegmentOffice, shop: tuple[Server, str], connect: Connect
) -> None:
    await office.furnish([{"name": "Unseen"}])
    seen, segment, unseen = await office.segment("Seen"), await office.segment(), await office.segment("No")
    number = await office.tenant.user("ida", Role.AGENT)
    subject = user_subject(number)

    async def give(resource: Resource, to: int, right: Right) -> None:
        async with office.tenant.database.writing() as session:
            entry = AccessEntry(subject, frozenset({right}))
            await set_access(session, office.tenant.operator, resource, to, [entry], now=NOW)

    async def permit(permission: Permission) -> None:
        async with office.tenant.database.writing() as session:
            await grant_permission(session, office.tenant.operator, subject, permission, now=NOW)

    await permit(Permission.LEAD_IMPORT)
    await give(Resource.LEAD_POOL, 1, Right.MANAGE)
    await give(Resource.SEGMENT, parts(segment)[2], Right.EDIT)
    await give(Resource.SEGMENT, parts(seen)[2], Right.VIEW)
    ida = Importer(office, await connect(shop[0].url, await office.tenant.token(number, expires_at=FOR_EVER)))
    data = table((100, "Unseen", ""), (900, "New", ""))
    with pytest.raises(GraphQLFailed) as no_feature:
        await ida.asked(segment, data)
    assert [one["extensions"]["code"] for one in no_feature.value.errors] == ["FORBIDDEN"]
    await permit(Permission.SEGMENT_EDIT)
    with pytest.raises(GraphQLFailed) as no_right:
        await ida.asked(seen, data)
    assert [one["extensions"]["code"] for one in no_right.value.errors] == ["FORBIDDEN"]
    invisible = await ida.asked(unseen, data)
    assert [one["code"] for one in invisible["userErrors"]] == ["NOT_FOUND"]
    begun = await ida.asked(segment, data)
    told = (await ida.done(begun))["segmentImport"]
    assert counted(told) == {"leads": 2, "matched": 1, "joined": 1, "hidden": 1}
    assert await office.members(segment) == ["New"]
    assert await office.names(ida.files.client) == ["New"]


async def test_an_upload_for_another_project_is_refused(office: SegmentOffice) -> None:
    await office.furnish([])
    segment = await office.segment()
    files = ImportOffice(office.client)
    upload = await files.uploaded(await files.campaign("ELSEWHERE"), phones(0, 2))
    refused = await office.change(IMPORT, uploadId=upload, segmentId=segment)
    assert [(one["code"], one["field"]) for one in refused["userErrors"]] == [
        ("BAD_USER_INPUT", ["input", "segmentId"])
    ]


async def planned(importer: Importer, segment: str, data: bytes, **more: Any) -> dict[str, Any]:
    """An upload into a segment as it would be: nothing has come of it yet."""
    upload = await importer.files.uploaded(importer.office.campaigns["C"], data)
    given = {"uploadId": upload, "segmentId": segment, "dryRun": True, **more}
    answer = dict((await importer.files.client.run(PLAN, input=given))["importIntoSegment"])
    assert (answer["job"], answer["leadPool"], answer["changeset"]) == (None, None, None)
    return {**answer, "upload": upload}


async def test_an_import_into_a_segment_is_planned_and_done_by_its_plan(office: SegmentOffice) -> None:
    await office.furnish([{"name": "Ann", "city": "Oslo"}, {"name": "Bo"}, {"name": "Cy"}])
    segment = await office.segment()
    await office.add(segment, "Bo")
    importer = Importer(office)
    data = table((100, "Ann", ""), (101, "Bo", ""), (900, "New", ""), (900, "Twice", ""), (7, "No phone", ""))
    data = data.replace(phone(7).encode(), b"none")
    before = await office.client.run(POOLS)

    made = await planned(importer, segment, data)
    assert made["userErrors"] == []
    plan = made["plan"]
    assert (plan["kind"], plan["wouldJoin"], plan["wouldLeave"], plan["blocked"]) == ("IMPORT", 2, 0, 0)
    assert plan["segments"] == [{"segment": {"name": "S"}, "wouldJoin": 2, "blocked": 0}]
    assert plan["samples"] == [{"effect": "JOIN", "lead": {"value": "Ann"}, "segment": {"name": "S"}}]
    rows = made["importPlan"]
    assert [rows[name] for name in ("rows", "valid", "invalid", "duplicates")] == [5, 1, 1, 3]
    assert [(one["line"], one["outcome"]) for one in rows["problems"]] == [
        (2, "duplicate"), (3, "duplicate"), (5, "duplicate"), (6, "invalid"),
    ]  # fmt: skip
    assert await office.members(segment) == ["Bo"]
    assert await office.client.run(POOLS) == before
    assert sorted(await office.names()) == ["Ann", "Bo", "Cy"]

    applied = await office.change(APPLY, planId=plan["id"])
    assert applied["userErrors"] == []
    assert applied["plan"]["appliedAt"] is not None
    told = (await importer.done(applied))["segmentImport"]
    assert (told["joined"], told["alreadyMembers"]) == (2, 1)
    assert await office.members(segment) == ["Ann", "Bo", "New"]
    again = await office.change(APPLY, planId=plan["id"])
    assert [error["code"] for error in again["userErrors"]] == ["CONFLICT"]


async def test_the_plan_of_an_import_says_who_does_not_meet_the_rules_and_whom_it_takes_from_others(
    office: SegmentOffice,
) -> None:
    await office.furnish([{"name": "Ann", "city": "Oslo"}, {"name": "Bo", "city": "Rome"}, {"name": "Cy"}])
    strict = await office.segment("Strict", uploadsMustMatch=True)
    holder = await office.segment("Holder")
    await office.save(strict, ("city", "=", "oslo"))
    await office.remove(strict, "Ann")
    await office.add(holder, "Ann", "Bo")
    await office.client.run(EXCLUSIVE, input={"id": office.project, "exclusive": True})
    importer = Importer(office)
    data = table((100, "Ann", ""), (101, "Bo", ""), (900, "Dan", "OSLO"), (901, "Eva", "Rome"))

    kept = (await planned(importer, strict, data))["plan"]
    assert (kept["wouldJoin"], kept["displaced"], kept["blocked"]) == (1, 0, 3)
    refused = await planned(importer, strict, data, exclusive="REJECT")
    assert ([error["code"] for error in refused["userErrors"]], refused["plan"]) == (
        ["EXCLUSIVE_CONFLICT"],
        None,
    )
    moved = (await planned(importer, strict, data, exclusive="MOVE"))["plan"]
    assert (moved["wouldJoin"], moved["displaced"], moved["blocked"]) == (2, 1, 2)
    assert {one["effect"] for one in moved["samples"]} == {"JOIN", "DISPLACED"}

    await importer.done(await office.change(APPLY, planId=moved["id"]))
    assert await office.members(strict) == ["Ann", "Dan"]
    assert await office.members(holder) == ["Bo"]


async def test_an_import_is_refused_by_its_plan_once_data_or_rules_moved_since(office: SegmentOffice) -> None:
    await office.furnish([{"name": "Ann"}, {"name": "Bo"}])
    segment, importer = await office.segment(), Importer(office)
    data = table((100, "Ann", ""), (900, "New", ""))
    for moves in (
        lambda: office.push("C", [{"phone": phone(900), "name": "New"}]),
        lambda: office.add(segment, "Bo"),
        lambda: office.client.run(UPDATE, input={"id": segment, "uploadsMustMatch": False, "name": "T"}),
    ):
        plan = (await planned(importer, segment, data))["plan"]
        await moves()
        before = await office.client.run(POOLS)
        answer = await office.change(APPLY, planId=plan["id"])
        assert [(error["code"], error["field"]) for error in answer["userErrors"]] == [
            ("CONFLICT", ["input", "planId"])
        ]
        assert (answer["job"], await office.client.run(POOLS)) == (None, before)

    made = await planned(importer, segment, data)
    begun = await office.change(IMPORT, uploadId=made["upload"], segmentId=segment)
    await importer.done(begun)
    answer = await office.change(APPLY, planId=made["plan"]["id"])
    assert [error["code"] for error in answer["userErrors"]] == ["CONFLICT"]
