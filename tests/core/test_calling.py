from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.calling import (
    AUTOMATIC_REDIAL_AFTER,
    OF_HOURS,
    OVERDUE_AFTER,
    CallerFacts,
    CampaignFacts,
    LeadFacts,
    OrderClass,
    Owner,
    PoolFacts,
    Reason,
    Redial,
    RedialKind,
    SegmentFacts,
    WorkState,
    after_call,
    callability,
    hours_against,
    next_open,
    order_class,
    readiness,
    without_personal_redial,
)
from core.errors import BadInput
from core.opening_hours import parse_hours
from core.statuses import LeadStatus

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
ON_MONDAY = parse_hours({"zone": "UTC", "monday": [{"from": "09:00", "to": "17:00"}]})
ON_TUESDAY = parse_hours({"zone": "UTC", "tuesday": [{"from": "09:00", "to": "17:00"}]})
ANN = CallerFacts(user_id=1, team_ids=frozenset({10, 20}))
SEGMENT = SegmentFacts(hours=ON_MONDAY)


def against(
    lead: LeadFacts | None = None,
    pool: PoolFacts | None = None,
    campaign: CampaignFacts | None = None,
    segment: SegmentFacts | None = SEGMENT,
) -> frozenset[Reason]:
    return callability(
        lead or LeadFacts(), pool or PoolFacts(), campaign or CampaignFacts(), segment, ANN, NOW
    )


def redial(kind: RedialKind, at: datetime = NOW, user_id: int | None = 1) -> Redial:
    return Redial(kind, at, None if kind is RedialKind.SHARED else user_id)


def test_an_open_lead_of_an_open_segment_is_callable() -> None:
    assert against() == frozenset()


@pytest.mark.parametrize(
    ("lead", "reason"),
    [
        (LeadFacts(is_open=False), Reason.LEAD_NOT_OPEN),
        (LeadFacts(active=False), Reason.LEAD_INACTIVE),
        (LeadFacts(leased_until=NOW + MINUTE), Reason.LEAD_LEASED),
        (LeadFacts(call_after=NOW + MINUTE), Reason.LEAD_NOT_DUE),
        (LeadFacts(redial=redial(RedialKind.SHARED, NOW + MINUTE)), Reason.LEAD_NOT_DUE),
        (LeadFacts(owner=Owner(user_id=2)), Reason.LEAD_OF_ANOTHER),
        (LeadFacts(owner=Owner(team_ids=(30, 50))), Reason.LEAD_OF_ANOTHER),
        (LeadFacts(redial=redial(RedialKind.VIP, user_id=2)), Reason.LEAD_OF_ANOTHER),
    ],
)
def test_a_lead_is_refused_with_its_own_reason(lead: LeadFacts, reason: Reason) -> None:
    assert against(lead) == {reason}


@pytest.mark.parametrize(
    "lead",
    [
        LeadFacts(leased_until=NOW),
        LeadFacts(call_after=NOW),
        LeadFacts(redial=redial(RedialKind.SHARED, NOW), call_after=NOW + MINUTE),
        LeadFacts(owner=Owner(user_id=1)),
        LeadFacts(owner=Owner(team_ids=(20, 40))),
        LeadFacts(redial=redial(RedialKind.PRIVATE), owner=Owner(user_id=1)),
    ],
)
def test_a_lead_whose_moment_or_agent_has_come_is_callable(lead: LeadFacts) -> None:
    assert against(lead) == frozenset()


@pytest.mark.parametrize(
    ("pool", "reason"),
    [
        (PoolFacts(active=False), Reason.POOL_INACTIVE),
        (PoolFacts(active_from=NOW + MINUTE), Reason.POOL_OUTSIDE_DATES),
        (PoolFacts(active_until=NOW), Reason.POOL_OUTSIDE_DATES),
    ],
)
def test_a_pool_out_of_service_holds_back_all_but_personal_redials(pool: PoolFacts, reason: Reason) -> None:
    assert against(pool=pool) == {reason}
    assert against(LeadFacts(redial=redial(RedialKind.SHARED)), pool) == {reason}
    assert against(LeadFacts(redial=redial(RedialKind.PRIVATE)), pool) == frozenset()
    assert against(LeadFacts(redial=redial(RedialKind.VIP)), pool) == frozenset()


