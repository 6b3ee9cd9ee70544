import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.access import Scope
from core.calling import AUTOMATIC_REDIAL_AFTER, OVERDUE_AFTER, Reason, RedialKind
from core.errors import BadInput, Conflict, Forbidden, NotFound
from db.commands import call_session, calling
from db.commands.calling import NoneLeft, RecordedCall, Taken
from db.database import Database
from db.models import (
    Call,
    CallSession,
    Campaign,
    ChangeLog,
    Lead,
    LeadPool,
    Project,
    Segment,
    SegmentGroup,
    SegmentMember,
    Template,
)
from tests.db.call_centre import (
    ANN,
    BOB,
    NOW,
    OF_BOTH,
    OF_SALES,
    OF_SUPPORT,
    ON_MONDAY,
    ON_TUESDAY,
    SEGMENT,
    CallCentre,
    agent,
    campaign_row,
    manager,
    open_call_centre,
    pool_row,
    segment_row,
)

LEASE = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def centre(database: Database) -> CallCentre:
    return await open_call_centre(database)


class Agent:
    """Someone at work in a session; each act is a transaction of its own."""

    def __init__(self, centre: CallCentre, scope: Scope) -> None:
        self.centre = centre
        self.scope = scope
        self.session_id = 0

    async def start(self, **named: list[int]) -> "Agent":
        named = named or {"segment_ids": [SEGMENT]}
        named = {"segment_ids": [], "campaign_ids": [], **named}
        async with self.centre.database.writing() as session:
            started = await call_session.start_call_session(session, self.scope, now=NOW, **named)
        self.session_id = started.id
        return self

    async def take(self, now: Any = NOW) -> Taken | NoneLeft:
        async with self.centre.database.writing() as session:
            return await calling.take_next(session, self.scope, self.session_id, lease=LEASE, now=now)

    async def lead(self, now: Any = NOW) -> int | None:
        taken = await self.take(now)
        return taken.lead.id if isinstance(taken, Taken) else None

    async def refused(self, now: Any = NOW) -> frozenset[Reason]:
        nothing = await self.take(now)
        assert isinstance(nothing, NoneLeft)
        return nothing.reasons

    async def record(
        self,
        lead_id: int,
        result: str = "sale",
        *,
        redial: tuple[RedialKind, Any] | None = None,
        note: str = "",
        now: Any = NOW,
    ) -> RecordedCall:
        async with self.centre.database.writing() as session:
            return await calling.record_call(
                session,
                self.scope,
                self.session_id,
                lead_id,
                result_key=result,
                note=note,
                redial=redial,
                now=now,
            )

    async def release(self, lead_id: int, now: Any = NOW) -> Lead:
        async with self.centre.database.writing() as session:
            return await calling.release_lead(session, self.scope, self.session_id, lead_id, now=now)

    async def end(self) -> CallSession:
        async with self.centre.database.writing() as session:
            return await call_session.end_call_session(session, self.scope, self.session_id, now=NOW)


async def test_leads_come_in_the_order_of_their_pool_and_never_the_same_twice(centre: CallCentre) -> None:
    await centre.add_leads(3)
    ann, bob = await Agent(centre, agent(ANN)).start(), await Agent(centre, agent(BOB)).start()
    assert [await ann.lead(), await bob.lead()] == [1, 2]
    await ann.record(1)
    assert await ann.lead() == 3
    await bob.record(2)
    assert await bob.refused() == {Reason.NO_LEADS_READY}


async def test_asking_again_hands_back_the_lead_one_holds_with_its_lease_renewed(centre: CallCentre) -> None:
    await centre.add_leads(2)
    ann = await Agent(centre, agent()).start()
    await ann.take()
    again = await ann.take(NOW + 4 * MINUTE)
    assert isinstance(again, Taken)
    assert (again.lead.id, again.lease_until) == (1, NOW + 4 * MINUTE + LEASE)
    assert (await centre.lead(1)).lease_until == again.lease_until


