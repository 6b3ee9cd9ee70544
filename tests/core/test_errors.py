"""Errors that carry what clients act on."""

from core.errors import ErrorCode, ExclusiveConflict


def test_an_exclusive_conflict_says_how_many_leads_and_who_has_the_first_of_them() -> None:
    error = ExclusiveConflict(1, 1_200, [(7, 3), (8, None)], field=["input", "segmentIds"])
    assert str(error) == "1,200 of the leads are in other segments, and each can be in one only."
    assert (error.organisation_id, error.count, error.held) == (1, 1_200, ((7, 3), (8, None)))
    assert (error.code, error.field) == (ErrorCode.EXCLUSIVE_CONFLICT, ("input", "segmentIds"))