def test_a_pool_within_its_dates_is_in_service() -> None:
    assert against(pool=PoolFacts(active_from=NOW, active_until=NOW + MINUTE)) == frozenset()


def test_an_inactive_campaign_holds_back_personal_redials_too() -> None:
    vip = LeadFacts(redial=redial(RedialKind.VIP))
    assert against(vip, campaign=CampaignFacts(active=False)) == {Reason.CAMPAIGN_INACTIVE}


@pytest.mark.parametrize(
    ("segment", "reason"),
    [
        (replace(SEGMENT, active=False), Reason.SEGMENT_INACTIVE),
        (replace(SEGMENT, group_active=False), Reason.GROUP_INACTIVE),
        (replace(SEGMENT, active_from=NOW + MINUTE), Reason.SEGMENT_OUTSIDE_DATES),
        (replace(SEGMENT, active_until=NOW), Reason.SEGMENT_OUTSIDE_DATES),
        (replace(SEGMENT, hours=None), Reason.SEGMENT_WITHOUT_HOURS),
        (replace(SEGMENT, hours=ON_TUESDAY), Reason.SEGMENT_OUT_OF_HOURS),
    ],
)
def test_a_segment_out_of_service_gives_its_reason(segment: SegmentFacts, reason: Reason) -> None:
    assert against(segment=segment) == {reason}


def test_hours_of_the_campaign_override_those_of_the_segment_both_ways() -> None:
    assert against(campaign=CampaignFacts(hours=ON_TUESDAY)) == {Reason.CAMPAIGN_OUT_OF_HOURS}
    closed = replace(SEGMENT, hours=ON_TUESDAY)
    assert against(campaign=CampaignFacts(hours=ON_MONDAY), segment=closed) == frozenset()


def test_hours_of_the_campaign_do_not_stand_in_for_what_the_segment_itself_needs() -> None:
    campaign = CampaignFacts(hours=ON_MONDAY)
    without_hours = replace(SEGMENT, hours=None)
    assert against(campaign=campaign, segment=without_hours) == {Reason.SEGMENT_WITHOUT_HOURS}
    over = replace(SEGMENT, active=False, active_until=NOW)
    assert against(campaign=campaign, segment=over) == {Reason.SEGMENT_INACTIVE, Reason.SEGMENT_OUTSIDE_DATES}


def test_in_a_campaign_session_only_the_hours_of_the_campaign_bind() -> None:
    assert against(segment=None) == frozenset()
    assert against(segment=None, campaign=CampaignFacts(hours=ON_TUESDAY)) == {Reason.CAMPAIGN_OUT_OF_HOURS}


def test_every_reason_is_given_not_just_the_first() -> None:
    lead = LeadFacts(is_open=False, active=False, owner=Owner(user_id=2))
    found = against(lead, PoolFacts(active=False), CampaignFacts(active=False), replace(SEGMENT, hours=None))
    assert found == {
        Reason.LEAD_NOT_OPEN,
        Reason.LEAD_INACTIVE,
        Reason.LEAD_OF_ANOTHER,
        Reason.POOL_INACTIVE,
        Reason.CAMPAIGN_INACTIVE,
        Reason.SEGMENT_WITHOUT_HOURS,
    }


def test_ready_to_dial_leaves_out_the_hours() -> None:
    out_of_hours = CampaignFacts(hours=ON_TUESDAY)
    assert readiness(LeadFacts(), PoolFacts(), out_of_hours, NOW) == frozenset()
    assert hours_against(out_of_hours, SEGMENT, NOW) <= OF_HOURS


def test_the_next_opening_is_that_of_the_hours_that_bind() -> None:
    tuesday = datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert next_open(CampaignFacts(hours=ON_TUESDAY), SEGMENT, NOW) == tuesday
    assert next_open(CampaignFacts(), replace(SEGMENT, hours=ON_TUESDAY), NOW) == tuesday
    assert next_open(CampaignFacts(), None, NOW) == NOW


