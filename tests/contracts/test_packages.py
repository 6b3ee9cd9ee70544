"""The three top-level packages are ours: the names `gql`, `core` and `db` are taken elsewhere."""

from importlib.metadata import distributions
from pathlib import Path

import pytest

import core
import db
import gql

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("package", [core, db, gql], ids=lambda package: package.__name__)
def test_the_package_that_is_imported_lies_in_this_repository(package: object) -> None:
    assert Path(str(getattr(package, "__file__", None))).parent.parent == REPOSITORY


def test_no_installed_distribution_brings_a_package_of_our_names() -> None:
    names = {"core", "db", "gql"}
    taken = {
        distribution.name
        for distribution in distributions()
        for file in distribution.files or ()
        if file.parts[0] in names and len(file.parts) > 1
    }
    assert taken == set()