async def test_a_held_lead_that_may_no_longer_be_called_is_not_handed_back_but_its_call_still_counts(
    centre: CallCentre,
) -> None:
    await centre.add_leads(2)
    ann = await Agent(centre, agent()).start()
    await ann.take()
    await centre.change(Lead, 1, is_open=False, status="closed")
    assert await ann.lead() == 2
    assert await ann.lead() == 2
    assert (await ann.record(1)).lead.attempts == 1


async def test_a_lease_that_ran_out_returns_the_lead_by_itself(centre: CallCentre) -> None:
    await centre.add_leads(1)
    ann, bob = await Agent(centre, agent(ANN)).start(), await Agent(centre, agent(BOB)).start()
    await ann.take()
    assert await bob.lead(NOW + LEASE - MINUTE) is None
    assert await bob.lead(NOW + LEASE) == 1


async def test_a_result_may_come_late_while_nobody_else_has_the_lead(centre: CallCentre) -> None:
    await centre.add_leads(1)
    ann, bob = await Agent(centre, agent(ANN)).start(), await Agent(centre, agent(BOB)).start()
    await ann.take()
    late = NOW + LEASE + MINUTE
    assert (await ann.record(1, "no_answer", now=late)).lead.attempts == 1

    later = late + AUTOMATIC_REDIAL_AFTER - timedelta(hours=1)
    await centre.change(Lead, 1, call_after=None)
    assert await ann.lead(later) == 1
    assert await bob.lead(later + LEASE) == 1
    with pytest.raises(Conflict):
        await ann.record(1, now=later + LEASE)


async def test_recording_a_call_changes_the_lead_and_remembers_the_call(centre: CallCentre) -> None:
    await centre.add_leads(1)
    ann = await Agent(centre, agent()).start()
    await ann.take()
    recorded = await ann.record(1, "sale", note="Wants two.", now=NOW + MINUTE)

    lead = await centre.lead(1)
    assert (lead.status, lead.is_open, lead.result_key, lead.attempts) == ("closed", False, "sale", 1)
    assert lead.last_called_at == lead.changed_at == NOW + MINUTE
    assert (lead.lease_session_id, lead.lease_until, lead.processed, lead.version) == (None, None, True, 2)
    async with centre.database.reading() as session:
        call = (await session.execute(select(Call))).scalars().one()
        change = (
            (await session.execute(select(ChangeLog).where(col(ChangeLog.noun) == "lead"))).scalars().one()
        )
    assert (call.id, call.lead_id, call.user_id) == (recorded.call.id, 1, ANN)
    assert (call.session_id, call.segment_id, call.campaign_id) == (ann.session_id, SEGMENT, 1)
    assert (call.result_key, call.note, call.at) == ("sale", "Wants two.", NOW + MINUTE)
    assert (change.action, change.noun_id) == ("call_recorded", 1)
    assert change.before is not None
    assert change.after is not None
    assert (change.before["status"], change.after["status"]) == ("new", "closed")


async def test_a_lead_left_open_rests_and_then_comes_again(centre: CallCentre) -> None:
    await centre.add_leads(1)
    ann = await Agent(centre, agent()).start()
    await ann.take()
    await ann.record(1, "no_answer")
    assert await ann.refused() == {Reason.NO_LEADS_READY}
    assert await ann.lead(NOW + AUTOMATIC_REDIAL_AFTER) == 1


async def test_only_who_holds_a_lead_may_record_or_release_it(centre: CallCentre) -> None:
    await centre.add_leads(2)
    ann, bob = await Agent(centre, agent(ANN)).start(), await Agent(centre, agent(BOB)).start()
    await ann.take()
    for attempt in (bob.record(1), bob.release(1), bob.record(2)):
        with pytest.raises(Conflict):
            await attempt
    for missing in (bob.record(99), bob.release(99)):
        with pytest.raises(NotFound):
            await missing
    async with centre.database.reading() as session:
        assert (await session.execute(select(Call))).first() is None
    assert (await centre.lead(1)).lease_session_id == ann.session_id


