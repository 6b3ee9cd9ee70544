"""Every denied and every administrative act is in the audit log."""

import ssl
from typing import Any

from tests.client import Client
from tests.conftest import Connect
from tests.demo import make_demo
from tests.server import Installation, Server

AUDIT = """query($kind: AuditKind, $user: ID) { auditLog(kind: $kind, userId: $user, first: 100) {
  totalCount
  nodes { kind action permission objectType objectId times address actor { kind user { email } } }
} }"""
GUESS = """mutation {
  signIn(input: {email: "agent@demo.example", password: "no", organisation: "Demo"}) { token }
}"""
GRANT = """mutation($input: GrantPermissionInput!) {
  grantPermission(input: $input) { userErrors { code message } } }"""
REVOKE = """mutation($input: RevokePermissionInput!) {
  revokePermission(input: $input) { userErrors { code message } } }"""
WHO = "{ viewer { user { id } } }"


async def denied(client: Client, permission: str, query: str, **variables: Any) -> None:
    [error] = (await client.post(query, **variables)).json()["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["extensions"]["details"] == {"permission": permission}


async def entries(client: Client, **wanted: Any) -> list[dict[str, Any]]:
    answer = await client.run(AUDIT, **wanted)
    assert answer["auditLog"]["totalCount"] == len(answer["auditLog"]["nodes"])
    nodes: list[dict[str, Any]] = answer["auditLog"]["nodes"]
    return nodes


async def test_denied_and_administrative_acts_and_failed_sign_ins_are_in_the_audit_log(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    tokens = make_demo(installation)
    other = installation.run("organisation", "create", "Other", "--admin", "a@other.example").strip()
    server = installation.serve()
    await server.ready(tls)
    admin, agent = await connect(server.url, tokens["admin"]), await connect(server.url, tokens["agent"])
    nobody, stranger = await connect(server.url), await connect(server.url, other)
    agent_id = (await agent.run(WHO))["viewer"]["user"]["id"]

    for _ in range(3):
        await denied(agent, "CHANGE_LOG_VIEW", "{ changeLog { nodes { id } } }")
    await denied(agent, "USER_MANAGE", 'mutation { createTeam(input: {name: "Mine"}) { team { id } } }')
    await denied(agent, "AUDIT_VIEW", "{ auditLog { nodes { id } } }")
    assert (await agent.put("/uploads/x", b"a,b")).status_code == 403
    assert (await nobody.post(GUESS)).json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    made = await admin.run('mutation { createTeam(input: {name: "Night"}) { team { id } } }')
    team = made["createTeam"]["team"]["id"]
    await admin.run(
        "mutation($user: ID!) { setRoles(input: {userId: $user, roles: [AGENT]}) { userErrors { code } } }",
        user=agent_id,
    )
    # What was denied is written beside the requests, the last of it when the server stops.
    server.stop()
    server.start()
    await server.ready(tls)

    denials = await entries(admin, kind="DENIAL")
    assert {entry["actor"]["user"]["email"] for entry in denials} == {"agent@demo.example"}
    assert {entry["address"] for entry in denials} == {"127.0.0.1"}
    summed: dict[tuple[str, str], int] = {}
    for entry in denials:
        key = entry["action"], entry["permission"]
        summed[key] = summed.get(key, 0) + entry["times"]
    assert summed == {
        ("changeLog", "CHANGE_LOG_VIEW"): 3,
        ("createTeam", "USER_MANAGE"): 1,
        ("auditLog", "AUDIT_VIEW"): 1,
        ("uploads", "LEAD_IMPORT"): 1,
    }
    assert [entry["actor"]["user"]["email"] for entry in await entries(admin, kind="SIGN_IN_FAILED")] == [
        "agent@demo.example"
    ]
    acts = await entries(admin, kind="ADMINISTRATION")
    assert [(act["action"], act["objectType"]) for act in acts[:2]] == [
        ("roles_set", "User"),
        ("created", "Team"),
    ]
    assert [act["objectId"] for act in acts[:2]] == [agent_id, team]
    assert {entry["kind"] for entry in await entries(admin, user=agent_id)} == {"DENIAL", "SIGN_IN_FAILED"}
    seen = await entries(stranger)
    assert {entry["kind"] for entry in seen} == {"ADMINISTRATION"}
    assert "agent@demo.example" not in str(seen)


async def test_a_permission_given_and_taken_is_audited_by_its_name_and_by_who_has_it(
    server: Server, installation: Installation, connect: Connect
) -> None:
    token = installation.run("organisation", "create", "Acme", "--admin", "a@acme.example").split()[-1]
    admin = await connect(server.url, token)
    made = await admin.run('mutation { createTeam(input: {name: "Night"}) { team { id } } }')
    team = made["createTeam"]["team"]["id"]
    given = {"permission": "AUDIT_VIEW", "to": {"teamId": team}}
    assert (await admin.run(GRANT, input=given))["grantPermission"]["userErrors"] == []
    [refused] = (await admin.post(GRANT, input={**given, "permission": "audit:view"})).json()["errors"]
    assert refused["extensions"]["code"] == "BAD_USER_INPUT"
    taken = {"permission": "AUDIT_VIEW", "from": {"teamId": team}}
    assert (await admin.run(REVOKE, input=taken))["revokePermission"]["userErrors"] == []
    of_role = {"permission": "AUDIT_VIEW", "to": {"role": "MANAGER"}}
    assert (await admin.run(GRANT, input=of_role))["grantPermission"]["userErrors"] == []

    acts = await entries(admin, kind="ADMINISTRATION")
    assert [(act["action"], act["permission"], act["objectType"]) for act in acts[:3]] == [
        ("permission_granted", "AUDIT_VIEW", "Organisation"),
        ("permission_revoked", "AUDIT_VIEW", "Team"),
        ("permission_granted", "AUDIT_VIEW", "Team"),
    ]
    assert [act["objectId"] for act in acts[1:3]] == [team, team]
    logged = (await admin.run("{ changeLog { nodes { action before after } } }"))["changeLog"]["nodes"]
    assert logged[0]["after"] == {"subject": "role:manager", "permission": "AUDIT_VIEW"}


GRANTED = """{ users { nodes { email permissions } } teams { nodes { name permissions } } }"""


async def test_what_is_granted_to_a_user_or_a_team_is_shown_to_who_manages_users(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    tokens = make_demo(installation)
    server = installation.serve()
    await server.ready(tls)
    admin, agent = await connect(server.url, tokens["admin"]), await connect(server.url, tokens["agent"])
    agent_id = (await agent.run(WHO))["viewer"]["user"]["id"]
    team_id = (await admin.run("{ teams { nodes { id } } }"))["teams"]["nodes"][0]["id"]
    for to in ({"userId": agent_id}, {"teamId": team_id}):
        for permission in ("CHANGE_LOG_VIEW", "AUDIT_VIEW"):
            await admin.run(GRANT, input={"to": to, "permission": permission})
    await admin.run(REVOKE, input={"from": {"teamId": team_id}, "permission": "AUDIT_VIEW"})

    granted = await admin.run(GRANTED)

    of_users = {each["email"]: each["permissions"] for each in granted["users"]["nodes"]}
    assert of_users.pop("agent@demo.example") == ["AUDIT_VIEW", "CHANGE_LOG_VIEW"]
    assert not any(of_users.values())
    of_teams = [each["permissions"] for each in granted["teams"]["nodes"]]
    assert of_teams[0] == ["CHANGE_LOG_VIEW"]
    assert not any(of_teams[1:])
    await denied(agent, "USER_MANAGE", "{ users { nodes { permissions } } }")
