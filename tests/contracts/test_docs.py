"""The documents cover the code, and name nothing that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from graphql import build_schema, parse, validate

from core.access import FEATURES, Role
from core.errors import ErrorCode
from gql.__main__ import verbs
from gql.settings import Settings

REPOSITORY = Path(__file__).parent.parent.parent
DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
SETTINGS = {f"LEADGRAPH_{name.upper()}" for name in Settings.model_fields}
GRAPHQL_BLOCK = re.compile(r"^```graphql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")

EXAMPLES = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(GRAPHQL_BLOCK.findall(page.read_text()), 1)
]


def first_cells(page: str) -> set[str]:
    """What the tables of a page list in back-ticks in their first column."""
    return set(re.findall(r"^\| `([^`]+)` \|", (DOCS / page).read_text(), re.MULTILINE))


def names_of(commands: typer.Typer, before: str = "") -> Iterator[str]:
    for command in commands.registered_commands:
        written = command.name or str(getattr(command.callback, "__name__", None)).replace("_", "-")
        yield before + written
    for group in commands.registered_groups:
        assert group.typer_instance is not None
        yield from names_of(group.typer_instance, f"{before}{group.name} ")


def test_every_verb_of_the_command_line_is_in_the_table_and_nothing_else() -> None:
    assert first_cells("operations.md") == set(names_of(verbs))


def test_every_setting_is_in_the_table_and_nothing_else() -> None:
    assert first_cells("settings.md") == SETTINGS


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    named = {name for page in PAGES for name in re.findall(r"LEADGRAPH_[A-Z_]*[A-Z]", page.read_text())}
    assert named <= SETTINGS


def test_the_table_of_permissions_is_the_one_in_core() -> None:
    rows = [
        f"| `{each.permission.name}` | {each.meaning} | {', '.join(r for r in Role if r in each.roles)} |"
        for each in FEATURES
    ]
    page = (DOCS / "permissions.md").read_text()
    assert re.findall(r"^\| `.*$", page, re.MULTILINE) == rows


def test_every_error_code_is_in_the_table_and_nothing_else() -> None:
    assert first_cells("errors.md") == {code.value for code in ErrorCode}


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_graphql_example_is_valid_against_the_schema(example: str) -> None:
    schema = build_schema((REPOSITORY / "schema.graphql").read_text())
    assert validate(schema, parse(example)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_to_a_file_leads_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def test_every_test_that_the_threat_model_names_is_there() -> None:
    named = re.findall(
        r"`((?:core|db|gql|properties|scenarios)/test_\w+\.py)`", (DOCS / "security.md").read_text()
    )
    assert len(named) > 20
    assert [name for name in named if not (REPOSITORY / "tests" / name).exists()] == []