async def test_a_lead_outside_ones_segments_is_not_found(centre: CallCentre) -> None:
    await centre.add_leads(1, segment_id=None)
    ann = await Agent(centre, agent()).start()
    assert await ann.refused() == {Reason.NO_LEADS_READY}
    with pytest.raises(NotFound):
        await ann.record(1)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"result": "shrug"}, ("input", "resultKey")),
        ({"note": "x" * 10_001}, ("input", "note")),
        ({"note": "\x00"}, ("input", "note")),
        ({"result": "sale", "redial": (RedialKind.SHARED, NOW + MINUTE)}, ("input", "redial")),
        ({"result": "no_answer", "redial": (RedialKind.SHARED, NOW)}, ("input", "redial", "at")),
    ],
)
async def test_an_impossible_record_is_refused_and_changes_nothing(
    centre: CallCentre, said: dict[str, Any], path: tuple[str, ...]
) -> None:
    await centre.add_leads(1)
    ann = await Agent(centre, agent()).start()
    await ann.take()
    with pytest.raises(BadInput) as refusal:
        await ann.record(1, **said)
    assert refusal.value.field == path
    lead = await centre.lead(1)
    assert (lead.status, lead.attempts, lead.lease_session_id) == ("new", 0, ann.session_id)


async def test_redials_come_strictly_by_class_before_all_others(centre: CallCentre) -> None:
    late = NOW - OVERDUE_AFTER
    kinds = [
        {},
        {"redial_kind": "shared", "redial_at": NOW},
        {"redial_kind": "shared", "redial_at": late},
        {"redial_kind": "private", "redial_at": NOW, "redial_user_id": ANN},
        {"redial_kind": "private", "redial_at": late, "redial_user_id": ANN},
        {"redial_kind": "vip", "redial_at": NOW, "redial_user_id": ANN},
        {"redial_kind": "vip", "redial_at": late, "redial_user_id": ANN},
    ]
    for number, kind in enumerate(kinds, start=1):
        await centre.add_leads(1, first=number, priority=10 - number, **kind)
    await centre.add_leads(1, first=8, redial_kind="vip", redial_at=late, redial_user_id=BOB)
    await centre.add_leads(1, first=9, redial_kind="vip", redial_at=NOW + MINUTE, redial_user_id=ANN)
    ann = await Agent(centre, agent()).start()

    called = []
    while (lead_id := await ann.lead()) is not None:
        called.append(lead_id)
        await ann.record(lead_id)
    assert called == [7, 6, 5, 4, 3, 2, 1]


async def test_priority_of_the_pool_goes_before_that_of_the_lead_before_the_place_in_the_pool(
    centre: CallCentre,
) -> None:
    await centre.add(LeadPool, [pool_row(2, priority=5), pool_row(3)])
    await centre.add_leads(1, first=1)
    await centre.add_leads(1, first=2, priority=9)
    await centre.add_leads(1, first=3, pool_id=2)
    await centre.add_leads(1, first=4, pool_id=3)
    await centre.add_leads(1, first=5, position=0)
    ann = await Agent(centre, agent()).start()
    called = []
    while (lead_id := await ann.lead()) is not None:
        called.append(lead_id)
        await ann.record(lead_id)
    assert called == [3, 2, 5, 1, 4]


async def test_a_small_segment_in_a_large_pool_keeps_the_same_order(centre: CallCentre) -> None:
    await centre.change(LeadPool, 1, valid=1_000)
    await centre.change(Segment, SEGMENT, member_count=4)
    await centre.add_leads(3, first=1)
    await centre.add_leads(1, first=4, priority=9)
    await centre.add_leads(1, first=5, is_open=False)
    await centre.add_leads(5, first=6, segment_id=None)
    ann = await Agent(centre, agent()).start()
    called = []
    while (lead_id := await ann.lead()) is not None:
        called.append(lead_id)
        await ann.record(lead_id)
    assert called == [4, 1, 2, 3]


@pytest.mark.parametrize(
    "values",
    [
        {"is_open": False, "status": "closed"},
        {"active": False},
        {"call_after": NOW + MINUTE},
        {"owner_user_id": BOB},
        {"owner_teams_id": OF_SUPPORT},
        {"redial_kind": "private", "redial_at": NOW, "redial_user_id": BOB, "owner_user_id": BOB},
        {"redial_kind": "shared", "redial_at": NOW + MINUTE},
    ],
)
async def test_a_lead_that_may_not_be_called_is_never_offered(
    centre: CallCentre, values: dict[str, Any]
) -> None:
    await centre.add_leads(1, **values)
    ann = await Agent(centre, agent()).start()
    assert await ann.refused() == {Reason.NO_LEADS_READY}


