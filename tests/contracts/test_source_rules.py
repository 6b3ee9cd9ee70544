"""Rules of the source that no linter knows; each names the places that may."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent

# In pieces, so that this file does not name what it looks for.
REGISTRIES = re.compile("py" r"pi\.org|python" r"hosted\.org|npm" r"js\.(?:com|org)")
HOME_PATHS = re.compile(r"(?<![\w.])/(?:ro" r"ot|home/\w+|Users/\w+|wo" r"rk)/\w")


def calls(*packages: str) -> Iterator[tuple[str, str]]:
    """Every call in the packages as (file, dotted name of what is called)."""
    for package in packages:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield path.relative_to(REPOSITORY).as_posix(), ast.unparse(node.func)


def places(pattern: str, *packages: str) -> set[str]:
    return {file for file, name in calls(*packages) if re.search(pattern, name)}


def tracked_texts() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        path = REPOSITORY / name
        if path.is_file() and not name.endswith((".csv", ".min.js", ".min.css")):
            yield name, path.read_text(errors="replace")


def test_a_scope_is_made_by_authz_alone() -> None:
    assert places(r"(^|\.)Scope$", "core", "db", "gql") <= {"gql/authz/scope.py"}


def test_a_transaction_is_committed_by_the_database_alone() -> None:
    migrating = {"db/migrate.py"}  # its transaction is around statements that no session may run
    assert places(r"\.commit$", "core", "db", "gql") <= {"db/database.py"} | migrating


def test_statements_are_built_in_db_alone() -> None:
    assert places(r"(^|\.)select$", "core", "gql") == set()


def writers_of_leads(*statements: str) -> set[str]:
    """The files with such a statement on the table of leads."""
    return {
        path.relative_to(REPOSITORY).as_posix()
        for package in ("db", "gql")
        for path in (REPOSITORY / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in statements
        and "Lead" in [ast.unparse(argument) for argument in node.args]
    }


def test_leads_are_written_in_bulk_only_where_they_are_counted() -> None:
    """Wrap such a statement in `db.lead_counts.counting`, or else say with `note_leads` what it did."""
    only_leases = {"db/commands/call_session.py"}
    assert writers_of_leads("insert", "update", "delete", "bulk_insert") == only_leases | {
        "db/commands/import_undo.py",
        "db/commands/lead.py",
        "db/commands/lead_claim.py",
        "db/commands/lead_import.py",
    }


def test_automation_hears_of_leads_that_are_written_in_bulk() -> None:
    """Say with `db.lead_changes.note_changed` which they are."""
    only_leases = {"db/commands/call_session.py", "db/commands/lead_claim.py"}
    telling = places(r"^note_changed$", "db")
    assert writers_of_leads("insert", "update", "bulk_insert") - only_leases <= telling


def test_the_clock_is_read_at_the_edge_alone() -> None:
    assert places(r"(^|\.)(datetime\.now|utcnow|today|time\.time)$", "core", "db") == set()


@pytest.mark.parametrize("pattern", [REGISTRIES, HOME_PATHS], ids=["registry addresses", "home paths"])
def test_tracked_files_name_nothing_of_one_machine(pattern: re.Pattern[str]) -> None:
    assert [name for name, text in tracked_texts() if pattern.search(text)] == []
