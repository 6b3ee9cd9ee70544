"""`/metrics`: figures for the operator, and for nobody else."""

import ssl

import httpx

from tests.demo import make_demo
from tests.server import Installation

SECRET = "an operator's secret"


async def test_metrics_count_what_was_answered_refused_and_is_waiting(
    installation: Installation, tls: ssl.SSLContext
) -> None:
    token = make_demo(installation)["admin"]
    server = installation.serve(settings={"LEADGRAPH_JOBS_IN_SERVE": "false"})
    await server.ready(tls)
    async with httpx.AsyncClient(trust_env=False, verify=tls, base_url=server.url) as client:
        headers = {"Authorization": f"Bearer {token}"}
        for query in (
            "{ viewer { user { name } } }",
            "{ nonsense }",
            "mutation { deleteLead(input: {}) { x } }",
        ):
            await client.post("/graphql", json={"query": query}, headers=headers)
        page = (await client.get("/metrics")).text
    lines = page.splitlines()
    assert 'leadgraph_requests_total{method="POST",status="200"} 3.0' in lines
    assert 'leadgraph_operation_seconds_count{kind="query",outcome="fine"} 1.0' in lines
    assert 'leadgraph_operations_refused_total{code="BAD_USER_INPUT"} 2.0' in lines
    assert "leadgraph_operation_cost_total 3.0" in lines
    assert "leadgraph_open_streams 0.0" in lines
    assert token not in page


async def test_with_a_metrics_token_only_who_brings_it_sees_the_page(
    installation: Installation, tls: ssl.SSLContext
) -> None:
    server = installation.serve(settings={"LEADGRAPH_METRICS_TOKEN": SECRET})
    await server.ready(tls)
    async with httpx.AsyncClient(trust_env=False, verify=tls, base_url=server.url) as client:
        answers = [
            await client.get("/metrics", headers={"Authorization": given} if given else {})
            for given in ("", "Bearer wrong", f"Bearer {SECRET}")
        ]
    assert [answer.status_code for answer in answers] == [404, 404, 200]


async def test_in_production_there_is_no_page_without_a_metrics_token(
    installation: Installation, tls: ssl.SSLContext
) -> None:
    server = installation.serve(settings={"LEADGRAPH_ENV": "production"})
    await server.ready(tls)
    async with httpx.AsyncClient(trust_env=False, verify=tls, base_url=server.url) as client:
        assert (await client.get("/metrics")).status_code == 404
