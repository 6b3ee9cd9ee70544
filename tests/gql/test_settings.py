"""What settings are refused, each by its name."""

import ssl
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from gql.settings import Settings
from tests.server import Installation

PROVIDER = {
    "oidc_issuer": "https://id.example",
    "oidc_audience": "leadgraph",
    "oidc_keys_url": "https://id.example/keys",
    "oidc_organisation": "Acme",
}
SAFE: list[dict[str, Any]] = [
    {},
    PROVIDER,
    {"metrics_token": "0123456789abcdef"},
    {"allowed_hosts": ["crm.example"], "allowed_origins": ["https://crm.example"]},
]
UNSAFE: list[tuple[dict[str, Any], str]] = [
    ({"allowed_hosts": ["*"]}, "LEADGRAPH_ALLOWED_HOSTS"),
    ({"allowed_origins": ["*"]}, "LEADGRAPH_ALLOWED_ORIGINS"),
    ({"allowed_origins": ["null"]}, "LEADGRAPH_ALLOWED_ORIGINS"),
    ({"allowed_origins": ["http://crm.example"]}, "LEADGRAPH_ALLOWED_ORIGINS"),
    ({"trusted_proxies": ["*"]}, "LEADGRAPH_TRUSTED_PROXIES"),
    ({**PROVIDER, "oidc_keys_url": "http://id.example/keys"}, "LEADGRAPH_OIDC_KEYS_URL"),
    ({**PROVIDER, "oidc_issuer": "http://id.example"}, "LEADGRAPH_OIDC_ISSUER"),
    ({"metrics_token": "short"}, "LEADGRAPH_METRICS_TOKEN"),
]


@pytest.mark.parametrize("given", SAFE)
def test_production_takes_what_is_safe_and_listens_anywhere(given: Mapping[str, Any]) -> None:
    assert Settings.model_validate({"env": "production", **given}).unsafe("0.0.0.0") == []


@pytest.mark.parametrize(("given", "name"), UNSAFE)
def test_production_refuses_what_is_unsafe_by_its_name_and_development_on_loopback_does_not(
    given: Mapping[str, Any], name: str
) -> None:
    problems = Settings.model_validate({"env": "production", **given}).unsafe("127.0.0.1")
    assert problems
    assert all(name in problem for problem in problems[:1])
    assert Settings(**given).unsafe("127.0.0.1") == []
    assert Settings(**given).unsafe("0.0.0.0") == ["LEADGRAPH_ENV must be production to listen on 0.0.0.0"]


def test_a_limit_or_time_of_nothing_is_refused() -> None:
    for name in ("max_body", "max_depth", "max_sockets_per_address", "connection_init_timeout", "token_days"):
        for value in (0, -1):
            with pytest.raises(ValueError, match=name):
                Settings.model_validate({name: value})


def test_an_unsafe_server_does_not_start_in_production(installation: Installation) -> None:
    installation = Installation(
        installation.database_url,
        installation.folder,
        {"LEADGRAPH_ENV": "production", "LEADGRAPH_ALLOWED_HOSTS": '["*"]'},
    )
    with pytest.raises(RuntimeError, match="LEADGRAPH_ALLOWED_HOSTS"):
        installation.run("serve")


async def test_only_a_trusted_proxy_says_where_somebody_comes_from(
    installation: Installation, tls: ssl.SSLContext
) -> None:
    tight = {
        "LEADGRAPH_MAX_COST": "100",
        "LEADGRAPH_ADDRESS_BUDGET": "100",
        "LEADGRAPH_ADDRESS_BUDGET_PER_SECOND": "0.001",
    }

    async def codes(*, trusted: bool) -> list[str]:
        """What is answered to as many as use up one address's budget, each from an address of its own."""
        proxies = {} if trusted else {"LEADGRAPH_TRUSTED_PROXIES": "[]"}
        server = installation.serve(settings={**tight, **proxies})
        await server.ready(tls)
        async with httpx.AsyncClient(trust_env=False, verify=tls, base_url=server.url) as client:
            answers = [
                await client.post(
                    "/graphql",
                    json={"query": "{ nothing" + "x" * 40 + f"{number} }}"},
                    headers={"X-Forwarded-For": f"192.0.2.{number}"},
                )
                for number in range(5)
            ]
        return [answer.json()["errors"][0]["extensions"]["code"] for answer in answers]

    assert await codes(trusted=True) == ["BAD_USER_INPUT"] * 5
    assert (await codes(trusted=False))[-1] == "RATE_LIMITED"
