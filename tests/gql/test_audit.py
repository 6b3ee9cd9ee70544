"""Denials are written beside the requests."""

import pytest
from sqlalchemy import select

from core.access import Actor, ActorKind, Scope
from core.errors import Forbidden
from db.database import Database
from db.models import AuditLog
from gql.authz import audit
from gql.authz.audit import Audit
from tests.organisations import NOW, Tenant, new_tenant


def scope(user: int = 1) -> Scope:
    return Scope(1, Actor(ActorKind.USER, user), frozenset(), frozenset(), 1)


async def written(tenant: Tenant) -> list[tuple[str, int]]:
    async with tenant.database.reading() as session:
        rows = (await session.scalars(select(AuditLog).order_by(AuditLog.id))).all()  # type: ignore[arg-type]
    return [(row.action, row.times) for row in rows if row.kind == "denial"]


async def test_equal_denials_are_one_entry_and_all_are_there_at_the_end(database: Database) -> None:
    tenant = await new_tenant(database)
    log = Audit(database, lambda: NOW)
    await log.finish()
    log = Audit(database, lambda: NOW)
    lacking = Forbidden(details={"permission": "LEAD_VIEW"})
    for _ in range(3):
        log.denied(scope(), "leads", lacking, "127.0.0.1")
    log.denied(scope(), "users", Forbidden(), None)
    await log.finish()
    assert sorted(await written(tenant)) == [("leads", 3), ("users", 1)]


async def test_more_different_denials_than_memory_is_meant_for_are_left_out_and_that_is_logged(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant = await new_tenant(database)
    monkeypatch.setattr(audit, "MOST_WAITING", 2)
    log = Audit(database, lambda: NOW)
    for user in (1, 2, 3, 1):
        log.denied(scope(user), "leads", Forbidden(), None)
    await log.finish()
    assert sorted(await written(tenant)) == [("leads", 1), ("leads", 2)]
    assert "denials are not all in the audit log" in capsys.readouterr().out


async def test_a_database_that_fails_is_logged_and_harms_nobody(
    empty_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Database(empty_database_url) as database:
        log = Audit(database, lambda: NOW)
        log.denied(scope(), "leads", Forbidden(), None)
        await log.finish()
    assert "denials were not written" in capsys.readouterr().out
