"""What a campaign is made of."""

from dataclasses import replace

import pytest

from core.campaign import (
    DEFAULT_RESULTS,
    MAX_FIELDS,
    Result,
    Slot,
    check_code,
    check_fields,
    check_region,
    check_results,
    check_same_type,
    free_slots,
)
from core.errors import BadInput, Conflict
from core.fields import Field, FieldType, SlotFamily
from core.names import checked_name
from core.statuses import LeadStatus

PHONE = Field("phone", "Phone", FieldType.PHONE)
RATING = Field("rating", "Rating", FieldType.INTEGER, minimum=1, maximum=5)
KIND = Field("kind", "Kind", FieldType.CHOICE, choices=("a", "b"))


def test_a_code_is_trimmed_and_has_no_blanks() -> None:
    assert check_code(" H-1.a_b ") == "H-1.a_b"
    for wrong in ("", "a b", "-a", "é", "x" * 65):
        with pytest.raises(BadInput):
            check_code(wrong)


def test_a_region_is_one_that_has_phones() -> None:
    assert check_region(" fr") == "FR"
    with pytest.raises(BadInput):
        check_region("XX")


def test_a_template_that_leads_can_be_imported_by_is_accepted() -> None:
    check_fields([PHONE, RATING, KIND, Field("Code_departement", "Code", FieldType.TEXT)])


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ([RATING], ()),
        ([PHONE] * (MAX_FIELDS + 1), ()),
        ([PHONE, PHONE], ("1", "key")),
        ([replace(PHONE, key="1a")], ("0", "key")),
        ([replace(PHONE, key="lead.x")], ("0", "key")),
        ([replace(PHONE, label=" ")], ("0", "label")),
        ([replace(PHONE, label="a\x00")], ("0", "label")),
        ([replace(PHONE, choices=("a",))], ("0", "choices")),
        ([PHONE, replace(KIND, choices=("a", " "))], ("1", "choices")),
        ([replace(PHONE, minimum=1)], ("0", "minimum")),
        ([PHONE, replace(RATING, minimum=9)], ("1", "minimum")),
    ],
)
def test_an_impossible_template_is_refused_where_it_is_wrong(
    fields: list[Field], path: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput) as refused:
        check_fields(fields)
    assert refused.value.field == ("input", "fields", *path)


def test_results_are_told_apart_by_their_keys() -> None:
    check_results(DEFAULT_RESULTS)
    sale = Result("sale", "Sale", LeadStatus.CLOSED)
    for wrong in ([], [sale, sale], [replace(sale, label="")]):
        with pytest.raises(BadInput):
            check_results(wrong)


def test_a_field_keeps_its_type_for_good() -> None:
    check_same_type(PHONE, FieldType.PHONE, ())
    with pytest.raises(Conflict) as refused:
        check_same_type(PHONE, FieldType.TEXT, ("input", "fields", "0"))
    assert refused.value.field == ("input", "fields", "0", "type")


def test_new_fields_take_the_first_free_slots_and_then_further_sets() -> None:
    text, number = SlotFamily.TEXT, SlotFamily.NUMBER
    taken = [(0, "t1"), (0, "t3"), (1, "t1")]
    slots = free_slots([text, number, text, text, text], taken, {text: 3, number: 3})
    assert slots == [
        Slot(0, text, 2),
        Slot(0, number, 1),
        Slot(1, text, 2),
        Slot(1, text, 3),
        Slot(2, text, 1),
    ]
    assert [slot.name for slot in slots] == ["t2", "n1", "t2", "t3", "t1"]


def test_a_name_is_trimmed_and_never_empty() -> None:
    assert checked_name("  Anna ") == "Anna"
    for wrong in ("", "   ", "x" * 201, "a\x00"):
        with pytest.raises(BadInput) as refused:
            checked_name(wrong)
        assert refused.value.field == ("input", "name")
