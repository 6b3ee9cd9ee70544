"""Access: passwords and sessions, the audit log, trusted documents"""

import sqlalchemy as sa
from alembic import op

from db.models import columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _passwords()
    _audit_log()
    _trusted_documents()


def _passwords() -> None:
    op.create_table(
        "user_password",
        sa.Column("organisation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("set_at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id", "user_id"], ["user.organisation_id", "user.id"]),
        sa.PrimaryKeyConstraint("organisation_id", "user_id"),
    )
    op.add_column("api_token", sa.Column("session", sa.Boolean(), server_default=sa.false(), nullable=False))


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("organisation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", columns.JsonValue(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("permission", sa.String(), nullable=True),
        sa.Column("noun", sa.String(), nullable=True),
        sa.Column("noun_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("organisation_id", "id"),
    )
    op.create_index("audit_log_time", "audit_log", ["organisation_id", "at", "id"])


def _trusted_documents() -> None:
    op.create_table(
        "trusted_document",
        sa.Column("organisation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("organisation_id", "id"),
        sa.UniqueConstraint("organisation_id", "hash"),
    )
    op.add_column(
        "api_token", sa.Column("documents_only", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("api_token", sa.Column("cost_per_second", sa.Integer(), nullable=True))
    op.add_column("api_token", sa.Column("fields", columns.JsonValue(), nullable=True))
    op.add_column(
        "api_token", sa.Column("plan_only", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