@pytest.mark.parametrize(
    "values",
    [{"owner_user_id": ANN}, {"owner_teams_id": OF_SALES}, {"owner_teams_id": OF_BOTH}, {"call_after": NOW}],
)
async def test_a_lead_of_ones_own_or_of_one_of_its_teams_is_offered(
    centre: CallCentre, values: dict[str, Any]
) -> None:
    await centre.add_leads(1, **values)
    assert await (await Agent(centre, agent()).start()).lead() == 1


async def test_a_lead_taken_out_by_hand_is_no_member(centre: CallCentre) -> None:
    await centre.add_leads(1, segment_id=None)
    await centre.add_members(SEGMENT, [1], origin="removed_by_hand")
    assert await (await Agent(centre, agent()).start()).lead() is None


@pytest.mark.parametrize("values", [{"active": False}, {"active_from": NOW + MINUTE}, {"active_until": NOW}])
async def test_of_a_pool_out_of_service_only_personal_redials_are_called(
    centre: CallCentre, values: dict[str, Any]
) -> None:
    await centre.change(LeadPool, 1, **values)
    await centre.add_leads(1)
    await centre.add_leads(1, first=2, redial_kind="shared", redial_at=NOW)
    await centre.add_leads(1, first=3, redial_kind="private", redial_at=NOW, redial_user_id=ANN)
    ann = await Agent(centre, agent()).start()
    assert await ann.lead() == 3
    assert await ann.lead() == 3
    await ann.record(3)
    assert await ann.lead() is None


async def test_hours_of_the_campaign_override_those_of_the_segment_both_ways(centre: CallCentre) -> None:
    await centre.add_leads(1)
    ann = await Agent(centre, agent()).start()
    await centre.change(Campaign, 1, hours=ON_TUESDAY)
    assert await ann.refused() == {Reason.CAMPAIGN_OUT_OF_HOURS, Reason.NO_LEADS_READY}
    await centre.change(Campaign, 1, hours=ON_MONDAY)
    await centre.change(Segment, SEGMENT, hours=ON_TUESDAY)
    assert await ann.lead() == 1


async def test_outside_the_hours_the_answer_says_when_they_next_open(centre: CallCentre) -> None:
    await centre.add_leads(1)
    await centre.change(Segment, SEGMENT, hours=ON_TUESDAY)
    ann = await Agent(centre, agent()).start()
    nothing = await ann.take()
    assert isinstance(nothing, NoneLeft)
    assert nothing.reasons == {Reason.SEGMENT_OUT_OF_HOURS, Reason.NO_LEADS_READY}
    assert nothing.next_opening == NOW + timedelta(hours=23)


async def test_hours_count_per_segment_and_campaign_where_a_session_has_several(centre: CallCentre) -> None:
    await centre.add(Campaign, [campaign_row(2, hours=ON_MONDAY), campaign_row(3, active=False)])
    await centre.add(LeadPool, [pool_row(2, campaign_id=2), pool_row(3, campaign_id=3)])
    await centre.add(Segment, [segment_row(2, hours=ON_TUESDAY)])
    await centre.add_leads(1, first=1, segment_id=2)
    await centre.add_leads(1, first=2, segment_id=2, campaign_id=2, pool_id=2)
    await centre.add_leads(1, first=3, campaign_id=3, pool_id=3)
    await centre.add_leads(1, first=4)
    ann = await Agent(centre, agent(segments=frozenset({1, 2}))).start(segment_ids=[2, 1])
    called = []
    while (lead_id := await ann.lead()) is not None:
        called.append(lead_id)
        await ann.record(lead_id) if lead_id == 4 else await centre.change(Lead, lead_id, is_open=False)
    assert sorted(called) == [2, 4]


