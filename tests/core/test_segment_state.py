"""How a segment stands, and what may say whose its members are."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import BadInput
from core.fields import FieldType
from core.segment_owner import check_owner_field
from core.segment_state import SegmentState, state_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("broken", "active", "active_from", "active_until", "state"),
    [
        (False, True, None, None, SegmentState.ACTIVE),
        (False, True, NOW, LATER, SegmentState.ACTIVE),
        (False, True, LATER, None, SegmentState.SCHEDULED),
        (False, True, EARLIER, NOW, SegmentState.OVER),
        (False, False, LATER, None, SegmentState.INACTIVE),
        (True, False, None, EARLIER, SegmentState.BROKEN),
    ],
)
def test_broken_comes_before_inactive_and_that_before_the_dates(
    broken: bool,
    active: bool,
    active_from: datetime | None,
    active_until: datetime | None,
    state: SegmentState,
) -> None:
    found = state_of(
        broken=broken, active=active, active_from=active_from, active_until=active_until, now=NOW
    )
    assert found is state


@pytest.mark.parametrize("key", ["lead.owner", "keeper", "nickname"])
def test_an_owner_field_is_the_leads_owner_or_a_text_or_an_address(key: str) -> None:
    check_owner_field(key, {"keeper": FieldType.EMAIL, "nickname": FieldType.TEXT})


@pytest.mark.parametrize("key", ["beds", "gone", "", "lead.phone"])
def test_an_owner_field_that_names_nobody_is_refused(key: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_owner_field(key, {"beds": FieldType.INTEGER})
    assert refused.value.field == ("input", "ownerField")
