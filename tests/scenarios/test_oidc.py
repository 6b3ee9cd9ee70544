"""Bearer tokens of an OpenID Connect provider."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from tests.conftest import Connect
from tests.demo import make_demo
from tests.oidc_provider import AUDIENCE, ISSUER, Provider
from tests.server import Installation

WHO = "{ viewer { user { id email } } }"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    thread = threading.Thread(target=made.serve)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


async def test_a_token_of_the_provider_is_its_users_session_and_nothing_forged_is(
    installation: Installation, tls: ssl.SSLContext, connect: Connect, provider: Provider
) -> None:
    tokens = make_demo(installation)
    server = installation.serve(
        settings={
            "LEADGRAPH_OIDC_ISSUER": ISSUER,
            "LEADGRAPH_OIDC_AUDIENCE": AUDIENCE,
            "LEADGRAPH_OIDC_KEYS_URL": provider.url,
            "LEADGRAPH_OIDC_ORGANISATION": "Demo",
        }
    )
    await server.ready(tls)
    good = provider.token()
    agent, admin = await connect(server.url, good), await connect(server.url, tokens["admin"])
    for _ in range(2):
        assert (await agent.run(WHO))["viewer"]["user"]["email"] == "agent@demo.example"
    async with agent.socket() as socket:
        await socket.send(type="subscribe", id="1", payload={"query": WHO})
        assert (await socket.receive())["payload"]["data"]["viewer"]["user"]["email"] == "agent@demo.example"
    assert (await agent.put("/uploads/x", b"a")).status_code == 403

    past = datetime.now(UTC) - timedelta(minutes=10)
    public = str(provider.public("main")["n"])
    refused = {
        "another key": provider.token(generate_private_key(65537, 2048)),
        "an unknown key": provider.token(kid="other"),
        "another issuer": provider.token(iss="https://evil.example"),
        "another audience": provider.token(aud="other"),
        "no audience": provider.token(aud=None),
        "no expiry": provider.token(exp=None),
        "expired": provider.token(exp=past, iat=past - timedelta(minutes=5)),
        "not yet valid": provider.token(nbf=datetime.now(UTC) + timedelta(hours=1)),
        "no address": provider.token(email=None),
        "an address that nobody says is verified": provider.token(email_verified=None),
        "an address that is not verified": provider.token(email_verified=False),
        "an address that is not verified, said as a text": provider.token(email_verified="false"),
        "nobody": provider.token(email="nobody@demo.example"),
        "signed with the public key as a secret": provider.token(public, algorithm="HS256"),
        "not signed": provider.token("", algorithm="none"),
        "changed": good[:-6] + ("AAAAAA" if good[-6:] != "AAAAAA" else "BBBBBB"),
        "no token": "a.b.c",
    }
    for what, token in refused.items():
        answer = await (await connect(server.url, token)).post(WHO)
        assert answer.status_code == 401, what
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED", what

    # Its session is a token like others: an administrator ends it.
    listed = "{ apiTokens(first: 200) { nodes { id name user { email } } } }"
    sessions = [
        each["id"]
        for each in (await admin.run(listed))["apiTokens"]["nodes"]
        if each["name"] == "session by a provider"
    ]
    assert len(sessions) == 1
    await admin.run(
        "mutation($id: ID!) { revokeApiToken(input: {id: $id}) { userErrors { code } } }", id=sessions[0]
    )
    assert (await agent.post(WHO)).json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