@pytest.mark.parametrize(
    ("model", "values", "reason"),
    [
        (Segment, {"hours": None}, Reason.SEGMENT_WITHOUT_HOURS),
        (Segment, {"active": False}, Reason.SEGMENT_INACTIVE),
        (Segment, {"active_until": NOW}, Reason.SEGMENT_OUTSIDE_DATES),
        (SegmentGroup, {"active": False}, Reason.GROUP_INACTIVE),
    ],
)
async def test_a_segment_out_of_service_cannot_be_called_even_if_its_campaign_is_open(
    centre: CallCentre, model: type[Any], values: dict[str, Any], reason: Reason
) -> None:
    await centre.add_leads(1)
    await centre.change(Campaign, 1, hours=ON_MONDAY)
    ann = await Agent(centre, agent()).start()
    await centre.change(model, 1, **values)
    assert await ann.refused() == {reason, Reason.NO_LEADS_READY}
    with pytest.raises(Conflict) as refusal:
        await Agent(centre, agent(BOB)).start()
    assert refusal.value.details == {"reasons": [reason]}
    assert refusal.value.field == ("input", "segmentIds", "0")


async def test_an_inactive_campaign_is_a_reason_of_its_own(centre: CallCentre) -> None:
    await centre.add_leads(1)
    await centre.change(Campaign, 1, active=False)
    assert Reason.CAMPAIGN_INACTIVE in await (await Agent(centre, agent()).start()).refused()
    chief = await Agent(centre, manager()).start(campaign_ids=[1])
    assert Reason.CAMPAIGN_INACTIVE in await chief.refused()


async def test_a_session_on_segments_within_a_campaign_offers_what_is_in_both(centre: CallCentre) -> None:
    await centre.add(Campaign, [campaign_row(2)])
    await centre.add(LeadPool, [pool_row(2, campaign_id=2)])
    await centre.add_leads(1, first=1)
    await centre.add_leads(1, first=2, campaign_id=2, pool_id=2)
    await centre.add_leads(1, first=3, campaign_id=2, pool_id=2, segment_id=None)
    chief = await Agent(centre, manager()).start(segment_ids=[SEGMENT], campaign_ids=[2])
    assert await chief.lead() == 2
    await centre.change(Lead, 2, active=False)
    assert await chief.lead() is None


async def test_a_campaign_session_of_a_manager_offers_every_lead_in_the_hours_of_the_campaign(
    centre: CallCentre,
) -> None:
    await centre.add_leads(1, segment_id=None)
    chief = await Agent(centre, manager()).start(campaign_ids=[1])
    assert await chief.lead() == 1
    await centre.change(Campaign, 1, hours=ON_TUESDAY)
    nothing = await chief.take()
    assert isinstance(nothing, NoneLeft)
    assert nothing.reasons == {Reason.CAMPAIGN_OUT_OF_HOURS, Reason.NO_LEADS_READY}
    assert nothing.next_opening == NOW + timedelta(hours=23)


async def test_a_campaign_session_of_an_agent_keeps_to_the_segments_they_may_call(centre: CallCentre) -> None:
    await centre.add(Segment, [segment_row(2)])
    await centre.add_leads(1, first=1, segment_id=None)
    await centre.add_leads(1, first=2, segment_id=2)
    await centre.add_leads(1, first=3)
    ann = await Agent(centre, agent()).start(campaign_ids=[1])
    assert await ann.lead() == 3


async def test_personal_redials_reach_any_campaign_session_but_no_segment_session(centre: CallCentre) -> None:
    await centre.add(Project, [{"id": 2, "name": "Other", "created_at": NOW}])
    await centre.add(Template, [{"id": 2, "project_id": 2, "name": "Other"}])
    await centre.add(Campaign, [campaign_row(2, project_id=2, template_id=2)])
    await centre.add(LeadPool, [pool_row(2, campaign_id=2)])
    redial: dict[str, Any] = {"redial_kind": "private", "redial_at": NOW, "redial_user_id": ANN}
    await centre.add_leads(1, project_id=2, campaign_id=2, pool_id=2, segment_id=None, **redial)
    assert await (await Agent(centre, agent()).start()).lead() is None
    in_campaign = await Agent(centre, agent()).start(campaign_ids=[1])
    await centre.change(Campaign, 2, hours=ON_TUESDAY)
    assert await in_campaign.lead() is None
    await centre.change(Campaign, 2, hours=None)
    assert await in_campaign.lead() == 1


