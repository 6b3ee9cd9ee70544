"""Which column fills which field."""

from zoneinfo import ZoneInfo

import pytest

from core.errors import BadInput
from core.field_mapping import (
    Column,
    Pair,
    Unfit,
    check_mapping,
    check_pairs,
    check_saved,
    fitted,
    guess_type,
    suggest,
)
from core.fields import Field, FieldType, Locale

FRANCE = Locale("FR", ZoneInfo("Europe/Paris"))
PHONE = Field("phone", "Phone", FieldType.PHONE)
NAME = Field("name", "Name", FieldType.TEXT)
EMAIL = Field("email", "E-mail", FieldType.EMAIL)
SIRET = Field("siret", "SIRET", FieldType.TEXT, duplicate_key=True)


@pytest.mark.parametrize(
    ("name", "samples", "type_"),
    [
        ("Contact", ["02 99 85 38 02", "0299458802"], FieldType.PHONE),
        ("Members", ["12", "0", "-3"], FieldType.INTEGER),
        ("Members", ["12", "Not Available", "n/a", ""], FieldType.INTEGER),
        ("Customer number", ["12", "13"], FieldType.TEXT),
        ("ZIP Code", ["36301", "4010"], FieldType.TEXT),
        ("Department", ["035", "022"], FieldType.TEXT),
        ("Latitude", ["47.98", "-1.9"], FieldType.DECIMAL),
        ("Open", ["yes", "No"], FieldType.BOOLEAN),
        ("Since", ["1965-10-01", "2023-06-08"], FieldType.DATE),
        ("Seen", ["2023-06-08T10:00:00Z"], FieldType.DATETIME),
        ("Mail", ["a@b.example"], FieldType.EMAIL),
        ("Web", ["https://a.example/x", "WWW.b.example"], FieldType.URL),
        ("Web", ["a.example"], FieldType.TEXT),
        ("Mixed", ["12", "Anna"], FieldType.TEXT),
        ("Empty", ["", " "], FieldType.TEXT),
    ],
)
def test_the_type_is_guessed_from_the_values_and_the_name(
    name: str, samples: list[str], type_: FieldType
) -> None:
    assert guess_type(name, samples, FRANCE) is type_


def column(name: str, type_: FieldType = FieldType.TEXT) -> Column:
    return Column(name, (), type_)


@pytest.mark.parametrize(
    "name",
    ["Phone number", "Telephone", "Téléphone", "Tel", "TELEFON", "N° Téléphone", "workPhone", "mobile_phone"],
)
def test_a_phone_is_known_by_its_many_names(name: str) -> None:
    assert suggest([column("Name"), column(name)], [PHONE]) == [Pair("Name", None), Pair(name, "phone")]


def test_a_column_of_phones_without_a_telling_name_fills_the_phone() -> None:
    assert suggest([column("Main", FieldType.PHONE)], [PHONE]) == [Pair("Main", "phone")]


def test_a_telling_name_beats_a_column_of_phones() -> None:
    columns = [column("Fax", FieldType.PHONE), column("Telephone", FieldType.PHONE)]
    assert suggest(columns, [PHONE]) == [Pair("Fax", None), Pair("Telephone", "phone")]


def test_key_and_label_match_whatever_their_accents_case_and_punctuation() -> None:
    fields = [Field("code_departement", "Département", FieldType.TEXT), NAME]
    assert suggest([column("DÉPARTEMENT"), column("NAME")], fields) == [
        Pair("DÉPARTEMENT", "code_departement"),
        Pair("NAME", "name"),
    ]
    assert suggest([column("Code-Département")], fields) == [Pair("Code-Département", "code_departement")]


def test_synonyms_and_addresses_match() -> None:
    city = Field("city", "City", FieldType.TEXT)
    columns = [column("Ville"), column("Kontakt", FieldType.EMAIL), column("???")]
    assert suggest(columns, [EMAIL, city]) == [
        Pair("Ville", "city"),
        Pair("Kontakt", "email"),
        Pair("???", None),
    ]


def test_no_field_is_suggested_twice() -> None:
    pairs = suggest([column("Phone"), column("phone"), column("Tel")], [PHONE])
    assert [pair.field for pair in pairs] == ["phone", None, None]


def test_a_checked_mapping_knows_the_field_of_each_column() -> None:
    pairs = [Pair("Tel", "phone"), Pair("Who", "name"), Pair("Other", None)]
    mapping = check_mapping(pairs, ["Who", "Other", "Rest", "Tel"], [PHONE, NAME], "phone")
    assert mapping.fields == (NAME, None, None, PHONE)
    assert (mapping.phone, mapping.duplicate) == (PHONE, PHONE)


