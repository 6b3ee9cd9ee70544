"""An administrator who imports leads all day, on a real server: for tests of the wizard's steps."""

import contextlib
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from tests.client import Client

PROJECT = "mutation($name: String!) { createProject(input: {name: $name}) { project { id } } }"
CAMPAIGN = """mutation($input: CreateCampaignInput!) { createCampaign(input: $input) {
  campaign { id } userErrors { message } } }"""
ARCHIVE = "mutation($id: ID!) { archiveCampaign(input: {id: $id}) { userErrors { message } } }"
CREATE = """mutation($input: CreateLeadUploadInput!) { createLeadUpload(input: $input) {
  leadUpload { id url } userErrors { code message field } } }"""
UPDATE = """mutation($input: UpdateLeadUploadInput!) { updateLeadUpload(input: $input) {
  leadUpload { mapping { column field } settings { dayOffset dayCount timeFrom timeUntil priority
    ownerUser { id } ownerTeams { id } } }
  unfit { column field reason } userErrors { code message field } } }"""
SUBMIT = """mutation($id: ID!, $dryRun: Boolean!) { importLeads(input: {uploadId: $id, dryRun: $dryRun}) {
  job { id } leadPool { id } changeset userErrors { code message field }
  plan { rows valid invalid duplicates flagged actedOn
    problems { line outcome column value reason action } } } }"""
JOB = """query($id: ID!) { job(id: $id) { state error progress { rows valid invalid duplicates }
  leadPool { id }
  importPlan { rows valid invalid duplicates flagged actedOn problems { line outcome } }
  importUndo { removed restored stayed stayedLeadIds } } }"""
FOLLOW = "subscription($id: ID!) { jobProgressed(id: $id) { job { state } } }"
POOL = """query($id: ID!) { leadPool(id: $id) { rows valid invalid duplicates flagged actedOn totalLeads
  readyToDial invalidRowsUrl duplicatesUrl } }"""
LEADS = """query($pool: ID!, $after: String) { leads(where: {leadPoolId: $pool}, first: 200, after: $after) {
  nodes { id line phone status active priority nextCallAt version values { key value }
    ownerUser { id } ownerTeams { id } } pageInfo { hasNextPage endCursor } } }"""
CANCEL = "mutation($id: ID!) { cancelJob(input: {id: $id}) { userErrors { code message } } }"
RESUME = "mutation($id: ID!) { resumeJob(input: {id: $id}) { job { state } userErrors { code message } } }"
UNDO = """mutation($changeset: ID!) { undoChangeset(input: {changeset: $changeset}) {
  job { id } userErrors { code message } } }"""

PHONE_AND_NAME = ({"key": "phone", "type": "PHONE"}, {"key": "name"})
ACCOUNTS = ("rows", "valid", "invalid", "duplicates", "flagged", "actedOn")


def phones(first: int, count: int, name: str = "Ann") -> bytes:
    """A file of so many leads with consecutive American numbers."""
    return "\n".join(
        ["phone,name", *(f"{2_015_550_000 + first + n},{name} {n}" for n in range(count))]
    ).encode()


@dataclass
class ImportOffice:
    """The administrator's client."""

    client: Client
    projects: int = 0

    async def project(self) -> str:
        self.projects += 1
        made = await self.client.run(PROJECT, name=f"Project {self.projects}")
        return str(made["createProject"]["project"]["id"])

    async def campaign(
        self,
        code: str,
        project: str | None = None,
        fields: Sequence[Mapping[str, Any]] = PHONE_AND_NAME,
        **further: Any,
    ) -> str:
        plan = {"code": code, "name": code, "region": "US", "fields": fields, **further}
        plan["projectId"] = project or await self.project()
        made = (await self.client.run(CAMPAIGN, input=plan))["createCampaign"]
        assert made["userErrors"] == []
        return str(made["campaign"]["id"])

    async def uploaded(self, campaign: str, data: bytes, **settings: Any) -> str:
        wanted = {
            "campaignId": campaign,
            "fileName": "a.csv",
            "settings": {"duplicateField": "phone", **settings},
        }
        made = (await self.client.run(CREATE, input=wanted))["createLeadUpload"]
        assert made["userErrors"] == []
        answer = await self.client.put(made["leadUpload"]["url"], data)
        assert answer.json() == {"received": len(data), "complete": True}
        return str(made["leadUpload"]["id"])

    async def refused(self, **wanted: Any) -> list[Any]:
        """The user errors of an upload that cannot be."""
        return list((await self.client.run(CREATE, input=wanted))["createLeadUpload"]["userErrors"])

    async def updated(self, upload: str, **changes: Any) -> dict[str, Any]:
        answer = (await self.client.run(UPDATE, input={"id": upload, **changes}))["updateLeadUpload"]
        return dict(answer)

    async def submitted(self, upload: str, *, dry_run: bool = False) -> dict[str, Any]:
        answer = (await self.client.run(SUBMIT, id=upload, dryRun=dry_run))["importLeads"]
        return dict(answer)

    async def imported(self, campaign: str, data: bytes, **settings: Any) -> dict[str, Any]:
        """A finished import: its pool, its accounts, and its changeset."""
        begun = await self.submitted(await self.uploaded(campaign, data, **settings))
        assert begun["userErrors"] == []
        assert (await self.finished(begun["job"]["id"]))["state"] == "SUCCEEDED"
        return begun

    async def finished(self, job: str) -> dict[str, Any]:
        with anyio.fail_after(90):
            async with contextlib.aclosing(self.client.subscribe(FOLLOW, id=job)) as events:
                async for _ in events:
                    pass
        return await self.job(job)

    async def job(self, job: str) -> dict[str, Any]:
        return dict((await self.client.run(JOB, id=job))["job"])

    async def pool(self, pool: str) -> dict[str, Any]:
        return dict((await self.client.run(POOL, id=pool))["leadPool"])

    async def accounts(self, pool: str) -> list[int]:
        """Rows, valid, invalid, duplicates, flagged, acted on."""
        found = await self.pool(pool)
        assert found["rows"] == found["valid"] + found["invalid"] + found["duplicates"]
        return [found[name] for name in ACCOUNTS]

    async def leads(self, pool: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = None
        while True:
            page = (await self.client.run(LEADS, pool=pool, after=after))["leads"]
            found += page["nodes"]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    async def report(self, url: str) -> list[dict[str, str]]:
        answer = await self.client.http.get(url)
        assert answer.status_code == 200
        return list(csv.DictReader(io.StringIO(answer.text)))

    async def undone(self, changeset: str) -> dict[str, Any]:
        """What the undo of an import did."""
        asked = (await self.client.run(UNDO, changeset=changeset))["undoChangeset"]
        assert asked["userErrors"] == []
        done = await self.finished(asked["job"]["id"])
        assert (done["state"], done["error"]) == ("SUCCEEDED", None)
        return dict(done["importUndo"])
