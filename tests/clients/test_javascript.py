"""What published JavaScript clients see of the server."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import SETTINGS, Demo
from tests.clients.javascript import PACKAGES, SCRIPTS, JavaScript

SCHEMA = SCRIPTS.parent.parent / "schema.graphql"
World = dict[str, Any]


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in (SCRIPTS / "package-lock.json").read_text()


def test_the_audit_of_graphql_over_http_finds_no_fault(javascript: JavaScript, world: World) -> None:
    results = javascript.call("audit", "audit", **world)

    demands = [result for result in results if result["name"].startswith(("MUST", "SHOULD"))]
    assert [result for result in demands if result["status"] != "ok"] == []
    assert len(demands) >= 36


@pytest.mark.parametrize("module", ["graphql_ws", "graphql_sse"])
def test_a_query_and_a_mutation_are_answered(javascript: JavaScript, world: World, module: str) -> None:
    answers = javascript.call(module, "queryAndMutation", **world)

    assert answers["query"]["data"]["segment"]["id"] == world["segment"]
    update = {"counts": {"joined": 1}}
    assert answers["mutation"]["data"]["addLeadsToSegments"] == {"updates": [update], "userErrors": []}


def test_a_subscription_over_a_socket_that_is_cut_goes_on_without_a_gap_or_a_repetition(
    javascript: JavaScript, world: World
) -> None:
    seen = javascript.call("graphql_ws", "resumesAfterACut", **world)

    assert seen == {"joined": world["leads"], "sockets": 2}


def test_a_subscription_over_an_event_stream_that_is_cut_goes_on_without_a_gap_or_a_repetition(
    javascript: JavaScript, world: World
) -> None:
    seen = javascript.call("graphql_sse", "resumesAfterACut", **world)

    assert seen == {"joined": world["leads"], "connections": 2}


def test_an_event_source_that_is_cut_goes_on_behind_the_last_id_it_saw(
    javascript: JavaScript, world: World
) -> None:
    seen = javascript.call("graphql_sse", "eventSourceResumesAfterACut", **world)

    assert seen["joined"] == world["leads"]
    assert seen["sent"] == [None, seen["ids"][0]]


def test_what_is_refused_comes_to_the_socket_client_as_errors_of_the_operation(
    javascript: JavaScript, demo: Demo, world: World
) -> None:
    codes = {
        role: [
            (ended.get("refused") or ended["errors"])[0]["extensions"]["code"]
            for ended in javascript.call("graphql_ws", "refused", **{**world, "token": token})
        ]
        for role, token in (("nobody", None), ("agent", demo.tokens["agent"]))
    }

    assert codes == {
        "nobody": ["BAD_USER_INPUT", "UNAUTHENTICATED", "UNAUTHENTICATED"],
        "agent": ["BAD_USER_INPUT", "FORBIDDEN", "NOT_FOUND"],
    }


def test_the_socket_client_is_told_how_it_broke_the_protocol(javascript: JavaScript, world: World) -> None:
    closes = javascript.call("graphql_ws", "closes", **world)

    assert {offence: close["code"] for offence, close in closes.items()} == {
        "malformed": 4400,
        "subscribesFirst": 4401,
        "wrongToken": 4403,
        "neverInitialises": 4408,
        "sameIdTwice": 4409,
        "initialisesTwice": 4429,
    }
    assert all(close["reason"] for close in closes.values())


def test_one_socket_too_many_of_a_token_is_closed(javascript: JavaScript, demo: Demo, world: World) -> None:
    limit = int(SETTINGS["LEADGRAPH_MAX_SOCKETS_PER_TOKEN"])
    told = {**world, "token": demo.tokens["manager"], "limit": limit}

    assert javascript.call("graphql_ws", "tooManySockets", **told)["code"] == 4429


def test_urql_with_its_defaults_runs_every_kind_of_operation(javascript: JavaScript, world: World) -> None:
    seen = javascript.call("urql", "everyOperation", **world)

    assert seen["query"]["segment"]["id"] == world["segment"]
    assert seen["mutation"]["addLeadsToSegments"]["userErrors"] == []
    assert seen["joined"] == world["leads"][:1]
    assert seen["requests"] == ["GET", "POST"]


def test_urql_finds_the_code_of_a_refusal(javascript: JavaScript, demo: Demo, world: World) -> None:
    refusal = javascript.call("urql", "refusal", **{**world, "token": demo.tokens["agent"]})

    assert refusal == {"codes": ["FORBIDDEN"], "network": None}


def test_the_printed_schema_is_valid_for_graphql_js(javascript: JavaScript) -> None:
    read = javascript.call("schema", "read", file=str(SCHEMA))

    inputs = set(re.findall(r"^input (\w+) @oneOf", SCHEMA.read_text(), re.MULTILINE))
    assert read["problems"] == []
    assert set(read["oneOf"]) == inputs


def test_relays_compiler_accepts_the_conventions_of_the_schema(
    javascript: JavaScript, tmp_path: Path
) -> None:
    """Connections that page, types that are fetched again by `node`, mutations and subscriptions."""
    shutil.copytree(SCRIPTS / "relay", tmp_path / "relay")
    shutil.copy(SCHEMA, tmp_path)
    settings = {"src": "./relay", "schema": "./schema.graphql", "language": "javascript"}
    (tmp_path / "relay.config.json").write_text(json.dumps(settings))

    done = subprocess.run(
        [javascript.node, PACKAGES / "relay-compiler" / "cli.js"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    made = {path.stem for path in (tmp_path / "relay" / "__generated__").iterdir()}
    assert {"boardSegmentsPage.graphql", "boardMembersPage.graphql"} <= made
