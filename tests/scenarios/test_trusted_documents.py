"""Registered documents: run by their hash, and all that some tokens and servers run."""

import json
import ssl
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from tests.client import Client
from tests.conftest import Connect
from tests.demo import make_demo
from tests.server import Installation

REGISTER = """mutation($document: String!) {
  registerDocument(input: {document: $document, name: "who"}) {
    trustedDocument { id documentId document } userErrors { message field }
  }
}"""
TOKEN = """mutation($rate: Int) {
  createApiToken(input: {name: "agent client", documentsOnly: true, costPerSecond: $rate}) {
    token apiToken { documentsOnly costPerSecond } userErrors { message field }
  }
}"""
WHO = "query Who { viewer { user { email } } }"


async def post(client: Client, **body: Any) -> httpx.Response:
    headers = {"Accept": "application/graphql-response+json", **client._credentials}
    return await client.http.post("/graphql", json=body, headers=headers)


async def code(client: Client, **body: Any) -> str:
    answer = (await post(client, **body)).json()
    return str(answer["errors"][0]["extensions"]["code"])


async def test_a_registered_document_runs_by_its_hash_until_it_is_forgotten(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    tokens = make_demo(installation)
    other = installation.run("organisation", "create", "Other", "--admin", "a@other.example").strip()
    server = installation.serve()
    await server.ready(tls)
    admin, agent, stranger = [
        await connect(server.url, each) for each in (tokens["admin"], tokens["agent"], other)
    ]
    wrong = await admin.run(REGISTER, document="{ nonsense }")
    assert wrong["registerDocument"]["userErrors"][0]["field"] == ["input", "document"]
    kept = (await admin.run(REGISTER, document=WHO))["registerDocument"]["trustedDocument"]
    assert kept["documentId"] == f"sha256:{sha256(WHO.encode()).hexdigest()}"
    assert (await admin.run(REGISTER, document=WHO))["registerDocument"]["trustedDocument"] == kept

    by_id = {"documentId": kept["documentId"]}
    assert (await post(agent, **by_id)).json()["data"]["viewer"]["user"]["email"] == "agent@demo.example"
    async with agent.socket() as socket:
        await socket.send(type="subscribe", id="1", payload=by_id)
        message = await socket.receive()
        assert message["payload"]["data"]["viewer"]["user"]["email"] == "agent@demo.example"
    assert await code(stranger, **by_id) == "NOT_FOUND"
    assert await code(agent, documentId="sha256:" + "0" * 64) == "NOT_FOUND"
    for malformed in ({"documentId": "x"}, {"documentId": 1}, {**by_id, "query": WHO}):
        assert await code(agent, **malformed) == "BAD_USER_INPUT"

    # A token that is limited to documents runs those and nothing else, and makes no wider token.
    limited = (await agent.run(TOKEN, rate=500))["createApiToken"]
    assert limited["apiToken"] == {"documentsOnly": True, "costPerSecond": 500}
    narrow = await connect(server.url, limited["token"])
    assert (await post(narrow, **by_id)).json()["extensions"]["cost"]["left"] == 50_000 - 3
    assert await code(narrow, query=WHO) == "FORBIDDEN"
    make_token = 'mutation { createApiToken(input: {name: "wider"}) { token apiToken { documentsOnly } } }'
    registered = (await admin.run(REGISTER, document=make_token))["registerDocument"]["trustedDocument"]
    wider = (await post(narrow, documentId=registered["documentId"])).json()["data"]["createApiToken"]
    assert wider["apiToken"] == {"documentsOnly": True}
    assert await code(await connect(server.url, wider["token"]), query=WHO) == "FORBIDDEN"
    zero = (await agent.run(TOKEN, rate=0))["createApiToken"]["userErrors"]
    assert zero[0]["field"] == ["input", "costPerSecond"]

    forget = (
        "mutation($id: ID!) { unregisterDocument(input: {id: $id}) { unregisteredId userErrors { code } } }"
    )
    assert (await admin.run(forget, id=kept["id"]))["unregisterDocument"]["unregisteredId"] == kept["id"]
    while "errors" not in (answer := (await post(agent, **by_id)).json()):
        pass
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_a_server_can_ship_documents_and_run_nothing_else(
    installation: Installation, tls: ssl.SSLContext, connect: Connect, tmp_path: Path
) -> None:
    tokens = make_demo(installation)
    sign_in = 'mutation { signIn(input: {email: "a@b.example", password: "x"}) { token } }'
    manifest = tmp_path / "documents.json"
    manifest.write_text(json.dumps({"whatever": WHO, sha256(sign_in.encode()).hexdigest(): sign_in}))
    server = installation.serve(
        settings={
            "LEADGRAPH_TRUSTED_DOCUMENTS": str(manifest),
            "LEADGRAPH_TRUSTED_DOCUMENTS_ONLY": "true",
        }
    )
    await server.ready(tls)
    admin, nobody = await connect(server.url, tokens["admin"]), await connect(server.url)
    by_hash = {"documentId": sha256(WHO.encode()).hexdigest()}
    assert (await post(admin, **by_hash)).json()["data"]["viewer"]["user"]["email"] == "admin@demo.example"
    assert await code(admin, query=WHO) == "FORBIDDEN"
    assert await code(nobody, query="{ __typename }") == "FORBIDDEN"
    assert await code(nobody, documentId=sha256(sign_in.encode()).hexdigest()) == "UNAUTHENTICATED"
