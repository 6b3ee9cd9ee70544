"""Doing the same to several leads: each is locked, judged by itself, and told about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.access import Scope
from core.errors import LeadgraphError, NotFound
from core.lead_rows import ValueWarning
from db.models import Lead
from db.queries.visible import check_version
from db.scope_sql import among, visible_leads_by_id


@dataclass(frozen=True, slots=True)
class LeadEdited:
    """A lead after an edit; `changed` is false where it was so already.

    warnings  values that were kept as they are and are empty for rules
    """

    lead: Lead
    changed: bool
    warnings: tuple[ValueWarning, ...] = ()


Outcomes = dict[int, LeadEdited | LeadgraphError]
"""What became of each lead, in the order in which they were asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Leads to do the same to.

    versions  those that were seen, by lead; a lead that has another is refused
    atomic    the first that is refused is raised, `field` naming its place: then nothing is done
    path      where the caller named them
    """

    ids: Sequence[int]
    versions: Mapping[int, int] = field(default_factory=dict)
    atomic: bool = False
    path: tuple[str, ...] = ("input", "selection", "ids")

    def each(self, seen: Mapping[int, Lead], edit: Callable[[Lead], LeadEdited]) -> Outcomes:
        """Edits those that the caller sees; the others are not found."""
        outcomes: Outcomes = {}
        for place, lead_id in enumerate(self.ids):
            try:
                if lead_id not in seen:
                    raise NotFound
                check_version(seen[lead_id].version, self.versions.get(lead_id), ())
                outcomes[lead_id] = edit(seen[lead_id])
            except LeadgraphError as error:
                if self.atomic:
                    error.field = (*self.path, str(place))
                    raise
                outcomes[lead_id] = error
        return outcomes


async def lock_leads(session: AsyncSession, scope: Scope, which: ColumnElement[bool]) -> dict[int, Lead]:
    """The leads, locked in the order of their ids."""
    found = (
        select(Lead)
        .where(col(Lead.organisation_id) == scope.organisation_id, which)
        .order_by(col(Lead.id))
        .with_for_update(of=Lead)
        .execution_options(populate_existing=True)
    )
    return {lead.id: lead for lead in (await session.execute(found)).scalars()}


async def lock_seen_leads(session: AsyncSession, scope: Scope, lead_ids: Sequence[int]) -> dict[int, Lead]:
    """Those of the leads that the caller sees, locked likewise."""
    seen = select(col(Lead.id)).where(
        col(Lead.organisation_id) == scope.organisation_id,
        among(col(Lead.id), frozenset(lead_ids)),
        visible_leads_by_id(scope),
    )
    found = frozenset((await session.execute(seen)).scalars())
    return await lock_leads(session, scope, among(col(Lead.id), found))


def move(lead: Lead, now: datetime) -> None:
    """A lead has changed in a way that rules and readers are to notice."""
    lead.version += 1
    lead.changed_at = now
