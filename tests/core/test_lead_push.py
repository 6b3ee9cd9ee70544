"""What a push asks, and how two of them are told apart."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.calling import Owner
from core.errors import LeadgraphError
from core.import_accounts import DuplicateAction, DuplicateRule, Verdict
from core.lead_push import LeadPush, PushedRow, RowOutcome, outcome_of
from core.lead_rows import LeadDraft, RowProblem, ValueWarning
from core.lead_spread import Spread

AT = datetime(2026, 11, 30, tzinfo=UTC)
ROWS = [{"phone": "1", "name": "A"}]


NOT_OBJECTS: Any = [["phone"]]


def draft(line: int, *warnings: ValueWarning) -> LeadDraft:
    return LeadDraft(line, "+1", "1", "+1", {}, {}, warnings, [])


def test_the_digest_is_the_same_just_for_the_same_request() -> None:
    digest = LeadPush(ROWS, idempotency_key="a").digest(1)
    assert LeadPush([{"name": "A", "phone": "1"}], idempotency_key="b").digest(1) == digest
    others = [
        LeadPush([*ROWS, *ROWS]),
        LeadPush([{"phone": "1", "name": "a"}]),
        LeadPush([{"phone": 1, "name": "A"}]),
        LeadPush(ROWS, pool_name="P"),
        LeadPush(ROWS, duplicate_field="mail"),
        LeadPush(ROWS, DuplicateRule(action=DuplicateAction.NOTIFY)),
        LeadPush(ROWS, owner=Owner(3)),
        LeadPush(ROWS, priority=0),
        LeadPush(ROWS, spread=Spread(1)),
        LeadPush(ROWS, pool_name="P", active_from=AT),
        LeadPush(ROWS, pool_name="P", active_until=AT),
    ]
    digests = {push.digest(1) for push in others} | {LeadPush(ROWS).digest(2)}
    assert len(digests) == len(others) + 1
    assert digest not in digests


@pytest.mark.parametrize(
    "push",
    [
        LeadPush([]),
        LeadPush(ROWS * 1_001),
        LeadPush(NOT_OBJECTS),
        LeadPush(ROWS, idempotency_key=" "),
        LeadPush(ROWS, idempotency_key="x" * 201),
        LeadPush(ROWS, idempotency_key="\x00"),
        LeadPush(ROWS, spread=Spread(-1)),
        LeadPush(ROWS, description="d"),
        LeadPush(ROWS, active_from=AT),
        LeadPush(ROWS, pool_name="P", active_from=AT, active_until=AT),
        LeadPush(ROWS, pool_name="P", description="\x00"),
    ],
)
def test_an_impossible_push_is_refused(push: LeadPush) -> None:
    with pytest.raises(LeadgraphError):
        push.check()


def test_a_possible_push_passes() -> None:
    LeadPush(ROWS * 1_000, idempotency_key="x" * 200).check()
    LeadPush(ROWS, owner=Owner(3), priority=2, spread=Spread(1, 2, (60, 120))).check()
    LeadPush(ROWS, pool_name="P", description="d", active_from=AT).check()


def test_each_row_is_told_what_became_of_it() -> None:
    noted = Verdict(imported=True, touches_existing=False, note="imported and reported")
    lead_ids, repeats = {1: 11, 2: 12, 3: 13}, {2: (9, noted), 4: (9, noted)}
    warned = draft(3, ValueWarning("beds", "many", "is not a number"))
    problem = RowProblem(5, "name", "", "required: a value is missing", [])
    rows = [outcome_of(row, lead_ids, repeats) for row in (draft(1), draft(2), warned, draft(4), problem)]
    assert rows == [
        PushedRow(RowOutcome.IMPORTED, 11),
        PushedRow(RowOutcome.FLAGGED, 12, action="imported and reported", duplicate_of=9),
        PushedRow(RowOutcome.IMPORTED, 13, "beds", "many", "is not a number"),
        PushedRow(RowOutcome.DUPLICATE, action="imported and reported", duplicate_of=9),
        PushedRow(RowOutcome.INVALID, column="name", value="", reason="required: a value is missing"),
    ]
    assert [PushedRow.from_record(row.record()) for row in rows] == rows
