"""Projects and campaigns: templates, slots, results."""

from dataclasses import replace

import pytest

from core.campaign import DEFAULT_RESULTS, Result
from core.errors import BadInput, Conflict, InUse, LeadgraphError, NotFound, StaleVersion
from core.fields import Field, FieldType
from core.statuses import LeadStatus
from db.commands.campaign import (
    CampaignChanges,
    CampaignPlan,
    archive_campaign,
    create_campaign,
    update_campaign,
)
from db.commands.project import ProjectChanges, create_project, update_project
from db.database import Database
from db.models import Campaign, ChangeLog, FieldDefinition
from db.queries.campaign import results_of_campaigns
from gql.authz.scope import operator_scope
from tests.db.imports import NAME, NOW, PHONE, Importer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def importer(database: Database) -> Importer:
    importer = Importer(database)
    await importer.found()
    return importer


async def changed(importer: Importer, campaign: Campaign, changes: CampaignChanges) -> Campaign:
    async with importer.database.writing() as session:
        return await update_campaign(
            session, importer.scope, campaign.id, changes, expected_version=None, now=NOW
        )


async def refused(importer: Importer, plan: CampaignPlan) -> LeadgraphError:
    with pytest.raises(LeadgraphError) as error:
        async with importer.database.writing() as session:
            await create_campaign(session, importer.scope, plan, now=NOW)
    return error.value


async def test_within_a_project_the_same_key_is_the_same_field(importer: Importer) -> None:
    project = await importer.project()
    one = await importer.campaign(project.id, "A", [PHONE, NAME])
    other = await importer.campaign(project.id, "B", [replace(NAME, label="Full name", required=True), PHONE])
    first, second = await importer.fields(one), await importer.fields(other)
    assert {field.field.key: (field.id, field.slot) for field in first} == {
        field.field.key: (field.id, field.slot) for field in second
    }
    assert [(f.field.label, f.field.required) for f in first] == [("Phone", False), ("Full name", False)]
    assert [(f.field.label, f.field.required) for f in second] == [("Full name", True), ("Phone", False)]


async def test_a_field_cannot_change_its_type(importer: Importer) -> None:
    project = await importer.project()
    campaign = await importer.campaign(project.id)
    number = Field("name", "Name", FieldType.INTEGER)
    with pytest.raises(Conflict):
        await changed(importer, campaign, CampaignChanges(fields=[PHONE, number]))
    elsewhere = await importer.project("Q")
    await importer.campaign(elsewhere.id, "Q", [PHONE, number])


