"""Segment groups, segments, their filter revisions, their members, and the log of joins and leaves."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from db.models.columns import JsonValue, OrganisationRow, UtcDateTime


class SegmentGroup(OrganisationRow, table=True):
    """A container of similar segments."""

    __tablename__ = "segment_group"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "project_id"], ["project.organisation_id", "project.id"]),
        Index("segment_group_position", "organisation_id", "position", "id"),
    )

    project_id: int = Field(sa_type=BigInteger)
    name: str
    active: bool = True
    position: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class Segment(OrganisationRow, table=True):
    """A set of leads with rules and settings.

    kind              dynamic (a filter) or static (members by hand only)
    team_id           the team it belongs to; None: it is the organisation's
    hours             active hours; without them it cannot be called
    filter            all that it selects by, as the client wrote it
    automation        off, add or mirror: whether leads join, and leave, as they change
    automation_actor  who turned it on or saved the filter since: whose sight it uses
    awaits_filter     it is a copy: inactive, its filter not applied, until that is saved
    last_seq          number of its newest entry in the membership log
    reminder_days     a member not contacted for so long is expired; None: it reminds of nobody
    reminder_touches  manual, or all: which touches count as contact
    owner_field       what says whose its members are: `lead.owner`, or a field with a user's address
    uploads_must_match  leads of an import into it join only where they meet its rules
    """

    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "project_id"], ["project.organisation_id", "project.id"]),
        ForeignKeyConstraint(
            ["organisation_id", "group_id"], ["segment_group.organisation_id", "segment_group.id"]
        ),
        ForeignKeyConstraint(["organisation_id", "created_by"], ["user.organisation_id", "user.id"]),
        Index("segment_position", "organisation_id", "group_id", "position", "id"),
    )

    project_id: int = Field(sa_type=BigInteger)
    group_id: int = Field(sa_type=BigInteger)
    name: str
    description: str = ""
    active: bool = True
    kind: str
    position: int
    hours: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    active_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    active_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    filter: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    rule_revision: int = 0
    last_seq: int = Field(default=0, sa_type=BigInteger)
    member_count: int = 0
    members_as_of: datetime | None = Field(default=None, sa_type=UtcDateTime)
    members_revision: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    members_job_id: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: int | None = Field(default=None, sa_type=BigInteger)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1
    team_id: int | None = Field(default=None, sa_type=BigInteger)
    reminder_days: int | None = None
    reminder_touches: str = Field(default="manual", sa_column_kwargs={"server_default": "manual"})
    owner_field: str | None = None
    uploads_must_match: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    awaits_filter: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    automation: str = Field(default="off", sa_column_kwargs={"server_default": "off"})
    automation_actor: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)


class SegmentGoal(SQLModel, table=True):
    """What a segment is to reach: it becomes inactive then.

    counted     calls, or leads that count (those of `segment_goal_lead`), since it was set
    reached_at  when it was; it counts nothing more
    """

    __tablename__ = "segment_goal"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "segment_id"], ["segment.organisation_id", "segment.id"]),
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    segment_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    metric: str = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    target: int
    counted: int = 0
    since: datetime = Field(sa_type=UtcDateTime)
    reached_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SegmentGoalLead(SQLModel, table=True):
    """A lead that has counted towards a goal, also if it is gone from the segment: it counts once."""

    __tablename__ = "segment_goal_lead"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "segment_id", "metric", "measure"],
            [
                "segment_goal.organisation_id",
                "segment_goal.segment_id",
                "segment_goal.metric",
                "segment_goal.measure",
            ],
            ondelete="CASCADE",
        ),
        {"sqlite_with_rowid": False},
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    segment_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    metric: str = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    lead_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})


class SegmentRevision(SQLModel, table=True):
    """A filter as it was saved."""

    __tablename__ = "segment_revision"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "segment_id"], ["segment.organisation_id", "segment.id"]),
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    segment_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    revision: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    filter: dict[str, Any] = Field(sa_type=JsonValue)
    update_mode: str
    actor: dict[str, Any] = Field(sa_type=JsonValue)
    at: datetime = Field(sa_type=UtcDateTime)


class SegmentMember(SQLModel, table=True):
    """A lead in a segment, or one kept out of it by hand.

    origin           rule, hand, import, action, api; `removed_by_hand` is a tombstone, not a member
    exclusive_scope  the project, where it is exclusive and this is a membership: one a lead
    """

    __tablename__ = "segment_member"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "segment_id"], ["segment.organisation_id", "segment.id"]),
        ForeignKeyConstraint(["organisation_id", "lead_id"], ["lead.organisation_id", "lead.id"]),
        UniqueConstraint("organisation_id", "exclusive_scope", "lead_id"),
        Index("segment_member_lead", "organisation_id", "lead_id", "segment_id"),
        {"sqlite_with_rowid": False},
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    segment_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    lead_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    origin: str
    exclusive_scope: int | None = Field(default=None, sa_type=BigInteger)
    added_at: datetime = Field(sa_type=UtcDateTime)
    added_by: int | None = Field(default=None, sa_type=BigInteger)


class MembershipLog(SQLModel, table=True):
    """One batch of joins and leaves of a segment, ids packed; `seq` is gap-free and in commit order."""

    __tablename__ = "membership_log"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "segment_id"], ["segment.organisation_id", "segment.id"]),
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    segment_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    changeset: int = Field(sa_type=BigInteger)
    cause: str
    actor: dict[str, Any] = Field(sa_type=JsonValue)
    rule_revision: int
    at: datetime = Field(sa_type=UtcDateTime)
    joined: bytes
    left: bytes
    joined_count: int
    left_count: int


class MembershipUndo(SQLModel, table=True):
    """How leads stood in a segment before a changeset touched them: what undoing it goes back to.

    place   its number within the segment, in the order of commits
    part    its number within the changeset, which may be about several segments
    seq     the segment's newest entry in the membership log before the changeset
    before  lists of origin, time, actor and packed leads; leads without a row have null for the first three
    """

    __tablename__ = "membership_undo"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "segment_id"], ["segment.organisation_id", "segment.id"]),
        Index("membership_undo_changeset", "organisation_id", "changeset", "part", unique=True),
    )

    organisation_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    segment_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    place: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    changeset: int = Field(sa_type=BigInteger)
    part: int
    seq: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=UtcDateTime)
    before: list[list[Any]] = Field(sa_type=JsonValue)


class SegmentDeletion(SQLModel, table=True):
    """The last entry of a deleted segment's membership log: whoever was in it has left.

    viewers  users and teams (`user:5`) that could see it, roles apart
    """

    __tablename__ = "segment_deletion"

    organisation_id: int = Field(
        primary_key=True,
        foreign_key="organisation.id",
        sa_type=BigInteger,
        sa_column_kwargs={"autoincrement": False},
    )
    segment_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(sa_type=BigInteger)
    changeset: int = Field(sa_type=BigInteger)
    actor: dict[str, Any] = Field(sa_type=JsonValue)
    rule_revision: int
    at: datetime = Field(sa_type=UtcDateTime)
    left: bytes
    left_count: int
    viewers: list[str] = Field(sa_type=JsonValue)
