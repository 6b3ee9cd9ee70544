"""Segmentation: settings, automation, plans, tags, touches and pipelines"""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What this version adds to the first schema, a part for each noun."""
