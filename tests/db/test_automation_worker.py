"""The worker of automation: what its queue may not lose, and whose sight it uses."""

import asyncio

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from core.access import UNLIMITED, Permission, Resource, Right, Role, Scope, TokenLimits
from core.membership import Automation
from core.policies import user
from core.segment_filter import filter_record
from db.commands.automation_queue import LEADS_AT_ONCE
from db.commands.campaign import CampaignChanges, update_campaign
from db.commands.grant import AccessEntry, grant_permission, set_access
from db.commands.user import deactivate_user
from db.database import Database
from db.ids import allocate
from db.lead_changes import hold_off, note_changed
from db.models import Lead, MembershipLog, Segment, SegmentMember
from gql.jobs.automation import AutomationWorker
from tests.db.automation import FIELDS, OSLO, Follower, where
from tests.db.imports import NOW
from tests.organisations import Tenant, new_tenant

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    return await new_tenant(database)


@pytest.fixture
async def follower(tenant: Tenant) -> Follower:
    follower = Follower(tenant)
    await follower.open()
    return follower


async def test_the_queue_is_empty_when_all_has_been_looked_at(follower: Follower) -> None:
    segment = await follower.segment(OSLO)
    first, second = await follower.push("oslo", "rome")
    assert await follower.waiting() > 0
    await follower.worker.catch_up()
    assert await follower.members(segment) == [first]
    await follower.edit(second, city="oslo")
    await follower.edit(first, city="rome")
    await follower.worker.catch_up()
    assert await follower.members(segment) == [second]
    assert await follower.waiting() == 0
    assert await follower.causes(segment) == ["automation", "automation"]


async def test_of_a_thousand_automated_segments_a_changed_lead_is_in_just_those_it_matches(
    follower: Follower, tenant: Tenant
) -> None:
    town = await follower.segment(where("city", "=", "town 0"))
    async with tenant.database.writing() as session:
        row = await session.get_one(Segment, (tenant.organisation_id, town))
        first = await allocate(session, tenant.organisation_id, "segment", 999)
        for number in range(999):
            chosen = where("city", "in" if number % 2 else "=", f"town {number // 2 + 1}")
            of_its_own = {"id": first + number, "position": number + 2, "filter": filter_record(chosen)}
            session.add(Segment(**{**row.model_dump(), **of_its_own}))
    [lead] = await follower.push("town 7")

    async def segments() -> list[int]:
        await follower.worker.catch_up()
        found = select(col(SegmentMember.segment_id)).where(col(SegmentMember.lead_id) == lead)
        async with tenant.database.reading() as session:
            return sorted((await session.execute(found)).scalars())

    assert await segments() == [first + 12, first + 13]
    await follower.edit(lead, city="Town 400")
    assert await segments() == [first + 798, first + 799]
    await follower.edit(lead, city="town 0")
    assert await segments() == [town]


async def test_where_nothing_is_automated_the_queue_is_kept_short(follower: Follower) -> None:
    segment = await follower.segment(OSLO, Automation.OFF)
    await follower.push("oslo", "oslo")
    await follower.worker.catch_up()
    assert await follower.waiting() == 0
    assert await follower.members(segment) == []


async def test_a_large_change_is_looked_at_in_shares(follower: Follower) -> None:
    segment = await follower.segment(OSLO)
    leads = await follower.push(*["oslo"] * 3)
    gone = range(10_000, 10_000 + 2 * LEADS_AT_ONCE)
    async with follower.database.writing() as session:
        note_changed(session, 1, [*leads, *gone], NOW)
    await follower.worker.catch_up()
    assert await follower.waiting() == 0
    assert await follower.members(segment) == leads


async def test_two_workers_at_once_move_every_lead_once(follower: Follower) -> None:
    segment = await follower.segment(OSLO)
    other = AutomationWorker(follower.database, lambda: follower.now)
    for _ in range(4):
        await follower.push(*["oslo", "rome"] * 5)
    await asyncio.gather(follower.worker.catch_up(), other.catch_up())
    await follower.worker.catch_up()
    assert await follower.members(segment) == follower.leads[::2]
    async with follower.database.reading() as session:
        joined = select(func.sum(col(MembershipLog.joined_count)), func.sum(col(MembershipLog.left_count)))
        assert (await session.execute(joined)).one() == (20, 0)
        count = select(col(Segment.member_count)).where(col(Segment.id) == segment)
        assert (await session.execute(count)).scalar_one() == 20


async def test_a_turn_that_is_interrupted_anywhere_has_done_all_or_nothing(follower: Follower) -> None:
    segment = await follower.segment(OSLO)
    await follower.worker.catch_up()
    done = 0
    for steps in range(0, 120, 6):
        (lead,) = await follower.push("oslo")
        at_work = asyncio.create_task(follower.worker.catch_up())
        for _ in range(steps):
            await asyncio.sleep(0)
        at_work.cancel()
        await asyncio.gather(at_work, return_exceptions=True)
        joined = lead in await follower.members(segment)
        assert joined is (await follower.waiting() == 0)
        done += joined
        await follower.worker.catch_up()
        assert await follower.members(segment) == follower.leads
    assert await follower.causes(segment) == ["automation"] * len(follower.leads)


