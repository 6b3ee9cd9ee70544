"""What callers may spend on operations."""

import ssl
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from core.budget import Budgets, Rate
from core.errors import RateLimited
from gql.settings import Settings
from tests.client import Client
from tests.conftest import Connect
from tests.demo import make_demo
from tests.server import Installation

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
RATE = Rate(capacity=100, per_second=10)


def test_a_budget_is_full_at_first_and_every_operation_takes_its_cost() -> None:
    budgets = Budgets()
    assert [budgets.spend("ann", cost, RATE, NOW) for cost in (30, 70, 0)] == [70, 0, 0]


def test_a_budget_refills_steadily_up_to_its_capacity() -> None:
    budgets = Budgets()
    budgets.spend("ann", 100, RATE, NOW)
    assert budgets.spend("ann", 5, RATE, NOW + timedelta(seconds=2)) == 15
    assert budgets.spend("ann", 1, RATE, NOW + timedelta(hours=1)) == 99


def test_what_costs_more_than_is_left_is_refused_and_takes_nothing() -> None:
    budgets = Budgets()
    budgets.spend("ann", 80, RATE, NOW)
    with pytest.raises(RateLimited) as refused:
        budgets.spend("ann", 50, RATE, NOW)
    assert refused.value.details == {"requested": 50, "left": 20, "limit": 100, "retryAfterSeconds": 3}
    assert budgets.spend("ann", 20, RATE, NOW) == 0
    assert budgets.spend("ann", 50, RATE, NOW + timedelta(seconds=5)) == 0


def test_callers_have_budgets_of_their_own() -> None:
    budgets = Budgets()
    budgets.spend("ann", 100, RATE, NOW)
    assert budgets.spend("bob", 100, RATE, NOW) == 0


def test_a_clock_that_is_set_back_neither_gives_nor_takes() -> None:
    budgets = Budgets()
    budgets.spend("ann", 50, RATE, NOW)
    assert budgets.spend("ann", 10, RATE, NOW - timedelta(hours=1)) == 40


def test_the_longest_unused_budget_is_forgotten_first() -> None:
    budgets = Budgets(remembered=2)
    for caller in ("ann", "bob", "ann", "cid"):
        budgets.spend(caller, 10, RATE, NOW)
    assert budgets.spend("ann", 0, RATE, NOW) == 80
    assert budgets.spend("bob", 0, RATE, NOW) == 100


def test_settings_refuse_a_budget_that_no_single_operation_fits_in() -> None:
    with pytest.raises(ValueError, match="LEADGRAPH_MAX_COST"):
        Settings(max_cost=50_000, token_budget=49_999)


TIGHT = {
    "LEADGRAPH_MAX_COST": "100",
    "LEADGRAPH_TOKEN_BUDGET": "100",
    "LEADGRAPH_TOKEN_BUDGET_PER_SECOND": "0.001",
}
UNREADABLE = {
    "LEADGRAPH_MAX_COST": "100",
    "LEADGRAPH_ADDRESS_BUDGET": "1000",
    "LEADGRAPH_ADDRESS_BUDGET_PER_SECOND": "0.001",
}
QUERY = {"query": "{ viewer { user { id name email } } }"}


async def test_an_answer_says_what_is_left_and_a_spent_budget_is_answered_with_429(
    installation: Installation, tls: ssl.SSLContext
) -> None:
    tokens = make_demo(installation)
    server = installation.serve(settings=TIGHT)
    await server.ready(tls)
    async with httpx.AsyncClient(trust_env=False, verify=tls, base_url=server.url) as client:

        async def ask(role: str) -> httpx.Response:
            headers = {
                "Authorization": f"Bearer {tokens[role]}",
                "Accept": "application/graphql-response+json",
            }
            return await client.post("/graphql", json=QUERY, headers=headers)

        first = (await ask("admin")).json()
        later = [await ask("admin") for _ in range(20)]
        other = (await ask("manager")).json()
    assert first["extensions"]["cost"] == {"requested": 5, "limit": 100, "left": 95}
    assert [answer.status_code for answer in later] == [200] * 19 + [429]
    assert later[-1].json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert int(later[-1].headers["retry-after"]) > 4_000
    assert other["extensions"]["cost"]["left"] == 95


async def test_documents_that_are_refused_are_paid_for_by_their_address_and_known_ones_are_read_for_nothing(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    server = installation.serve(settings=UNREADABLE)
    await server.ready(tls)
    client = await connect(server.url)
    for _ in range(20):
        assert await _code(client, "{ nothing }") == "BAD_USER_INPUT"
    for number in range(9):
        assert await _code(client, "{ " + "x" * 200 + f"{number} }}") == "BAD_USER_INPUT"
    for number in range(9):
        assert await _code(client, "{ " + "y" * 200 + f"{number} }}") == "RATE_LIMITED"
    assert await _code(client, "{ nothing }") == "BAD_USER_INPUT"
    async with client.socket() as socket:
        await socket.send(type="subscribe", id="1", payload={"query": "{ " + "z" * 200 + " }"})
        refusal = (await socket.expect("error"))["payload"][0]
    assert refusal["extensions"]["code"] == "RATE_LIMITED"


async def _code(client: Client, query: str) -> str:
    found: str = (await client.post(query)).json()["errors"][0]["extensions"]["code"]
    return found
