"""The last step of a filter."""

from zoneinfo import ZoneInfo

import pytest

from core.errors import BadInput
from core.field_catalogue import catalogue_of
from core.fields import Field, FieldType
from core.segment_pick import PLACES, Pick, check_pick, place_in_draw

FIELDS = [Field("beds", "Beds", FieldType.INTEGER), Field("vip", "VIP", FieldType.BOOLEAN)]
CATALOGUE = catalogue_of(1, ZoneInfo("UTC"), FIELDS, statuses=(), results=())


def test_a_draw_spreads_leads_evenly_and_the_same_seed_gives_the_same_places() -> None:
    pick = Pick(seed="autumn")
    places = [place_in_draw(number, pick) for number in range(1, 20_001)]
    assert places == [place_in_draw(number, Pick(seed="autumn", limit=3)) for number in range(1, 20_001)]
    assert (min(places) >= 0, max(places) < PLACES) == (True, True)
    for tenth in range(10):
        assert 1_800 < sum(tenth * 1_000 <= place < (tenth + 1) * 1_000 for place in places) < 2_200
    # Neighbours, which came in one file, are not drawn together.
    together = sum(one < 1_000 and other < 1_000 for one, other in zip(places, places[1:], strict=False))
    assert 140 < together < 260


def test_draws_of_other_seeds_are_independent() -> None:
    one, other = Pick(seed="one"), Pick(seed="other")
    both = sum(
        place_in_draw(number, one) < 5_000 and place_in_draw(number, other) < 5_000
        for number in range(1, 10_001)
    )
    assert 2_300 < both < 2_700


def test_a_pick_is_kept_as_it_was() -> None:
    pick = Pick("beds", descending=False, limit=5, first=100, beyond=200, seed="s")
    assert Pick.from_record(pick.record()) == pick


@pytest.mark.parametrize(
    "pick",
    [Pick(limit=1), Pick(limit=1_000_000, rank_by="beds"), Pick(beyond=1), Pick(first=9_000, rank_by="beds")],
)
def test_a_limit_or_a_share_makes_a_pick(pick: Pick) -> None:
    check_pick(pick, CATALOGUE, ("pick",))


@pytest.mark.parametrize(
    ("pick", "path"),
    [
        (Pick(), ("pick",)),
        (Pick(rank_by="beds"), ("pick",)),
        (Pick(limit=0), ("pick", "limit")),
        (Pick(limit=1_000_001), ("pick", "limit")),
        (Pick(first=5, beyond=5), ("pick",)),
        (Pick(first=-1), ("pick",)),
        (Pick(beyond=10_001), ("pick",)),
        (Pick(limit=1, seed="s" * 101), ("pick", "seed")),
        (Pick(limit=1, rank_by="vip"), ("pick", "rankBy")),
        (Pick(limit=1, rank_by="gone"), ("pick", "rankBy")),
    ],
)
def test_a_pick_that_says_nothing_or_cannot_be_is_refused(pick: Pick, path: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as refused:
        check_pick(pick, CATALOGUE, ("pick",))
    assert refused.value.field == path
