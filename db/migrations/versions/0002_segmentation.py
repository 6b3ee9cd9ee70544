"""Segmentation: settings, automation, plans, tags, touches and pipelines"""

import sqlalchemy as sa
from alembic import op

from db.models import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What this version adds to the first schema, a part for each noun."""
    add_patterns()
    add_tags()
    add_pipelines()
    add_touches()
    add_tokens_of_jobs()
    add_segment_settings()
    add_segment_goals()
    add_automation()
    add_owner_team_sets()
    move_owner_teams()
    add_duplicate_options()
    add_membership_undo()
    add_segment_deletion()
    add_plans()


def add_patterns() -> None:
    op.add_column("template_field", sa.Column("pattern", sa.String(), nullable=True))


def add_tags() -> None:
    op.create_table(
        "tag",
        *_organisation_row(),
        sa.Column("name", columns.OrderedText(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.UniqueConstraint("organisation_id", "name"),
    )
    op.create_table(
        "lead_tag",
        _id("organisation_id"),
        _id("lead_id"),
        _id("tag_id"),
        sa.Column("tagged_at", columns.UtcDateTime(), nullable=False),
        _of_lead(),
        sa.ForeignKeyConstraint(["organisation_id", "tag_id"], ["tag.organisation_id", "tag.id"]),
        sa.PrimaryKeyConstraint("organisation_id", "lead_id", "tag_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("lead_tag_tag", "lead_tag", ["organisation_id", "tag_id", "lead_id"])


def add_pipelines() -> None:
    op.create_table(
        "pipeline",
        *_organisation_row(),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id", "project_id"], ["project.organisation_id", "project.id"]),
        sa.UniqueConstraint("organisation_id", "project_id", "name"),
    )
    op.create_table(
        "pipeline_stage",
        *_organisation_row(),
        sa.Column("pipeline_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "pipeline_id"], ["pipeline.organisation_id", "pipeline.id"]
        ),
        sa.UniqueConstraint("organisation_id", "pipeline_id", "id"),
    )
    op.create_table(
        "lead_stage",
        _id("organisation_id"),
        _id("lead_id"),
        _id("pipeline_id"),
        sa.Column("stage_id", sa.BigInteger(), nullable=False),
        sa.Column("since", columns.UtcDateTime(), nullable=False),
        _of_lead(),
        sa.ForeignKeyConstraint(
            ["organisation_id", "pipeline_id", "stage_id"],
            ["pipeline_stage.organisation_id", "pipeline_stage.pipeline_id", "pipeline_stage.id"],
        ),
        sa.PrimaryKeyConstraint("organisation_id", "lead_id", "pipeline_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("lead_stage_stage", "lead_stage", ["organisation_id", "stage_id", "lead_id"])


def add_touches() -> None:
    op.create_table(
        "touch",
        *_organisation_row(),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("actor", columns.JsonValue(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(), nullable=False),
        _of_lead(),
    )
    op.create_index("touch_lead", "touch", ["organisation_id", "lead_id", "at"])


def add_segment_settings() -> None:
    with op.batch_alter_table("segment") as segment:
        segment.add_column(sa.Column("team_id", sa.BigInteger(), nullable=True))
        segment.add_column(sa.Column("reminder_days", sa.Integer(), nullable=True))
        segment.add_column(
            sa.Column("reminder_touches", sa.String(), server_default="manual", nullable=False)
        )
        segment.add_column(sa.Column("owner_field", sa.String(), nullable=True))
        segment.add_column(
            sa.Column("uploads_must_match", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        segment.add_column(
            sa.Column("awaits_filter", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def add_segment_goals() -> None:
    op.create_table(
        "segment_goal",
        _id("organisation_id"),
        _id("segment_id"),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("since", columns.UtcDateTime(), nullable=False),
        sa.Column("reached_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id", "segment_id"], ["segment.organisation_id", "segment.id"]),
        sa.PrimaryKeyConstraint("organisation_id", "segment_id", "metric", "measure"),
    )
    op.create_table(
        "segment_goal_lead",
        _id("organisation_id"),
        _id("segment_id"),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        _id("lead_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "segment_id", "metric", "measure"],
            [
                "segment_goal.organisation_id",
                "segment_goal.segment_id",
                "segment_goal.metric",
                "segment_goal.measure",
            ],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organisation_id", "segment_id", "metric", "measure", "lead_id"),
        sqlite_with_rowid=False,
    )


def add_automation() -> None:
    with op.batch_alter_table("segment") as segment:
        segment.add_column(sa.Column("automation", sa.String(), server_default="off", nullable=False))
        segment.add_column(sa.Column("automation_actor", columns.JsonValue(), nullable=True))
    op.create_table(
        "lead_change",
        *_organisation_row(),
        sa.Column("leads", sa.LargeBinary(), nullable=True),
        sa.Column("segment_id", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=True),
    )
    op.create_table(
        "automation",
        _id("organisation_id"),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("ticked_at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("organisation_id"),
    )
    op.execute(
        "INSERT INTO automation (organisation_id, revision, ticked_at)"
        " SELECT id, policy_revision, created_at FROM organisation"
    )


def add_owner_team_sets() -> None:
    op.create_table("owner_team_set", *_organisation_row(), sa.Column("teams", sa.String(), nullable=False))
    op.create_index("owner_team_set_teams", "owner_team_set", ["organisation_id", "teams"], unique=True)
    op.create_table(
        "owner_team",
        _id("organisation_id"),
        _id("set_id"),
        _id("team_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "set_id"],
            ["owner_team_set.organisation_id", "owner_team_set.id"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["organisation_id", "team_id"], ["team.organisation_id", "team.id"]),
        sa.PrimaryKeyConstraint("organisation_id", "set_id", "team_id"),
    )
    op.create_index("owner_team_team", "owner_team", ["organisation_id", "team_id", "set_id"])


def add_duplicate_options() -> None:
    for name in ("duplicate_only_open", "duplicate_inactive_pools", "duplicate_within_file"):
        op.add_column("lead_pool", sa.Column(name, sa.Boolean(), nullable=True))


def move_owner_teams() -> None:
    """A team that owned leads becomes a set of its own with the team's number, so leads keep theirs."""
    op.execute(
        "INSERT INTO owner_team_set (organisation_id, id, teams) "
        "SELECT DISTINCT organisation_id, owner_team_id, CAST(owner_team_id AS VARCHAR) FROM lead "
        "WHERE owner_team_id IS NOT NULL"
    )
    op.execute(
        "INSERT INTO owner_team (organisation_id, set_id, team_id) "
        "SELECT organisation_id, id, id FROM owner_team_set"
    )
    op.execute(
        "INSERT INTO id_block (organisation_id, noun, next) "
        "SELECT organisation_id, 'owner_team_set', max(id) + 1 FROM owner_team_set GROUP BY organisation_id"
    )
    op.drop_index("lead_owner_team", "lead")
    op.alter_column("lead", "owner_team_id", new_column_name="owner_teams_id")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("lead_organisation_id_owner_team_id_fkey", "lead")
        op.execute(
            "UPDATE call SET redial = jsonb_set(redial::jsonb #- '{owner_before,team}', "
            "'{owner_before,teams}', CASE WHEN redial #>> '{owner_before,team}' IS NULL THEN '[]'::jsonb "
            "ELSE jsonb_build_array(redial #> '{owner_before,team}') END)::json WHERE redial IS NOT NULL"
        )
    else:
        _rebuild_without("lead", "FOREIGN KEY(organisation_id, owner_teams_id)")
        op.execute(
            "UPDATE call SET redial = json_set(json_remove(redial, '$.owner_before.team'), "
            "'$.owner_before.teams', CASE WHEN redial ->> '$.owner_before.team' IS NULL THEN json('[]') "
            "ELSE json_array(redial ->> '$.owner_before.team') END) WHERE redial IS NOT NULL"
        )
    op.create_index("lead_owner_teams", "lead", ["organisation_id", "owner_teams_id"])


