"""Files from before Unicode, told apart by their letters."""

import pytest

from core.legacy_encoding import legacy_encoding


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp1252", "Name;Ort;Fläche\nMüller;Köln;12 m³\nGroß;Düsseldorf;5 dm³\n"),
        ("cp1252", "nom;ville\nÉole;Besançon\nZoë;Orléans\n"),
        ("cp1252", "nombre;nota\nJosé;¿Qué tal?\nMaría;Hola¿Qué\n"),
        ("cp1252", "name;revenue £m;¼\nAnn;£12;£ten\n"),
        ("cp1250", "Telefon;Nazwa;Miasto\n501234567;Łukasz Żółć;Łódź\n501234568;Świętosława;Gdańsk\n"),
        ("cp1250", "name;phone\nPaweł Nowak;501234567\nAnna Nowak;501234568\n"),
        ("cp1250", "name;city\nPiotr;Kraków\nJan;Poznań\nAnna;Łódź\n"),
        ("cp1250", "jméno;město\nDvořák;Třebíč\nŠťastný;Plzeň\n"),
        ("cp1251", "имя;телефон\nАнна Иванова;12345\nПётр Петров;12346\n"),
        ("cp1253", "Τηλέφωνο;Όνομα\r\n2101234567;Γιώργος Παπαδόπουλος\r\n"),
        ("cp932", "電話;名前\n0312345678;山田太郎\n0312345679;鈴木花子\n"),
    ],
)
def test_a_file_is_read_as_it_was_written(codec: str, text: str) -> None:
    assert text.encode(codec).decode(legacy_encoding(text.encode(codec))) == text


@pytest.mark.parametrize("sample", [b"A\x81se", b"Micha\xb3 \x81", b"\x81\x8d\x90"])
def test_what_no_code_page_has_is_read_as_latin_1_or_by_its_statistics(sample: bytes) -> None:
    assert sample.decode(legacy_encoding(sample), "replace")


def test_a_sign_that_one_code_page_alone_has_is_enough() -> None:
    assert legacy_encoding(b"A\x81se") == "latin-1"
    assert legacy_encoding(b"A\x9dse") == "cp1250"
    assert legacy_encoding(b"Micha\xb3 and \x83 and \xe9") == "cp1252"
