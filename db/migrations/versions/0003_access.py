"""Access: passwords and sessions"""

import sqlalchemy as sa
from alembic import op

from db.models import columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _passwords()


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
