"""Labels, stages and contacts: what may be put on leads."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.fields import fold
from core.pipeline import MAX_STAGES, Stage, StageMove, checked_stages
from core.tag import MAX_LABEL, MAX_LABELS, Tagging, read_label, read_labels
from core.touch import MAX_NOTE, NewTouch, TouchChannel, TouchKind

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_labels_that_differ_in_case_or_blanks_alone_are_one_as_it_was_written_first() -> None:
    assert read_labels(["Hot  Lead", " hot lead ", "ÅRHUS", "århus"]) == {
        "hot lead": "Hot Lead",
        "århus": "ÅRHUS",
    }


@pytest.mark.parametrize(
    "labels", [[], ["x"] * (MAX_LABELS + 1), [""], ["x", " "], ["x" * (MAX_LABEL + 1)], ["\x00"]]
)
def test_labels_that_are_none_are_refused(labels: list[str]) -> None:
    with pytest.raises(BadInput) as refused:
        read_labels(labels)
    assert refused.value.field[:2] == ("input", "labels")


@given(st.text(max_size=30))
def test_the_name_of_a_label_is_that_of_its_name(label: str) -> None:
    try:
        name, trimmed = read_label(label, ())
    except BadInput:
        return
    assert fold(name) == name
    assert read_label(trimmed, ()) == (name, trimmed)


def test_what_a_job_does_to_leads_comes_back_from_its_record() -> None:
    tagging, move = Tagging({"a": "A"}, carried=False), StageMove(1, None)
    assert Tagging.from_record(tagging.record()) == tagging
    assert StageMove.from_record(move.record()) == move


def test_stages_have_names_of_their_own_and_come_once() -> None:
    assert checked_stages([Stage(" Met ", 3), Stage("Won")]) == [Stage("Met", 3), Stage("Won")]
    for stages, place in [
        ([], ()),
        ([Stage(f"S{n}") for n in range(MAX_STAGES + 1)], ()),
        ([Stage("A"), Stage("ａ")], ("1", "name")),
        ([Stage("A", 1), Stage("B", 1)], ("1", "id")),
        ([Stage(" ")], ("0", "name")),
    ]:
        with pytest.raises(BadInput) as refused:
            checked_stages(stages)
        assert refused.value.field == ("input", "stages", *place)


def test_a_contact_has_been_and_is_now_where_nothing_else_is_said() -> None:
    past = NOW - timedelta(days=1)
    assert NewTouch(TouchKind.MANUAL, TouchChannel.CHAT).moment(NOW) == NOW
    assert NewTouch(TouchKind.MANUAL, TouchChannel.CHAT, at=past).moment(NOW) == past
    wrong = [NOW + timedelta(seconds=1), datetime(2026, 1, 1), datetime(1, 1, 2, tzinfo=UTC)]  # noqa: DTZ001
    for at in wrong:
        with pytest.raises(BadInput) as refused:
            NewTouch(TouchKind.MANUAL, TouchChannel.CHAT, at=at).moment(NOW)
        assert refused.value.field == ("input", "at")
    for note in ("x" * (MAX_NOTE + 1), "\x00"):
        with pytest.raises(BadInput) as refused:
            NewTouch(TouchKind.MANUAL, TouchChannel.CHAT, note).moment(NOW)
        assert refused.value.field == ("input", "note")