async def test_a_personal_redial_makes_the_agent_the_owner_until_it_is_kept(centre: CallCentre) -> None:
    await centre.add_leads(1, owner_teams_id=OF_BOTH)
    ann, bob = await Agent(centre, agent(ANN)).start(), await Agent(centre, agent(BOB)).start()
    await ann.take()
    await ann.record(1, "no_answer", redial=(RedialKind.PRIVATE, NOW + MINUTE))
    lead = await centre.lead(1)
    assert (lead.owner_user_id, lead.owner_teams_id, lead.redial_user_id) == (ANN, None, ANN)
    assert await bob.lead(NOW + MINUTE) is None

    assert await ann.lead(NOW + MINUTE) == 1
    await ann.record(1, "no_answer", redial=(RedialKind.VIP, NOW + 3 * MINUTE), now=NOW + 2 * MINUTE)
    assert await ann.lead(NOW + 3 * MINUTE) == 1
    await ann.record(1, "no_answer", now=NOW + 3 * MINUTE)
    lead = await centre.lead(1)
    assert (lead.owner_user_id, lead.owner_teams_id, lead.redial_kind) == (None, OF_BOTH, None)


async def test_an_owner_given_by_hand_meanwhile_is_kept(centre: CallCentre) -> None:
    await centre.add_leads(1)
    ann = await Agent(centre, agent()).start()
    await ann.take()
    await ann.record(1, "no_answer", redial=(RedialKind.PRIVATE, NOW + MINUTE))
    await centre.change(Lead, 1, owner_user_id=BOB)
    assert await ann.lead(NOW + MINUTE) == 1
    await ann.record(1, "no_answer", now=NOW + MINUTE)
    assert (await centre.lead(1)).owner_user_id == BOB


async def test_a_personal_redial_given_back_returns_its_owner_and_keeps_its_status(
    centre: CallCentre,
) -> None:
    await centre.add_leads(1)
    ann, bob = await Agent(centre, agent(ANN)).start(), await Agent(centre, agent(BOB)).start()
    await ann.take()
    await ann.record(1, "no_answer", redial=(RedialKind.VIP, NOW + MINUTE))
    assert await ann.lead(NOW + MINUTE) == 1
    lead = await ann.release(1, NOW + MINUTE)
    assert (lead.owner_user_id, lead.redial_kind, lead.redial_user_id) == (None, "shared", None)
    assert (lead.status, lead.result_key, lead.attempts) == ("open", "no_answer", 1)
    assert await bob.lead(NOW + MINUTE) == 1


async def test_a_personal_redial_that_no_call_agreed_on_stays_with_its_agent(centre: CallCentre) -> None:
    redial: dict[str, Any] = {
        "redial_kind": "private",
        "redial_at": NOW,
        "redial_user_id": ANN,
        "owner_user_id": ANN,
    }
    await centre.add_leads(1, **redial)
    ann = await Agent(centre, agent()).start()
    assert await ann.lead() == 1
    await ann.record(1, "no_answer")
    assert (await centre.lead(1)).owner_user_id == ANN


async def test_a_released_lead_is_anyones_and_as_it_was(centre: CallCentre) -> None:
    await centre.add_leads(1)
    ann, bob = await Agent(centre, agent(ANN)).start(), await Agent(centre, agent(BOB)).start()
    await ann.take()
    released = await ann.release(1)
    assert (released.version, released.attempts, released.changed_at) == (1, 0, NOW)
    assert await bob.lead() == 1


async def test_a_session_that_ends_frees_its_lead_and_takes_no_more(centre: CallCentre) -> None:
    await centre.add_leads(1)
    ann, bob = await Agent(centre, agent(ANN)).start(), await Agent(centre, agent(BOB)).start()
    await ann.take()
    assert (await ann.end()).ended_at == NOW
    assert await bob.lead() == 1
    for attempt in (ann.take(), ann.record(1), ann.release(1)):
        with pytest.raises(Conflict):
            await attempt
    assert (await ann.end()).ended_at == NOW
    assert (await centre.lead(1)).lease_session_id == bob.session_id


