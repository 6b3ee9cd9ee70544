"""People sign in with a password: sessions, resets, and nothing for those who guess."""

import ssl
from typing import Any

import pytest

from gql.schema.ids import opaque
from tests.client import Client, GraphQLFailed
from tests.conftest import Connect
from tests.demo import make_demo
from tests.server import Installation

SIGN_IN = """mutation($email: String!, $password: String!, $organisation: String) {
  signIn(input: {email: $email, password: $password, organisation: $organisation}) {
    token expiresAt user { email } userErrors { code message field }
  }
}"""
SET = """mutation($user: ID, $new: String!, $current: String) {
  setPassword(input: {userId: $user, newPassword: $new, currentPassword: $current}) {
    user { email } userErrors { code message field }
  }
}"""
ADD = """mutation($input: AddLeadsToSegmentsInput!) { addLeadsToSegments(input: $input) {
  userErrors { message } } }"""
TOLD = """query($id: ID!) { changeLog(objectId: $id, first: 2) { nodes { actor { kind user { email } } } }
  membershipChanges(segmentIds: [$id], first: 100) { nodes { actor { kind } } } }"""
WHO = "{ viewer { user { id email } } }"
FIRST, SECOND = "correct horse battery", "staple horse correct"
AGENT, ADMIN = "agent@demo.example", "admin@demo.example"


async def codes(client: Client, query: str, **variables: Any) -> list[str]:
    with pytest.raises(GraphQLFailed) as failed:
        await client.run(query, **variables)
    return failed.value.codes


async def sign_in(client: Client, email: str, password: str) -> str:
    done = await client.run(SIGN_IN, email=email, password=password)
    assert done["signIn"]["userErrors"] == []
    assert done["signIn"]["user"]["email"] == email
    return str(done["signIn"]["token"])


