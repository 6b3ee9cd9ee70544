from datetime import timedelta
from typing import Any

import pytest

from core.access import Scope
from core.calling import Reason
from db.database import Database
from db.models import Campaign, LeadPool, Project, Segment, SegmentGroup, Template
from db.queries.calling import SegmentReadiness, callable_segments
from tests.db.call_centre import (
    ANN,
    BOB,
    NOW,
    OF_SUPPORT,
    ON_MONDAY,
    ON_TUESDAY,
    CallCentre,
    agent,
    campaign_row,
    manager,
    open_call_centre,
    pool_row,
    segment_row,
)

TUESDAY = NOW + timedelta(hours=23)


@pytest.fixture
async def centre(database: Database) -> CallCentre:
    return await open_call_centre(database)


async def standings(centre: CallCentre, scope: Scope) -> dict[int, SegmentReadiness]:
    async with centre.database.reading() as session:
        found = await callable_segments(session, scope, NOW)
    return {standing.segment.id: standing for standing in found}


async def test_a_segment_shows_its_leads_ready_and_that_it_can_be_called(centre: CallCentre) -> None:
    await centre.add_leads(3)
    standing = (await standings(centre, agent()))[1]
    assert (standing.ready, standing.callable_now, standing.reasons) == (3, 3, frozenset())
    assert standing.next_opening == NOW


async def test_only_segments_one_has_the_right_to_call_are_shown_in_their_order(centre: CallCentre) -> None:
    group = {"id": 2, "project_id": 1, "name": "First", "position": 0, "created_at": NOW}
    await centre.add(SegmentGroup, [group])
    await centre.add(Segment, [segment_row(2), segment_row(3, position=0), segment_row(4, group_id=2)])
    assert list(await standings(centre, agent(segments=frozenset({1, 3})))) == [3, 1]
    assert list(await standings(centre, manager())) == [4, 3, 1, 2]
    assert await standings(centre, agent(segments=frozenset())) == {}


async def test_leads_that_are_not_ready_for_the_caller_are_not_counted(centre: CallCentre) -> None:
    await centre.add(LeadPool, [pool_row(2, active=False)])
    await centre.add(Campaign, [campaign_row(2, active=False)])
    await centre.add(LeadPool, [pool_row(3, campaign_id=2)])
    personal = {"redial_kind": "vip", "redial_at": NOW}
    unready: list[dict[str, Any]] = [
        {"is_open": False},
        {"active": False},
        {"lease_until": NOW + timedelta(minutes=1)},
        {"call_after": NOW + timedelta(minutes=1)},
        {"redial_kind": "shared", "redial_at": NOW + timedelta(minutes=1)},
        {"owner_user_id": BOB},
        {"owner_teams_id": OF_SUPPORT},
        {"pool_id": 2},
        {"pool_id": 3, "campaign_id": 2},
        {**personal, "redial_user_id": BOB},
    ]
    for number, values in enumerate(unready, start=1):
        await centre.add_leads(1, first=number, **values)
    await centre.add_leads(1, first=20, segment_id=None)
    await centre.add_members(1, [20], origin="removed_by_hand")
    standing = (await standings(centre, agent()))[1]
    assert (standing.ready, standing.reasons) == (0, frozenset({Reason.NO_LEADS_READY}))

    await centre.add_leads(1, first=30)
    await centre.add_leads(1, first=31, pool_id=2, redial_user_id=ANN, **personal)
    assert (await standings(centre, agent()))[1].ready == 2


@pytest.mark.parametrize(
    ("model", "values", "reason"),
    [
        (Segment, {"hours": None}, Reason.SEGMENT_WITHOUT_HOURS),
        (Segment, {"active": False}, Reason.SEGMENT_INACTIVE),
        (Segment, {"active_from": TUESDAY}, Reason.SEGMENT_OUTSIDE_DATES),
        (SegmentGroup, {"active": False}, Reason.GROUP_INACTIVE),
    ],
)
async def test_a_segment_out_of_service_shows_its_leads_ready_and_why_they_cannot_be_called(
    centre: CallCentre, model: type[Any], values: dict[str, Any], reason: Reason
) -> None:
    await centre.add_leads(2)
    await centre.change(model, 1, **values)
    standing = (await standings(centre, agent()))[1]
    assert (standing.ready, standing.callable_now, standing.reasons) == (2, 0, frozenset({reason}))
    assert standing.next_opening is None


async def test_a_closed_segment_says_when_it_opens(centre: CallCentre) -> None:
    await centre.add_leads(2)
    await centre.change(Segment, 1, hours=ON_TUESDAY)
    standing = (await standings(centre, agent()))[1]
    assert (standing.ready, standing.callable_now) == (2, 0)
    assert (standing.reasons, standing.next_opening) == (frozenset({Reason.SEGMENT_OUT_OF_HOURS}), TUESDAY)


async def test_hours_count_per_campaign_of_the_leads_that_are_ready(centre: CallCentre) -> None:
    await centre.add(Project, [{"id": 2, "name": "Other", "created_at": NOW}])
    await centre.add(Template, [{"id": 2, "project_id": 2, "name": "Other"}])
    await centre.add(Campaign, [campaign_row(2, hours=ON_TUESDAY), campaign_row(3, hours=ON_MONDAY)])
    await centre.add(LeadPool, [pool_row(2, campaign_id=2), pool_row(3, campaign_id=3)])
    await centre.add_leads(2, first=1, campaign_id=2, pool_id=2)
    closed = (await standings(centre, agent()))[1]
    assert (closed.reasons, closed.next_opening) == (frozenset({Reason.CAMPAIGN_OUT_OF_HOURS}), TUESDAY)

    await centre.add_leads(3, first=3, campaign_id=3, pool_id=3)
    await centre.change(Segment, 1, hours=ON_TUESDAY)
    partly = (await standings(centre, agent()))[1]
    assert (partly.ready, partly.callable_now) == (5, 3)
    assert (partly.reasons, partly.next_opening) == (frozenset(), NOW)
