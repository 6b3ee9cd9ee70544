import pytest

from core.references import read_reference, reference_of


def test_an_opaque_id_gives_its_number_to_its_own_noun_and_organisation_only() -> None:
    assert read_reference("TGVhZFBvb2w6MTo3", "LeadPool", 1) == 7
    assert read_reference("TGVhZFBvb2w6MTo3", "Campaign", 1) is None
    assert read_reference("TGVhZFBvb2w6MTo3", "LeadPool", 2) is None


@pytest.mark.parametrize(
    "text",
    ["", "7", "é", "LeadPool:1:7", "TGVhZFBvb2w6MTo3====", "TGVhZFBvb2w6MTp4", "gICA", "TGVh!ZFBvb2w6MTo3"],
)
def test_anything_else_is_no_reference(text: str) -> None:
    assert read_reference(text, "LeadPool", 1) is None


def test_an_opaque_id_gives_its_noun_and_number_in_its_own_organisation_only() -> None:
    assert reference_of("TGVhZFBvb2w6MTo3", 1) == ("LeadPool", 7)
    for text, organisation_id in [("TGVhZFBvb2w6MTo3", 2), ("7", 1), ("é", 1), ("TGVhZFBvb2w6MTp4", 1)]:
        assert reference_of(text, organisation_id) is None