async def test_a_user_sets_a_password_signs_in_changes_it_and_signs_out(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    tokens = make_demo(installation)
    server = installation.serve()
    await server.ready(tls)
    nobody, agent = await connect(server.url), await connect(server.url, tokens["agent"])
    weak = await agent.run(SET, new="agent@demo.example")
    assert weak["setPassword"]["userErrors"][0]["field"] == ["input", "newPassword"]
    assert (await agent.run(SET, new=FIRST))["setPassword"]["user"] == {"email": AGENT}

    one, other = [await sign_in(nobody, AGENT, FIRST) for _ in range(2)]
    here, there = await connect(server.url, one), await connect(server.url, other)
    assert (await here.run(WHO))["viewer"]["user"]["email"] == AGENT
    wrong = await here.run(SET, new=SECOND, current="not the one it is")
    assert wrong["setPassword"]["userErrors"][0]["field"] == ["input", "currentPassword"]
    changed = await here.run(SET, new=SECOND, current=FIRST)
    assert changed["setPassword"]["userErrors"] == []

    # The session it was changed in goes on, the other has ended, and so has the old password.
    assert (await here.run(WHO))["viewer"]["user"]["email"] == AGENT
    assert await codes(there, WHO) == ["UNAUTHENTICATED"]
    assert await codes(nobody, SIGN_IN, email=AGENT, password=FIRST) == ["UNAUTHENTICATED"]
    assert (await here.run("mutation { signOut { signedOut } }")) == {"signOut": {"signedOut": True}}
    assert await codes(here, WHO) == ["UNAUTHENTICATED"]
    assert (await agent.run(WHO))["viewer"]["user"]["email"] == AGENT


async def test_logs_tell_people_who_signed_in_from_programs_with_their_token(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    tokens = make_demo(installation)
    server = installation.serve()
    await server.ready(tls)
    program = await connect(server.url, tokens["admin"])
    await program.run(SET, new=FIRST)
    person = await connect(server.url, await sign_in(await connect(server.url), ADMIN, FIRST))
    for client, lead in ((program, 1), (person, 2)):
        given = {"segmentIds": [opaque("Segment", 1, 1)], "leadIds": [opaque("Lead", 1, lead)]}
        assert (await client.run(ADD, input=given))["addLeadsToSegments"]["userErrors"] == []
    told = await program.run(TOLD, id=opaque("Segment", 1, 1))
    edits = [(node["actor"]["kind"], node["actor"]["user"]) for node in told["changeLog"]["nodes"]]
    assert edits == [(kind, {"email": ADMIN}) for kind in ("USER", "API_KEY")]
    assert [node["actor"]["kind"] for node in told["membershipChanges"]["nodes"]][-2:] == ["API_KEY", "USER"]


async def test_an_administrator_resets_a_password_and_nobody_else_does(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    tokens = make_demo(installation)
    limited = installation.run(
        "token", "create", "--user", ADMIN, "--scope", "USER_MANAGE", "--scope", "ORGANISATION_VIEW"
    ).strip()
    server = installation.serve()
    await server.ready(tls)
    admin, agent, narrow = [
        await connect(server.url, each) for each in (tokens["admin"], tokens["agent"], limited)
    ]
    nobody = await connect(server.url)
    agent_id = (await agent.run(WHO))["viewer"]["user"]["id"]
    admin_id = (await admin.run(WHO))["viewer"]["user"]["id"]
    assert await codes(agent, SET, user=admin_id, new=FIRST) == ["FORBIDDEN"]
    assert await codes(narrow, SET, user=agent_id, new=FIRST) == ["FORBIDDEN"]
    assert await codes(narrow, SET, new=FIRST) == ["FORBIDDEN"]
    assert (await admin.run(SET, user=agent_id, new=FIRST))["setPassword"]["userErrors"] == []
    session = await connect(server.url, await sign_in(nobody, AGENT, FIRST))
    assert (await admin.run(SET, user=agent_id, new=SECOND))["setPassword"]["userErrors"] == []
    assert await codes(session, WHO) == ["UNAUTHENTICATED"]
    deactivate = "mutation($id: ID!) { deactivateUser(input: {id: $id}) { userErrors { code } } }"
    await admin.run(deactivate, id=agent_id)
    assert await codes(nobody, SIGN_IN, email=AGENT, password=SECOND) == ["UNAUTHENTICATED"]


async def test_guessing_is_answered_alike_for_every_address_and_ends_after_ten_attempts(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    tokens = make_demo(installation)
    server = installation.serve()
    await server.ready(tls)
    nobody, agent = await connect(server.url), await connect(server.url, tokens["agent"])
    await agent.run(SET, new=FIRST)

    async def guess(email: str) -> str:
        answer = (await nobody.post(SIGN_IN, email=email, password="not the right one")).json()
        return str(answer["errors"][0]["message"])

    known, unknown = await guess(AGENT), await guess("who@demo.example")
    assert known == unknown
    # Aliases in one document are attempts each.
    aliases = " ".join(
        f'g{number}: signIn(input: {{email: "{AGENT}", password: "wrong guess {number}"}}) {{ token }}'
        for number in range(12)
    )
    answers = await codes(nobody, f"mutation {{ {aliases} }}")
    assert answers == ["UNAUTHENTICATED"] * 9 + ["RATE_LIMITED"] * 3
    assert await codes(nobody, SIGN_IN, email=AGENT, password=FIRST) == ["RATE_LIMITED"]


async def test_with_several_organisations_signing_in_names_one(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    make_demo(installation)
    token = installation.run("organisation", "create", "Second", "--admin", ADMIN).strip()
    server = installation.serve()
    await server.ready(tls)
    nobody, admin = await connect(server.url), await connect(server.url, token)
    await admin.run(SET, new=FIRST)
    unnamed = await nobody.run(SIGN_IN, email=ADMIN, password=FIRST)
    assert unnamed["signIn"]["userErrors"][0]["field"] == ["input", "organisation"]
    named = await nobody.run(SIGN_IN, email=ADMIN, password=FIRST, organisation="Second")
    assert named["signIn"]["user"] == {"email": ADMIN}
    for other in ("Demo", "Third"):
        asked = {"email": ADMIN, "password": FIRST, "organisation": other}
        assert await codes(nobody, SIGN_IN, **asked) == ["UNAUTHENTICATED"]
