"""Which rows of a batch become leads, and which leads are acted on."""

from collections.abc import Sequence

from core.import_accounts import Accounts, DuplicateAction, DuplicateRule, DuplicateScope
from core.import_judgement import KnownLead, judge_batch
from core.lead_rows import LeadDraft


def drafts(keys: Sequence[str | None]) -> list[LeadDraft]:
    return [LeadDraft(line, "+1", "1", key, {}, {}, (), []) for line, key in enumerate(keys, start=2)]


def rule(action: DuplicateAction, **further: bool) -> DuplicateRule:
    return DuplicateRule(DuplicateScope.CAMPAIGN, action, **further)


def test_a_row_without_a_key_repeats_nothing() -> None:
    judged = judge_batch(drafts([None, None]), {}, rule(DuplicateAction.DISCARD))
    assert judged.accounts(invalid=1) == Accounts(rows=3, valid=2, invalid=1)


def test_rows_repeat_each_other_unless_that_is_turned_off() -> None:
    rows = drafts(["a", "a", "b"])
    assert judge_batch(rows, {}, rule(DuplicateAction.DISCARD)).accounts(0) == Accounts(
        rows=3, valid=2, duplicates=1
    )
    turned_off = rule(DuplicateAction.DISCARD, within_file=False)
    assert judge_batch(rows, {}, turned_off).accounts(0) == Accounts(rows=3, valid=3)


def test_a_lead_is_acted_on_once_and_is_then_as_it_was_made() -> None:
    existing = KnownLead(None, in_file=False, id=7)
    known = {"a": [existing]}
    judged = judge_batch(drafts(["a", "a"]), known, rule(DuplicateAction.DEACTIVATE))
    assert [(effect.draft.line, effect.on.id or effect.on.line) for effect in judged.effects] == [
        (2, 7),
        (3, 2),
    ]
    assert judged.accounts(0) == Accounts(rows=2, valid=2, flagged=2, acted_on=2)
    assert [lead.active for lead in known["a"]] == [False, False, True]


def test_a_lead_of_the_file_that_was_removed_still_flags_the_next_row_but_is_not_touched_again() -> None:
    known: dict[str, list[KnownLead]] = {}
    judged = judge_batch(drafts(["a", "a", "a"]), known, rule(DuplicateAction.REMOVE, only_open=True))
    assert [(effect.draft.line, effect.on.line) for effect in judged.effects] == [(3, 2), (4, 3)]
    assert judged.accounts(0) == Accounts(rows=3, valid=3, flagged=2, acted_on=2)
    assert [lead.is_open for lead in known["a"]] == [False, False, True]


def test_a_removed_lead_from_elsewhere_does_not_count_where_only_open_ones_do() -> None:
    closed = KnownLead(None, in_file=False, is_open=False)
    judged = judge_batch(drafts(["a"]), {"a": [closed]}, rule(DuplicateAction.REMOVE, only_open=True))
    assert judged.repeats == []
    judged = judge_batch(drafts(["a"]), {"a": [closed]}, rule(DuplicateAction.REMOVE))
    assert judged.repeats[0].verdict.note == "imported and flagged: the existing lead is not open"
    assert judged.effects == []
