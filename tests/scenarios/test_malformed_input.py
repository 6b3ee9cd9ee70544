"""Input that nobody sends by mistake is refused as the caller's fault, on a real server."""

from base64 import urlsafe_b64encode

import orjson
import pytest

from tests.conftest import Connect
from tests.server import Installation, Server

pytestmark = pytest.mark.anyio

LISTS = ["segments", "segmentGroups", "campaigns", "users", "projects", "changeLog", "jobs"]
FORGED: list[object] = [
    [{"a": 1}],
    ["x"],
    [2**63],
    [1.5],
    [True],
    [None],
    ["2020-01-01", 1],
    [],
    "x",
    5,
    [[1]],
]
STRINGS = [
    "query($text: String!) { campaign(code: $text) { id } }",
    "query($text: String!) { changeLog(objectType: $text) { nodes { id } } }",
    """mutation($text: String!) {
      createUser(input: {name: "n", email: $text}) { userErrors { message } } }""",
]


def cursor(key: object) -> str:
    return urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


async def test_a_forged_cursor_and_a_nul_in_a_string_are_the_callers_fault(
    installation: Installation, server: Server, connect: Connect
) -> None:
    token = installation.run("organisation", "create", "Acme", "--admin", "a@acme.example").split()[-1]
    admin = await connect(server.url, token)

    async def refused(query: str, **variables: str) -> None:
        [error] = (await admin.post(query, **variables)).json()["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT", (query, variables, error)

    for name in LISTS:
        query = f"query($after: String) {{ {name}(first: 1, after: $after) {{ nodes {{ id }} }} }}"
        for key in FORGED:
            await refused(query, after=cursor(key))
    for query in STRINGS:
        await refused(query, text="a\x00@b.example")
    await refused('{ campaign(code: "a\\u0000") { id } }')
    await refused('{ campaign(code: "a\\u{0}") { id } }')
