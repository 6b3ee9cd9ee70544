"""Credentials that nobody has: asked for again and again, they leave nothing behind."""

import gc
import tracemalloc
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import event

from core.errors import Unauthenticated
from db.database import Database
from tests.organisations import Tenant, new_tenant

SECRET = "s" * 43
FEW, SHARE, MANY = 50, 500, 10_000
BYTES_EACH = 50


async def test_unknown_organisations_and_tokens_cost_as_much_at_last_as_at_first_and_are_forgotten(
    database: Database, soak: bool
) -> None:
    tenant = await new_tenant(database)
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    await refused(tenant, range(FEW))
    at_first = len(statements)
    tracemalloc.start()
    try:
        await refused(tenant, range(FEW))
        statements.clear()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        count = MANY if soak else SHARE
        for start in range(FEW, FEW + count, FEW):
            await refused(tenant, range(start, start + FEW))
            assert len(statements) == at_first
            statements.clear()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < count * BYTES_EACH


async def refused(tenant: Tenant, numbers: Iterable[int]) -> None:
    """Asks with tokens of organisations, and of numbers in the tenant's own, that are not there."""
    for number in numbers:
        unknown = (1_000 + number, 1) if number % 2 else (tenant.organisation_id, 1_000 + number)
        with pytest.raises(Unauthenticated):
            await tenant.scope(f"lg_{unknown[0]}_{unknown[1]}_{SECRET}")
