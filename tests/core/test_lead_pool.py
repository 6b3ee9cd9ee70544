"""What lead pools are: their status, the order of their leads, which filters name them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.calling import PoolFacts
from core.errors import BadInput
from core.lead_pool import (
    MAX_SEED,
    PoolColumn,
    PoolStatus,
    as_imported,
    checked_columns,
    checked_seed,
    shuffled,
    status_of_pool,
    uses_pool,
)
from gql.schema.ids import opaque

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON, BEFORE = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
LEADS = [(lead, lead + 1) for lead in range(1, 101)]
NOTHING: dict[str, Any] = {"leadPools": [], "rule": None}


@pytest.mark.parametrize(
    ("pool", "status"),
    [
        (PoolFacts(), PoolStatus.ACTIVE),
        (PoolFacts(active_from=BEFORE, active_until=SOON), PoolStatus.ACTIVE),
        (PoolFacts(active_from=NOW), PoolStatus.ACTIVE),
        (PoolFacts(active_from=SOON), PoolStatus.SCHEDULED),
        (PoolFacts(active_until=NOW), PoolStatus.EXPIRED),
        (PoolFacts(active_from=BEFORE, active_until=BEFORE), PoolStatus.EXPIRED),
        (PoolFacts(active=False), PoolStatus.INACTIVE),
        (PoolFacts(active=False, active_from=SOON), PoolStatus.INACTIVE),
    ],
)
def test_a_pool_is_active_when_it_is_switched_on_and_within_its_dates(
    pool: PoolFacts, status: PoolStatus
) -> None:
    assert status_of_pool(pool, NOW) is status


def test_a_shuffle_is_another_order_than_the_upload_and_another_for_another_seed() -> None:
    assert shuffled("a", LEADS) != as_imported(LEADS)
    assert shuffled("a", LEADS) != shuffled("b", LEADS)


def test_a_shuffle_does_not_hang_on_ids_where_leads_have_lines() -> None:
    lines_of_later = {lead + 1_000: line for lead, line in LEADS}
    again = shuffled("a", lines_of_later.items())
    assert [lead - 1_000 for lead in again] == shuffled("a", LEADS)


def test_leads_without_a_line_are_shuffled_too_and_come_last_as_imported() -> None:
    assert as_imported([(7, None), (3, 5), (4, 2), (1, None)]) == [4, 3, 1, 7]
    assert sorted(shuffled("a", [(7, None), (3, 5), (1, None)])) == [1, 3, 7]


@pytest.mark.parametrize("seed", ["", "x" * (MAX_SEED + 1), "a\x00"])
def test_a_seed_of_an_impossible_length_is_refused(seed: str) -> None:
    with pytest.raises(BadInput):
        checked_seed(seed)
    assert checked_seed("x" * MAX_SEED) == "x" * MAX_SEED


def test_a_view_names_each_column_once() -> None:
    assert checked_columns([PoolColumn.NAME, PoolColumn.CALLS]) == ["name", "calls"]
    with pytest.raises(BadInput):
        checked_columns([PoolColumn.NAME, PoolColumn.NAME])


def test_a_filter_uses_a_pool_that_it_draws_from_or_that_its_rule_names() -> None:
    names_7 = {"field": "lead.pool", "operator": "in", "value": [opaque("LeadPool", 1, 7)]}
    listed = {"field": "lead.pool", "operator": "in", "value": f"{opaque('LeadPool', 1, 9)}, x"}
    assert not uses_pool(None, 1, 7)
    assert not uses_pool(NOTHING, 1, 7)
    assert uses_pool({**NOTHING, "leadPools": [7]}, 1, 7)
    assert uses_pool({**NOTHING, "rule": {"combinator": "and", "rules": [names_7]}}, 1, 7)
    assert uses_pool({**NOTHING, "rule": {"combinator": "and", "rules": [listed]}}, 1, 9)
    assert not uses_pool({**NOTHING, "rule": {"combinator": "and", "rules": [names_7]}}, 1, 9)
    assert not uses_pool({**NOTHING, "rule": {"combinator": "and", "rules": [names_7], "not": True}}, 2, 7)