def test_the_duplicate_field_may_be_another_than_the_phone() -> None:
    pairs = [Pair("Tel", "phone"), Pair("Siret", "siret")]
    mapping = check_mapping(pairs, ["Tel", "Siret"], [SIRET, PHONE], "siret")
    assert (mapping.phone, mapping.duplicate) == (PHONE, SIRET)


def test_phone_names_the_phone_field_whatever_its_key() -> None:
    telephone = Field("telephone", "Telephone", FieldType.PHONE)
    assert check_mapping([Pair("T", "telephone")], ["T"], [NAME, telephone], "phone").duplicate is telephone


REQUIRED = Field("city", "City", FieldType.TEXT, required=True)


@pytest.mark.parametrize(
    ("pairs", "fields", "duplicate", "path"),
    [
        ([Pair("Nothing", "phone")], [PHONE], "phone", ("mapping", "0", "column")),
        ([Pair("Tel", "phone"), Pair("Tel", None)], [PHONE], "phone", ("mapping", "1", "column")),
        ([Pair("Tel", "nothing")], [PHONE], "phone", ("mapping", "0", "field")),
        ([Pair("Tel", "phone"), Pair("Who", "phone")], [PHONE], "phone", ("mapping", "1", "field")),
        ([Pair("Tel", "phone")], [PHONE, REQUIRED], "phone", ("mapping",)),
        ([Pair("Who", "siret")], [PHONE, SIRET], "siret", ("mapping",)),
        ([Pair("Tel", "phone")], [PHONE], None, ("duplicateField",)),
        ([Pair("Tel", "phone")], [PHONE], "nothing", ("duplicateField",)),
        ([Pair("Tel", "phone"), Pair("Who", "name")], [PHONE, NAME], "name", ("duplicateField",)),
        ([Pair("Tel", "phone")], [PHONE, SIRET], "siret", ("duplicateField",)),
    ],
)
def test_an_impossible_mapping_is_refused_where_it_is_wrong(
    pairs: list[Pair], fields: list[Field], duplicate: str | None, path: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput) as refused:
        check_mapping(pairs, ["Tel", "Who"], fields, duplicate)
    assert refused.value.field == path


def test_a_refusal_lists_the_columns_that_there_are_as_many_as_are_read() -> None:
    with pytest.raises(BadInput, match="it has “c0”, .*“c49” and 2 more"):
        check_pairs([Pair("Who", "name")], [f"c{number}" for number in range(52)], [NAME])


def test_what_is_missing_is_said_at_submission_only() -> None:
    assert check_pairs([Pair("Who", "name")], ["Who"], [NAME, REQUIRED]) == {"Who": NAME}


def test_a_saved_mapping_fits_columns_whatever_their_case_accents_and_signs() -> None:
    saved = {"Téléphone": "phone", "First name": "first", "gone": "first", "Old": "retired"}
    fields = [Field("phone", "Phone", FieldType.PHONE), Field("first", "First", FieldType.TEXT)]
    pairs, unfit = fitted(saved, ["TELEPHONE", "first_name", "old"], fields)
    assert pairs == [Pair("TELEPHONE", "phone"), Pair("first_name", "first")]
    assert unfit == [
        Unfit("gone", "first", "the file has no such column"),
        Unfit("Old", "retired", "the template has no such field"),
    ]


def test_a_saved_mapping_prefers_the_column_of_exactly_its_name_and_takes_none_twice() -> None:
    fields = [Field("phone", "Phone", FieldType.PHONE), Field("first", "First", FieldType.TEXT)]
    pairs, unfit = fitted({"Tel": "phone", "TEL": "first"}, ["tel", "Tel"], fields)
    assert pairs == [Pair("Tel", "phone"), Pair("tel", "first")]
    assert unfit == []
    pairs, unfit = fitted({"Tel": "phone", "TEL": "first"}, ["tel"], fields)
    assert pairs == [Pair("tel", "phone")]
    assert unfit == [Unfit("TEL", "first", "the file has no such column")]


def test_a_mapping_is_saved_only_if_a_file_could_have_it() -> None:
    fields = [Field("phone", "Phone", FieldType.PHONE)]
    assert check_saved([Pair("Tel", "phone"), Pair("Note", None)], fields) == {"Tel": "phone"}
    for wrong in (
        [],
        [Pair("Tel", None)],
        [Pair("", "phone")],
        [Pair("x" * 1_001, "phone")],
        [Pair("Tel", "fax")],
    ):
        with pytest.raises(BadInput):
            check_saved(wrong, fields)
