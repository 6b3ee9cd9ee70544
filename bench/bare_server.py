"""What a person would write by hand for the hot read: one Starlette handler, two statements, orjson."""

import hashlib
import os
import sqlite3
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

TOKEN = "SELECT 1 FROM api_token WHERE secret_hash = ? AND revoked_at IS NULL"
SEGMENT = "SELECT id, name, member_count FROM segment WHERE organisation_id = 1 AND id = ?"
# CROSS JOIN keeps SQLite to this order of tables; left to itself it sorts all members.
LEADS = """
SELECT lead.id, lead.status, lead.attempts, lead.phone, lead.field_values,
  pool.id, pool.name, campaign.id, campaign.name
FROM segment_member AS member
CROSS JOIN lead ON lead.organisation_id = 1 AND lead.id = member.lead_id
CROSS JOIN lead_pool AS pool ON pool.organisation_id = 1 AND pool.id = lead.pool_id
CROSS JOIN campaign ON campaign.organisation_id = 1 AND campaign.id = pool.campaign_id
WHERE member.organisation_id = 1 AND member.segment_id = ? AND member.origin <> 'removed_by_hand'
ORDER BY member.lead_id LIMIT 50"""


def app_from_environment() -> Starlette:
    """The handler on the SQLite file that BENCH_SQLITE names."""
    connection = sqlite3.connect(os.environ["BENCH_SQLITE"], check_same_thread=False)

    async def read_segment(request: Request) -> Response:
        secret = request.headers["authorization"].removeprefix("Bearer ").split("_", 3)[3]
        if connection.execute(TOKEN, [hashlib.sha256(secret.encode()).hexdigest()]).fetchone() is None:
            return Response(status_code=401)
        asked = orjson.loads(await request.body())
        number, name, count = connection.execute(SEGMENT, [asked["segment"]]).fetchone()
        rows = connection.execute(LEADS, [number]).fetchall()
        members = {"nodes": [_member(row) for row in rows]}
        segment = {"id": number, "name": name, "memberCount": count, "members": members}
        return Response(orjson.dumps({"data": {"segment": segment}}), media_type="application/json")

    return Starlette(routes=[Route("/graphql", read_segment, methods=["POST"])])


def _member(row: tuple[Any, ...]) -> dict[str, object]:
    number, status, attempts, phone, values, pool_id, pool_name, campaign_id, campaign_name = row
    campaign = {"id": campaign_id, "name": campaign_name}
    named = [{"key": key, "value": value} for key, value in orjson.loads(values).items()]
    lead = {"id": number, "status": status, "attempts": attempts, "phone": phone, "values": named}
    return {"lead": lead | {"leadPool": {"id": pool_id, "name": pool_name, "campaign": campaign}}}