async def test_a_session_belongs_to_its_agent_alone(centre: CallCentre) -> None:
    await centre.add_leads(1)
    ann, bob = await Agent(centre, agent(ANN)).start(), Agent(centre, agent(BOB))
    bob.session_id = ann.session_id
    for attempt in (bob.take(), bob.record(1), bob.release(1), bob.end()):
        with pytest.raises(NotFound):
            await attempt


async def test_a_session_needs_the_feature_and_the_right_on_each_segment(centre: CallCentre) -> None:
    await centre.add(Segment, [segment_row(2)])
    with pytest.raises(NotFound) as unseen:
        await Agent(centre, agent()).start(segment_ids=[1, 2])
    assert unseen.value.field == ("input", "segmentIds", "1")
    with pytest.raises(NotFound):
        await Agent(centre, agent()).start(campaign_ids=[9])
    with pytest.raises(Forbidden):
        await Agent(centre, _may_only_view(agent())).start()
    for nobody in (_without_features(agent()), _without_user(agent())):
        with pytest.raises(Forbidden):
            await Agent(centre, nobody).start()
    async with centre.database.reading() as session:
        assert (await session.execute(select(CallSession))).first() is None


async def test_a_right_lost_during_a_session_ends_its_offers(centre: CallCentre) -> None:
    await centre.add_leads(1)
    ann = await Agent(centre, agent()).start()
    ann.scope = agent(segments=frozenset())
    assert await ann.lead() is None


@pytest.mark.parametrize("named", [{"segment_ids": []}, {"segment_ids": list(range(1, 202))}])
async def test_a_session_names_something_and_not_too_much(
    centre: CallCentre, named: dict[str, list[int]]
) -> None:
    with pytest.raises(BadInput):
        await Agent(centre, agent()).start(**named)


async def test_another_organisations_leads_are_out_of_reach(centre: CallCentre, database: Database) -> None:
    await centre.add_leads(1)
    other = await open_call_centre(database, organisation_id=2)
    stranger = await Agent(other, agent(organisation_id=other.organisation_id)).start()
    assert await stranger.lead() is None
    await other.add_leads(1)
    assert await stranger.lead() == 1
    assert (await centre.lead(1)).lease_session_id is None


async def test_fifty_agents_at_once_never_get_the_same_lead(centre: CallCentre) -> None:
    await centre.add_leads(120)
    agents = [await Agent(centre, agent(ANN if number % 2 else BOB)).start() for number in range(50)]
    called: list[int] = []

    async def work(one: Agent) -> None:
        while (lead_id := await one.lead()) is not None:
            called.append(lead_id)
            await one.record(lead_id)

    async with asyncio.timeout(120):
        await asyncio.gather(*(work(each) for each in agents))
    assert sorted(called) == list(range(1, 121))


async def test_two_sessions_on_overlapping_segments_share_no_lead(centre: CallCentre) -> None:
    await centre.add(Segment, [segment_row(2)])
    await centre.add_leads(2)
    await centre.add(
        SegmentMember,
        [{"segment_id": 2, "lead_id": number, "origin": "hand", "added_at": NOW} for number in (1, 2)],
    )
    both = frozenset({1, 2})
    ann = await Agent(centre, agent(ANN, segments=both)).start(segment_ids=[1])
    bob = await Agent(centre, agent(BOB, segments=both)).start(segment_ids=[2])
    assert {await ann.lead(), await bob.lead()} == {1, 2}


def _may_only_view(scope: Scope) -> Scope:
    return _changed(scope, reach={pair: ids for pair, ids in scope.reach.items() if pair[1] == "view"})


def _without_features(scope: Scope) -> Scope:
    return _changed(scope, features=frozenset())


def _without_user(scope: Scope) -> Scope:
    return _changed(scope, actor=type(scope.actor)(scope.actor.kind, None))


def _changed(scope: Scope, **values: Any) -> Scope:
    kept = {name: getattr(scope, name) for name in scope.__dataclass_fields__}
    return Scope(**(kept | values))
