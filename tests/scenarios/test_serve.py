"""The process as operators and clients meet it: start, readiness, logs, stop."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import anyio
import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.conftest import Connect
from tests.server import Installation, Server, answering, free_port

pytestmark = pytest.mark.anyio

SECRET = "lg_1_1_" + "s" * 43


async def test_typed_at_a_terminal_it_serves_from_a_new_folder_until_ctrl_c(
    tmp_path: Path, tls: ssl.SSLContext
) -> None:
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEADGRAPH_")}
    typed = await anyio.open_process(
        [sys.executable, "-m", "gql", "serve", "--port", str(port)],
        env={**inherited, "LEADGRAPH_DATA_DIR": str(tmp_path / "data")},
        stderr=subprocess.PIPE,
    )
    assert typed.stderr is not None
    async with typed:
        assert await answering(f"http://127.0.0.1:{port}", tls, lambda: typed.returncode is None)
        typed.send_signal(signal.SIGINT)
        log = b"".join([piece async for piece in typed.stderr])
    assert b"Traceback" not in log
    assert (tmp_path / "data" / "leadgraph.db").exists()


async def test_a_stopping_server_closes_sockets_with_1001_and_ends(server: Server, connect: Connect) -> None:
    client = await connect(server.url)
    async with client.socket() as socket:
        server.terminate()
        with pytest.raises(ConnectionClosed):
            await socket.receive()
        assert socket.connection.close_code == 1001
    assert server.stop() is not None
    assert not server.running()


async def test_log_lines_are_json_with_a_request_id_and_without_secrets(
    server: Server, connect: Connect
) -> None:
    client = await connect(server.url)
    answer = await client.http.post(
        "/graphql",
        json={"query": "{ segmentGroups { totalCount } }"},
        headers={"Authorization": f"Bearer {SECRET}", "X-Request-Id": "request-of-a-test"},
    )
    assert answer.headers["x-request-id"] == "request-of-a-test"
    server.stop()
    lines = [json.loads(line) for line in server.output().splitlines()]
    requests = [line for line in lines if line.get("request_id") == "request-of-a-test"]
    assert [line["path"] for line in requests] == ["/graphql"]
    assert SECRET not in server.output()


async def test_an_unknown_token_is_unauthenticated_over_both_transports(
    server: Server, connect: Connect
) -> None:
    client = await connect(server.url, SECRET)
    answer = await client.post("{ segmentGroups { totalCount } }")
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAUTHENTICATED"]
    with pytest.raises(ConnectionClosed):
        async with client.socket():
            pass


async def test_a_foreign_host_name_is_refused(server: Server, connect: Connect) -> None:
    client = await connect(server.url)
    answer = await client.http.get("/healthz", headers={"Host": "rebound.example"})
    assert answer.status_code == httpx.codes.BAD_REQUEST


def test_development_does_not_listen_on_an_open_address(installation: Installation) -> None:
    with pytest.raises(RuntimeError, match="LEADGRAPH_ENV must be production"):
        installation.run("serve", "--host", "0.0.0.0")


def test_a_port_that_is_taken_is_named_before_anything_is_promised(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken = str(listening.getsockname()[1])
        verb = installation.spawn("serve", "--demo", "--port", taken)
        verb.process.join()

    assert verb.process.exitcode == 1
    assert f"Cannot listen on port {taken} of 127.0.0.1" in verb.errors()
    assert "--port 8001" in verb.errors()
    assert verb.output() == ""


def test_doctor_finds_a_migrated_installation_healthy(installation: Installation) -> None:
    installation.run("migrate")
    report = installation.run("doctor")
    assert [line.split()[0] for line in report.splitlines()] == ["ok", "ok", "ok"]


def test_doctor_names_what_to_do_without_a_database(tmp_path: Path) -> None:
    missing = Installation(f"sqlite+aiosqlite:///{tmp_path}/nowhere/at/all.db", tmp_path)
    with pytest.raises(RuntimeError, match="LEADGRAPH_DATABASE_URL"):
        missing.run("doctor")


def test_the_printed_schema_is_the_committed_one(installation: Installation) -> None:
    assert installation.run("schema") == Path("schema.graphql").read_text()


def test_doctor_names_a_misspelt_setting(database_url: str, tmp_path: Path) -> None:
    misspelt = Installation(database_url, tmp_path, {"LEADGRAPH_DATABSE_URL": "x"})
    misspelt.run("migrate")
    with pytest.raises(RuntimeError, match="LEADGRAPH_DATABSE_URL is no setting"):
        misspelt.run("doctor")