def _rebuild_without(table: str, constraint: str) -> None:
    """Drops a constraint on SQLite, which can only make the table anew; all else stays to the letter."""
    connection = op.get_bind()
    schema = "SELECT sql FROM sqlite_master WHERE tbl_name = :table AND type = :type AND sql IS NOT NULL"
    [made] = connection.execute(sa.text(schema), {"table": table, "type": "table"}).scalars().all()
    indexes = connection.execute(sa.text(schema), {"table": table, "type": "index"}).scalars().all()
    lines = [line for line in made.split("\n") if constraint not in line.replace('"', "")]
    renamed = "\n".join(lines).replace(f"CREATE TABLE {table} (", f"CREATE TABLE {table}_anew (", 1)
    for statement in (
        renamed,
        f"INSERT INTO {table}_anew SELECT * FROM {table}",
        f"DROP TABLE {table}",
        f"ALTER TABLE {table}_anew RENAME TO {table}",
        *indexes,
    ):
        connection.exec_driver_sql(statement)


def add_segment_deletion() -> None:
    op.create_table(
        "segment_deletion",
        _id("organisation_id"),
        _id("segment_id"),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("changeset", sa.BigInteger(), nullable=False),
        sa.Column("actor", columns.JsonValue(), nullable=False),
        sa.Column("rule_revision", sa.Integer(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("left", sa.LargeBinary(), nullable=False),
        sa.Column("left_count", sa.Integer(), nullable=False),
        sa.Column("viewers", columns.JsonValue(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("organisation_id", "segment_id"),
    )


def add_membership_undo() -> None:
    with op.batch_alter_table("segment") as segment:
        segment.add_column(sa.Column("members_revision", sa.Integer(), server_default="0", nullable=False))
        segment.add_column(sa.Column("members_job_id", sa.BigInteger(), nullable=True))
    op.create_table(
        "membership_undo",
        _id("organisation_id"),
        _id("segment_id"),
        _id("place"),
        sa.Column("changeset", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("before", columns.JsonValue(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id", "segment_id"], ["segment.organisation_id", "segment.id"]),
        sa.PrimaryKeyConstraint("organisation_id", "segment_id", "place"),
    )
    op.create_index(
        "membership_undo_changeset", "membership_undo", ["organisation_id", "changeset", "part"], unique=True
    )


def add_tokens_of_jobs() -> None:
    op.add_column("job", sa.Column("created_by_token", sa.BigInteger(), nullable=True))


def add_plans() -> None:
    op.create_table(
        "plan",
        *_organisation_row(),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("input", columns.JsonValue(), nullable=False),
        sa.Column("states", columns.JsonValue(), nullable=False),
        sa.Column("segments", columns.JsonValue(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_by", columns.JsonValue(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("applied_at", columns.UtcDateTime(), nullable=True),
    )
    op.create_index("plan_expiry", "plan", ["organisation_id", "expires_at"])


def _organisation_row() -> tuple[sa.schema.SchemaItem, ...]:
    """The key of a row of an organisation's."""
    return (
        _id("organisation_id"),
        _id("id"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("organisation_id", "id"),
    )


def _id(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _of_lead() -> sa.ForeignKeyConstraint:
    """What hangs on a lead and goes with it."""
    return sa.ForeignKeyConstraint(
        ["organisation_id", "lead_id"], ["lead.organisation_id", "lead.id"], ondelete="CASCADE"
    )
