"""Alembic's entry: runs migrations on the connection that `db.migrate` opened."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import db.models  # noqa: F401  registers the tables


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Spells our column types so that a migration stands on its own."""
    if kind != "type":
        return False
    if isinstance(item, AutoString):
        return "sa.String()"
    if type(item).__module__ == "db.models.columns":
        autogen.imports.add("from db.models import columns")
        return f"columns.{type(item).__name__}()"
    return False


def run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        render_item=render_item,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
