"""Laws of shuffling a pool."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from core.lead_pool import as_imported, shuffled

SEEDS = st.text(min_size=1, max_size=64)
POOLS = st.dictionaries(st.integers(1, 2**62), st.none() | st.integers(1, 2**31 - 1), max_size=60)


@given(SEEDS, POOLS)
def test_a_shuffle_is_a_permutation(seed: str, pool: dict[int, int | None]) -> None:
    assert sorted(shuffled(seed, pool.items())) == sorted(pool)
    assert sorted(as_imported(pool.items())) == sorted(pool)


@given(SEEDS, POOLS, st.randoms())
def test_a_shuffle_is_reproducible_whatever_order_the_pool_was_in(
    seed: str, pool: dict[int, int | None], chance: Random
) -> None:
    other_order = list(pool.items())
    chance.shuffle(other_order)
    assert shuffled(seed, other_order) == shuffled(seed, pool.items())
    assert as_imported(other_order) == as_imported(pool.items())


@given(SEEDS, POOLS)
def test_leads_that_stay_keep_their_order_when_others_are_deleted(
    seed: str, pool: dict[int, int | None]
) -> None:
    staying = {lead: line for lead, line in pool.items() if lead % 2}
    expected = [lead for lead in shuffled(seed, pool.items()) if lead in staying]
    assert shuffled(seed, staying.items()) == expected