async def test_while_a_rule_is_applied_to_all_leads_what_changes_stays_in_the_queue(
    follower: Follower,
) -> None:
    segment = await follower.segment(OSLO)
    (lead,) = await follower.push("rome")
    await follower.worker.catch_up()
    if follower.database.dialect == "sqlite":
        return  # it has one writer: nothing can come in between
    async with follower.database.writing() as applying:
        await hold_off(applying, 1)
        await follower.edit(lead, city="oslo")
        await follower.worker.catch_up()
        assert await follower.members(segment) == [lead]
        assert await follower.waiting() == 1
    await follower.worker.catch_up()
    assert await follower.waiting() == 0


async def test_a_segment_in_use_by_others_is_passed_over_and_seen_to_later(follower: Follower) -> None:
    held, free = await follower.segment(OSLO), await follower.segment(OSLO)
    leads = await follower.push("oslo")
    if follower.database.dialect == "sqlite":
        return  # it has one writer: nobody can hold a segment meanwhile
    async with follower.database.writing() as session:
        await session.execute(select(Segment).where(col(Segment.id) == held).with_for_update())
        await asyncio.wait_for(follower.worker.catch_up(), 10)
        assert (await follower.members(held), await follower.members(free)) == ([], leads)
    await follower.worker.catch_up()
    assert await follower.members(held) == leads
    assert await follower.causes(free) == ["automation"]


async def ann(tenant: Tenant, segment_id: int, limits: TokenLimits = UNLIMITED) -> Scope:
    """An agent who may edit one segment, and sees but the leads in it and her own."""
    number = await tenant.user("ann", Role.AGENT)
    async with tenant.database.writing() as session:
        await grant_permission(session, tenant.operator, user(number), Permission.SEGMENT_EDIT, now=NOW)
        entry = AccessEntry(user(number), frozenset({Right.EDIT}))
        await set_access(session, tenant.operator, Resource.SEGMENT, segment_id, [entry], now=NOW)
    return await tenant.scope(await tenant.token(number, limits))


async def test_a_segment_takes_in_what_they_see_who_saved_its_filter_last(
    follower: Follower, tenant: Tenant
) -> None:
    segment = await follower.segment(OSLO)
    scope = await ann(tenant, segment)
    await follower.push("oslo")
    await follower.save(segment, OSLO, scope)
    hidden, own = await follower.push("oslo", "oslo")
    async with follower.database.writing() as session:
        lead = await session.get_one(Lead, (1, own))
        lead.owner_user_id = scope.actor.user_id
        lead.version += 1
    await follower.worker.catch_up()
    assert hidden not in await follower.members(segment)
    assert own in await follower.members(segment)

    await follower.automate(segment, Automation.MIRROR, follower.scope)
    assert await follower.members(segment) == follower.leads
    await follower.automate(segment, Automation.MIRROR, scope)
    await follower.push("oslo")
    await follower.worker.catch_up()
    assert await follower.members(segment) == follower.leads[:-1], "nobody leaves for being out of sight"


async def test_who_is_shut_out_lends_no_sight_and_members_still_leave(
    follower: Follower, tenant: Tenant
) -> None:
    boss = await tenant.scope_of_user(await tenant.user("boss", Role.MANAGER))
    segment = await follower.segment(OSLO, by=boss)
    (member,) = await follower.push("oslo")
    await follower.worker.catch_up()
    async with follower.database.writing() as session:
        await deactivate_user(session, follower.scope, boss.actor.user_id or 0, now=NOW)
    await follower.push("oslo")
    await follower.worker.catch_up()
    assert await follower.members(segment) == [member]
    await follower.edit(member, city="rome")
    await follower.worker.catch_up()
    assert await follower.members(segment) == []


async def test_a_token_limited_to_segments_lends_no_more_than_it_sees(
    follower: Follower, tenant: Tenant
) -> None:
    segment = await follower.segment(OSLO)
    boss = await tenant.user("boss", Role.MANAGER)
    limited = await tenant.scope(await tenant.token(boss, TokenLimits(segment_ids=frozenset({segment}))))
    await follower.save(segment, OSLO, limited)
    await follower.push("oslo")
    await follower.worker.catch_up()
    assert await follower.members(segment) == []


async def test_a_broken_segment_keeps_its_members_and_catches_up_when_mended(follower: Follower) -> None:
    segment = await follower.segment(OSLO)
    first, second = await follower.push("oslo", "rome")
    await follower.worker.catch_up()

    async def set_fields(*keys: str) -> None:
        fields = [field for field in FIELDS if field.key in keys]
        async with follower.database.writing() as session:
            changes = CampaignChanges(fields=fields)
            campaign_id = follower.campaign.id
            await update_campaign(
                session, follower.scope, campaign_id, changes, expected_version=None, now=NOW
            )

    await set_fields("phone", "name")
    await follower.edit(first, name="M")
    await follower.push("oslo")
    await follower.worker.catch_up()
    assert await follower.members(segment) == [first]
    assert await follower.waiting() == 0

    await set_fields("phone", "name", "city")
    await follower.edit(second, city="oslo")
    await follower.worker.catch_up()
    assert await follower.members(segment) == [first, second]
