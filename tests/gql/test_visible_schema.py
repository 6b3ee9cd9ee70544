"""A limited token is shown the schema as far as it may use it."""

import ssl

from graphql import build_client_schema, get_introspection_query

from tests.conftest import Connect
from tests.demo import make_demo
from tests.server import Installation

PLAIN = """{ __schema { queryType { fields { name } } mutationType { fields { name } } types { name } } }"""


def limited_token(installation: Installation, *scopes: str) -> str:
    options = [part for scope in scopes for part in ("--scope", scope)]
    return installation.run("token", "create", "--user", "admin@demo.example", *options).strip()


async def test_a_limited_token_sees_the_root_fields_it_may_use_and_what_they_need(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    tokens = make_demo(installation)
    limited = limited_token(installation, "SEGMENT_VIEW", "SEGMENT_CALL")
    server = installation.serve()
    await server.ready(tls)
    admin, narrow = await connect(server.url, tokens["admin"]), await connect(server.url, limited)
    whole, part = await admin.run(PLAIN), await narrow.run(PLAIN)
    queries = {field["name"] for field in part["__schema"]["queryType"]["fields"]}
    mutations = {field["name"] for field in part["__schema"]["mutationType"]["fields"]}
    types = {each["name"] for each in part["__schema"]["types"]}
    assert {"viewer", "segments", "segment", "callableSegments"} <= queries
    assert queries.isdisjoint({"users", "auditLog", "changeLog", "leadPools"})
    assert {"startCallSession", "takeNextLead", "recordCall"} <= mutations
    assert mutations.isdisjoint({"createUser", "saveSegmentFilter", "importLeads"})
    assert "AuditLogEntry" not in types
    assert "AuditLogEntry" in {each["name"] for each in whole["__schema"]["types"]}

    # What is left is a schema in itself, and a type that is not shown is not there.
    built = build_client_schema(await narrow.run(get_introspection_query()))  # type: ignore[arg-type]
    assert built.query_type is not None
    assert set(built.query_type.fields) == queries
    assert await narrow.run('{ __type(name: "AuditLogEntry") { name } }') == {"__type": None}


async def test_a_token_that_only_plans_sees_mutations_that_can_be_planned_and_can_end_itself(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    tokens = make_demo(installation)
    server = installation.serve()
    await server.ready(tls)
    admin = await connect(server.url, tokens["admin"])
    made = await admin.run('mutation { createApiToken(input: {name: "P", planOnly: true}) { token } }')
    planner = await connect(server.url, made["createApiToken"]["token"])
    part = await planner.run(PLAIN)
    mutations = {field["name"] for field in part["__schema"]["mutationType"]["fields"]}
    assert {"saveSegmentFilter", "emptySegment", "signIn", "signOut"} <= mutations
    assert mutations.isdisjoint({"createUser", "updateLead", "applyPlan", "createApiToken", "setPassword"})
    assert await planner.run("mutation { signOut { signedOut } }") == {"signOut": {"signedOut": True}}
    assert (await planner.post("{ viewer { __typename } }")).status_code == 401


async def test_introspection_cannot_be_mixed_with_data_to_see_more(
    installation: Installation, tls: ssl.SSLContext, connect: Connect
) -> None:
    make_demo(installation)
    limited = limited_token(installation, "SEGMENT_VIEW")
    server = installation.serve()
    await server.ready(tls)
    narrow = await connect(server.url, limited)
    for query in (
        '{ viewer { user { id } } __type(name: "AuditLogEntry") { name } }',
        "{ ...A ...A } fragment A on Query { ... { __schema { types { name } } } viewer { user { id } } }",
    ):
        answer = (await narrow.post(query)).json()
        assert answer.get("data") is None
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert (await narrow.run("{ __typename viewer { user { email } } }"))["__typename"] == "Query"
