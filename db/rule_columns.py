"""Where each field that rules may name is stored: with the lead, beside it, or in the rows of a set."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, select, true, union_all
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from core.field_catalogue import (
    LEAD_CONTACTED,
    LEAD_OWNER_TEAM,
    LEAD_RESULTS,
    LEAD_SEGMENTS,
    LEAD_SOURCE,
    LEAD_STAGES,
    LEAD_TAGS,
    LEAD_TOUCHED,
)
from core.touch import TouchKind
from db.models import (
    Call,
    CampaignResult,
    Lead,
    LeadPool,
    LeadStage,
    LeadTag,
    OwnerTeam,
    SegmentMember,
    Tag,
    Touch,
)
from db.models.columns import OrderedText
from db.scope_sql import among, is_member

LEAD_ID = "lead.id"
Columns = Mapping[str, Any]
"""By the field's key in the catalogue: its column, or a SetColumn where it has any number of values."""


@dataclass(frozen=True, slots=True)
class SetColumn:
    """The values of a lead in a set.

    of    the column of the lead that says which rows are its own
    rows  their `owner` and `value`
    """

    of: Any
    rows: Subquery

    def holds_any(self, values: Collection[Any]) -> ColumnElement[bool]:
        """Whether it has one of the values."""
        held: ColumnElement[bool] = self.of.in_(
            select(self.rows.c.owner).where(self.rows.c.value.in_(values))
        )
        return held

    def is_empty(self) -> ColumnElement[bool]:
        """Whether it has no value."""
        return Grouping(self.of.in_(select(self.rows.c.owner))).is_not(true())

    def each(self, statement: Select[Any]) -> Select[Any]:
        """A statement over `lead` with a row, and a further column, for each value."""
        return statement.add_columns(self.rows.c.value).join(self.rows, self.rows.c.owner == self.of)


class Ordered(FunctionElement[str]):
    """A text column, compared by code point whatever its own collation."""

    type = OrderedText()
    name = "ordered"
    inherit_cache = True


