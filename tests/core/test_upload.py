"""What inspecting a file finds, and the settings of an import."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson
import pytest

from core.csv_file import Dialect
from core.errors import BadInput, TooLarge
from core.field_mapping import Column
from core.fields import FieldType, Locale
from core.import_accounts import DuplicateAction, DuplicateRule, DuplicateScope
from core.lead_spread import Spread
from core.upload import (
    ImportSettings,
    check_begin,
    check_settings,
    column_from,
    column_record,
    inspect,
    settings_from,
)

DENMARK = Locale("DK", ZoneInfo("Europe/Copenhagen"))
COMMA = Dialect("utf-8", ",", has_header=True)
MONDAY, TUESDAY = datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)


def test_columns_come_with_their_first_different_values_and_a_guess() -> None:
    rows = "".join(f"{number % 7},{'x' * 300},\n" for number in range(50))
    columns = inspect([f"Count,Long,Empty\n1,2\n{rows}".encode()], COMMA, DENMARK, max_columns=3)
    assert columns == [
        Column("Count", ("0", "1", "2", "3", "4"), FieldType.INTEGER),
        Column("Long", ("x" * 120,), FieldType.TEXT),
        Column("Empty", (), FieldType.TEXT),
    ]
    assert [column_from(column_record(column)) for column in columns] == columns


def test_an_empty_file_and_one_with_too_many_columns_are_refused() -> None:
    with pytest.raises(BadInput):
        inspect([b""], COMMA, DENMARK, max_columns=3)
    with pytest.raises(TooLarge):
        inspect([b"a,b,c,d\n"], COMMA, DENMARK, max_columns=3)


@pytest.mark.parametrize(
    "settings",
    [
        ImportSettings("Pool"),
        ImportSettings(
            "Pool",
            "d",
            3,
            MONDAY,
            TUESDAY,
            owner_team_ids=(4, 9),
            spread=Spread(2, 5, (540, 1440)),
            duplicate_field="phone",
            duplicates=DuplicateRule(DuplicateScope.ALL, DuplicateAction.REMOVE, True, True, False),
        ),
    ],
)
def test_settings_come_back_from_their_record(settings: ImportSettings) -> None:
    assert settings_from(orjson.loads(orjson.dumps(settings.record()))) == settings


def test_settings_that_contradict_themselves_are_refused() -> None:
    path = ("input", "settings")
    check_settings(ImportSettings("Pool", active_from=MONDAY, active_until=TUESDAY, owner_user_id=1), path)
    for wrong, name in [
        (ImportSettings("P", active_from=TUESDAY, active_until=TUESDAY), "activeUntil"),
        (ImportSettings("P", active_from=TUESDAY.replace(tzinfo=None)), "activeFrom"),
        (ImportSettings("P", owner_user_id=1, owner_team_ids=(1,)), "ownerTeamIds"),
        (ImportSettings("P", owner_team_ids=tuple(range(51))), "ownerTeamIds"),
    ]:
        with pytest.raises(BadInput) as refused:
            check_settings(wrong, path)
        assert refused.value.field == (*path, name)


def test_a_file_that_begins_as_a_spreadsheet_does_is_refused_and_a_table_is_not() -> None:
    check_begin(b"name,phone\n")
    for begin in (b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00"):
        with pytest.raises(BadInput, match="Excel"):
            check_begin(begin)
