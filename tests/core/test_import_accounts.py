"""Accounts of imports, and what is done about duplicates."""

import pytest

from core.access import Actor, ActorKind, Permission, Resource, Right, Scope
from core.errors import Forbidden
from core.import_accounts import Accounts, DuplicateAction, DuplicateRule, check_may_act, judge, outgrows
from core.statuses import LeadStatus, is_open


def test_accounts_add_up_and_can_be_added() -> None:
    one = Accounts(rows=6, valid=3, invalid=2, duplicates=1, flagged=1, acted_on=4)
    assert one + one == Accounts(rows=12, valid=6, invalid=4, duplicates=2, flagged=2, acted_on=8)


@pytest.mark.parametrize(
    "wrong", [{"rows": 1}, {"rows": 1, "valid": 1, "invalid": 1}, {"rows": 1, "valid": 1, "flagged": 2}]
)
def test_accounts_that_do_not_add_up_cannot_be(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="add up"):
        Accounts(**wrong)


@pytest.mark.parametrize(
    ("action", "existing_is_open", "imported", "touched"),
    [
        (DuplicateAction.DISCARD, True, False, False),
        (DuplicateAction.DISCARD, False, False, False),
        (DuplicateAction.NOTIFY, True, True, False),
        (DuplicateAction.NOTIFY, False, True, False),
        (DuplicateAction.DEACTIVATE, True, True, True),
        (DuplicateAction.DEACTIVATE, False, True, False),
        (DuplicateAction.REMOVE, True, True, True),
        (DuplicateAction.REMOVE, False, True, False),
    ],
)
def test_an_existing_lead_is_touched_only_while_it_is_open(
    action: DuplicateAction, existing_is_open: bool, imported: bool, touched: bool
) -> None:
    verdict = judge(action, existing_is_open=existing_is_open)
    assert (verdict.imported, verdict.touches_existing) == (imported, touched)


def test_each_verdict_says_what_was_done() -> None:
    notes = {
        judge(action, existing_is_open=open_).note for action in DuplicateAction for open_ in (True, False)
    }
    assert notes == {
        "discarded",
        "imported and reported",
        "imported; the existing lead was deactivated",
        "imported; the existing lead was set to removed",
        "imported and flagged: the existing lead is not open",
    }


def test_a_lead_is_open_until_it_is_closed_or_removed() -> None:
    assert [status for status in LeadStatus if is_open(status)] == [LeadStatus.NEW, LeadStatus.OPEN]


def test_rows_outgrow_what_is_known_of_them_each_time_they_are_four_times_as_many() -> None:
    grown = [rows for rows in range(1, 1_001) if outgrows(rows - 1, rows)]
    assert grown == [1, 4, 16, 64, 256]
    assert outgrows(100, 300)
    assert not outgrows(300, 1_000)


@pytest.mark.parametrize("action", [DuplicateAction.DEACTIVATE, DuplicateAction.REMOVE])
def test_existing_leads_are_changed_only_for_who_may_edit_all_leads(action: DuplicateAction) -> None:
    def caller(*features: Permission, reach: frozenset[int] | None) -> Scope:
        given = {(Resource.LEAD, Right.EDIT): reach}
        return Scope(1, Actor(ActorKind.USER, 1), frozenset(features), frozenset(), 1, given)

    acting = DuplicateRule(action=action)
    everything = caller(Permission.LEAD_EDIT, reach=None)
    check_may_act(acting, everything, ["duplicateAction"])
    check_may_act(DuplicateRule(), caller(reach=frozenset()), ["duplicateAction"])
    for narrow in (caller(reach=None), caller(Permission.LEAD_EDIT, reach=frozenset({1}))):
        with pytest.raises(Forbidden) as refused:
            check_may_act(acting, narrow, ["duplicateAction"])
        assert refused.value.field == ("duplicateAction",)