def test_classes_run_from_overdue_vip_redials_to_leads_without_a_redial() -> None:
    late, due = NOW - OVERDUE_AFTER, NOW - OVERDUE_AFTER + MINUTE
    redials = [
        redial(kind, at)
        for kind in (RedialKind.VIP, RedialKind.PRIVATE, RedialKind.SHARED)
        for at in (late, due)
    ]
    assert [order_class(each, NOW) for each in [*redials, None]] == list(OrderClass)


TALKED = WorkState(LeadStatus.OPEN, "no_answer", attempts=2, call_after=NOW, owner=Owner(team_ids=(10,)))


def called(status: LeadStatus, agreed: Redial | None = None) -> WorkState:
    return after_call(
        TALKED, result_key="talked", status=status, redial=agreed, owner_before=TALKED.owner, now=NOW
    )


def test_a_closing_result_ends_the_work_on_a_lead() -> None:
    assert called(LeadStatus.CLOSED) == WorkState(
        LeadStatus.CLOSED, "talked", attempts=3, owner=Owner(team_ids=(10,))
    )


def test_a_lead_left_open_rests_before_it_is_offered_again() -> None:
    assert called(LeadStatus.OPEN).call_after == NOW + AUTOMATIC_REDIAL_AFTER


def test_a_shared_redial_leaves_the_owner() -> None:
    agreed = redial(RedialKind.SHARED, NOW + MINUTE)
    after = called(LeadStatus.OPEN, agreed)
    assert (after.redial, after.call_after, after.owner) == (agreed, None, Owner(team_ids=(10,)))


def test_a_personal_redial_makes_its_agent_the_owner() -> None:
    assert called(LeadStatus.OPEN, redial(RedialKind.PRIVATE, NOW + MINUTE)).owner == Owner(user_id=1)


@pytest.mark.parametrize(
    ("status", "at", "path"),
    [
        (LeadStatus.CLOSED, NOW + MINUTE, ("redial",)),
        (LeadStatus.OPEN, NOW, ("redial", "at")),
        (LeadStatus.OPEN, datetime(2026, 11, 24, 10), ("redial", "at")),  # noqa: DTZ001  the point of it
    ],
)
def test_a_redial_that_cannot_be_is_refused(status: LeadStatus, at: datetime, path: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as refusal:
        called(status, redial(RedialKind.SHARED, at))
    assert refusal.value.field == path


def test_a_personal_redial_given_back_becomes_shared_and_returns_the_owner() -> None:
    held = replace(TALKED, redial=redial(RedialKind.VIP), owner=Owner(user_id=1))
    given_back = without_personal_redial(held, Owner(team_ids=(10,)))
    assert given_back == replace(held, redial=redial(RedialKind.SHARED), owner=Owner(team_ids=(10,)))


def test_a_lead_without_a_personal_redial_has_none_to_give_back() -> None:
    shared = replace(TALKED, redial=redial(RedialKind.SHARED))
    assert without_personal_redial(shared, Owner()) == shared
    assert without_personal_redial(TALKED, Owner()) == TALKED


def test_a_lead_taken_out_of_work_while_it_was_called_stays_out_unless_the_call_closed_it() -> None:
    removed = replace(TALKED, status=LeadStatus.REMOVED)

    def called_then(status: LeadStatus, agreed: Redial | None = None) -> WorkState:
        return after_call(
            removed, result_key="talked", status=status, redial=agreed, owner_before=removed.owner, now=NOW
        )

    left_open = called_then(LeadStatus.OPEN)
    assert (left_open.status, left_open.result_key, left_open.call_after) == (
        LeadStatus.REMOVED,
        "talked",
        None,
    )
    assert called_then(LeadStatus.CLOSED).status is LeadStatus.CLOSED
    with pytest.raises(BadInput) as refusal:
        called_then(LeadStatus.OPEN, redial(RedialKind.SHARED, NOW + MINUTE))
    assert refusal.value.field == ("redial",)