async def test_a_field_left_out_is_retired_keeps_its_slot_and_can_come_back(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    before = {field.field.key: field.slot for field in await importer.fields(campaign)}
    await changed(importer, campaign, CampaignChanges(fields=[PHONE, Field("city", "City", FieldType.TEXT)]))
    definitions = {one.key: one for one in await importer.all(FieldDefinition)}
    assert {key for key, one in definitions.items() if one.retired_at} == {"name"}
    assert definitions["city"].slot not in before.values()
    await changed(importer, campaign, CampaignChanges(fields=[PHONE, NAME]))
    assert {field.field.key: field.slot for field in await importer.fields(campaign)} == before


async def test_a_template_may_be_shared_within_the_project(importer: Importer) -> None:
    project, other = await importer.project("P"), await importer.project("Q")
    one = await importer.campaign(project.id, "A")
    plan = CampaignPlan(project.id, "B", "B", "FR", "UTC", DEFAULT_RESULTS, shares_template_of=one.id)
    async with importer.database.writing() as session:
        second = await create_campaign(session, importer.scope, plan, now=NOW)
    assert second.template_id == one.template_id
    assert isinstance(await refused(importer, replace(plan, code="C", fields=[PHONE])), BadInput)
    assert isinstance(await refused(importer, replace(plan, code="C", project_id=other.id)), BadInput)


async def test_what_cannot_be_is_refused_and_leaves_nothing(importer: Importer) -> None:
    project = await importer.project()
    plan = CampaignPlan(project.id, "A", "A", "US", "UTC", DEFAULT_RESULTS, [PHONE])
    await importer.campaign(project.id, "A")
    counts = (len(await importer.all(Campaign)), len(await importer.all(ChangeLog)))
    assert isinstance(await refused(importer, plan), Conflict)
    for wrong in (
        replace(plan, code="a b"),
        replace(plan, code="B", name=" "),
        replace(plan, code="B", region="XX"),
        replace(plan, code="B", time_zone="Mars/Olympus"),
        replace(plan, code="B", fields=[NAME]),
        replace(plan, code="B", results=[]),
    ):
        assert isinstance(await refused(importer, wrong), BadInput)
    assert isinstance(await refused(importer, replace(plan, code="B", project_id=99)), NotFound)
    assert counts == (len(await importer.all(Campaign)), len(await importer.all(ChangeLog)))


async def test_two_organisations_may_use_the_same_code(importer: Importer) -> None:
    await importer.campaign((await importer.project()).id, "A")
    other = Importer(importer.database, organisation_id=2)
    await other.found()
    assert (await other.campaign((await other.project()).id, "A")).code == "A"


async def test_results_are_replaced_unless_leads_have_them(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    sale = Result("sale", "Sale", LeadStatus.CLOSED, is_contact=True, is_success=True)
    await changed(importer, campaign, CampaignChanges(results=[sale]))
    async with importer.database.reading() as session:
        found = (await results_of_campaigns(session, importer.scope, [campaign.id]))[campaign.id]
    assert [(one.key, one.status, one.is_success) for one in found] == [("sale", "closed", True)]
    pool, _ = await importer.imported(campaign, ["(201) 555-0101"])
    async with importer.database.writing() as session:
        lead = (await importer.leads(pool))[0]
        lead.result_key = "sale"
        session.add(lead)
    with pytest.raises(InUse):
        await changed(importer, campaign, CampaignChanges(results=DEFAULT_RESULTS))


async def test_an_archived_campaign_stays_out_of_use(importer: Importer) -> None:
    campaign = await importer.campaign((await importer.project()).id)
    for _ in range(2):
        async with importer.database.writing() as session:
            archived = await archive_campaign(
                session, importer.scope, campaign.id, expected_version=None, now=NOW
            )
    assert (archived.archived_at, archived.active, archived.version) == (NOW, False, 2)
    with pytest.raises(Conflict):
        await changed(importer, campaign, CampaignChanges(active=True))


async def test_an_edit_of_an_old_version_is_refused(importer: Importer) -> None:
    project = await importer.project()
    campaign = await importer.campaign(project.id)
    await changed(importer, campaign, CampaignChanges(name="New", region="fr", time_zone="Europe/Paris"))
    with pytest.raises(StaleVersion):
        async with importer.database.writing() as session:
            await update_campaign(
                session, importer.scope, campaign.id, CampaignChanges(), expected_version=1, now=NOW
            )
    log = [one for one in await importer.all(ChangeLog) if one.action == "updated"]
    assert len(log) == 1
    assert (log[0].before["region"], log[0].after["region"]) == ("US", "FR")
    with pytest.raises(StaleVersion):
        async with importer.database.writing() as session:
            await update_project(
                session, importer.scope, project.id, ProjectChanges(), expected_version=7, now=NOW
            )


async def test_projects_have_names_of_their_own_and_can_be_archived_and_brought_back(
    importer: Importer,
) -> None:
    project = await importer.project("P")
    with pytest.raises(Conflict):
        await importer.project(" P ")

    async def update(changes: ProjectChanges) -> object:
        async with importer.database.writing() as session:
            row = await update_project(
                session, importer.scope, project.id, changes, expected_version=None, now=NOW
            )
        return row.name, row.exclusive, row.archived_at

    assert await update(ProjectChanges(name="Q", exclusive=True, archived=True)) == ("Q", True, NOW)
    assert await update(ProjectChanges(archived=False)) == ("Q", True, None)
    with pytest.raises(NotFound):
        async with importer.database.writing() as session:
            await update_project(
                session, operator_scope(2), project.id, ProjectChanges(), expected_version=None, now=NOW
            )
    async with importer.database.writing() as session:
        await create_project(session, importer.scope, name="P", exclusive=False, now=NOW)