@compiles(Ordered, "sqlite")
def _as_it_is(element: Ordered, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(next(iter(element.clauses)), **kw)


@compiles(Ordered, "postgresql")
def _by_code_point(element: Ordered, compiler: SQLCompiler, **kw: Any) -> str:
    return f'{compiler.process(next(iter(element.clauses)), **kw)} COLLATE "C"'


def lead_columns(lead: type[Lead] = Lead) -> dict[str, Any]:
    """The columns of what is stored with the lead itself."""
    return {
        LEAD_ID: col(lead.id),
        "lead.campaign": col(lead.campaign_id),
        "lead.pool": col(lead.pool_id),
        "lead.phone": Ordered(col(lead.phone)),
        "lead.status": col(lead.status),
        "lead.result": col(lead.result_key),
        "lead.open": col(lead.is_open),
        "lead.active": col(lead.active),
        "lead.attempts": col(lead.attempts),
        "lead.priority": col(lead.priority),
        "lead.ownerUser": col(lead.owner_user_id),
        "lead.createdAt": col(lead.created_at),
        "lead.lastChangedAt": col(lead.changed_at),
        "lead.lastCalledAt": col(lead.last_called_at),
        "lead.nextCallAt": func.coalesce(col(lead.redial_at), col(lead.call_after)),
        "lead.redial": col(lead.redial_kind),
        "lead.redialAt": col(lead.redial_at),
        "lead.redialUser": col(lead.redial_user_id),
        "lead.clone": col(lead.master_id).is_not(None),
    }


def related_columns(organisation_id: int, keys: Collection[str], lead: type[Lead] = Lead) -> dict[str, Any]:
    """The columns, of the fields that are named, of what belongs to the lead and is asked without a join."""
    columns: dict[str, Any] = {
        key: SetColumn(col(lead.id), ROWS_OF[key](organisation_id)) for key in keys if key in ROWS_OF
    }
    if LEAD_OWNER_TEAM in keys:
        columns[LEAD_OWNER_TEAM] = SetColumn(col(lead.owner_teams_id), _owners(organisation_id))
    if LEAD_SOURCE in keys:
        columns[LEAD_SOURCE] = _source(organisation_id, lead)
    return columns


def joined_moment(
    statement: Select[Any],
    key: str,
    organisation_id: int,
    lead: type[Lead],
    lead_ids: Collection[int] | None,
) -> tuple[Select[Any], ColumnElement[Any]]:
    """The statement with one of MOMENTS_OF joined in, and its column.

    lead_ids  the only leads that are asked about; None: all there are
    """
    moments = MOMENTS_OF[key](organisation_id, None if lead_ids is None else frozenset(lead_ids))
    newest = select(moments.c.lead_id, func.max(moments.c.at).label("at")).group_by(moments.c.lead_id)
    found = newest.subquery()
    return statement.outerjoin(found, found.c.lead_id == col(lead.id)), found.c.at


def _source(organisation_id: int, lead: type[Lead]) -> Any:
    pool = aliased(LeadPool)
    return (
        select(col(pool.source))
        .where(col(pool.organisation_id) == organisation_id, col(pool.id) == col(lead.pool_id))
        .correlate(lead)
        .scalar_subquery()
    )


def _owners(organisation_id: int) -> Subquery:
    return (
        select(col(OwnerTeam.set_id).label("owner"), col(OwnerTeam.team_id).label("value"))
        .where(col(OwnerTeam.organisation_id) == organisation_id)
        .subquery()
    )


def _tags(organisation_id: int) -> Subquery:
    of_organisation = and_(
        col(Tag.organisation_id) == col(LeadTag.organisation_id), col(Tag.id) == col(LeadTag.tag_id)
    )
    return (
        select(col(LeadTag.lead_id).label("owner"), col(Tag.name).label("value"))
        .join(Tag, of_organisation)
        .where(col(LeadTag.organisation_id) == organisation_id)
        .subquery()
    )


def _stages(organisation_id: int) -> Subquery:
    return (
        select(col(LeadStage.lead_id).label("owner"), col(LeadStage.stage_id).label("value"))
        .where(col(LeadStage.organisation_id) == organisation_id)
        .subquery()
    )


def _results(organisation_id: int) -> Subquery:
    return (
        select(col(Call.lead_id).label("owner"), col(Call.result_key).label("value"))
        .where(col(Call.organisation_id) == organisation_id)
        .subquery()
    )


def _segments(organisation_id: int) -> Subquery:
    return (
        select(col(SegmentMember.lead_id).label("owner"), col(SegmentMember.segment_id).label("value"))
        .where(col(SegmentMember.organisation_id) == organisation_id, is_member())
        .subquery()
    )


def _contacts(organisation_id: int, lead_ids: frozenset[int] | None) -> Subquery:
    """Calls whose result counts as contact, and touches by a person."""
    is_contact = and_(
        col(CampaignResult.organisation_id) == col(Call.organisation_id),
        col(CampaignResult.campaign_id) == col(Call.campaign_id),
        col(CampaignResult.key) == col(Call.result_key),
        col(CampaignResult.is_contact).is_(True),
    )
    calls = _calls(organisation_id, lead_ids).join(CampaignResult, is_contact)
    touches = _touches(organisation_id, lead_ids).where(col(Touch.kind) == TouchKind.MANUAL.value)
    return union_all(calls, touches).subquery()


def _all_touches(organisation_id: int, lead_ids: frozenset[int] | None) -> Subquery:
    return union_all(_calls(organisation_id, lead_ids), _touches(organisation_id, lead_ids)).subquery()


def _calls(organisation_id: int, lead_ids: frozenset[int] | None) -> Any:
    return select(col(Call.lead_id).label("lead_id"), col(Call.at).label("at")).where(
        col(Call.organisation_id) == organisation_id, among(col(Call.lead_id), lead_ids)
    )


def _touches(organisation_id: int, lead_ids: frozenset[int] | None) -> Any:
    return select(col(Touch.lead_id).label("lead_id"), col(Touch.at).label("at")).where(
        col(Touch.organisation_id) == organisation_id, among(col(Touch.lead_id), lead_ids)
    )


ROWS_OF: Mapping[str, Callable[[int], Subquery]] = {
    LEAD_TAGS: _tags,
    LEAD_STAGES: _stages,
    LEAD_RESULTS: _results,
    LEAD_SEGMENTS: _segments,
}
MOMENTS_OF: Mapping[str, Callable[[int, frozenset[int] | None], Subquery]] = {
    LEAD_CONTACTED: _contacts,
    LEAD_TOUCHED: _all_touches,
}
