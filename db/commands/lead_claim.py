"""Leasing the next lead to a call session."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Scope
from db.models import CallSession, Lead, LeadPool
from db.queries.calling import Offer, caller_of, pools_by_priority
from db.queries.lead_readiness import (
    due,
    is_personal,
    may_have,
    pool_in_service,
    ready,
    redial_rank,
    rested,
    through,
    workable,
)
from db.scope_sql import among


def of_session(scope: Scope, call_session: CallSession, lead: type[Lead] = Lead) -> list[ColumnElement[bool]]:
    """Leads in the hands of that session, or last in them if the lease ran out."""
    return [
        col(lead.organisation_id) == scope.organisation_id,
        col(lead.lease_session_id) == call_session.id,
    ]


def let_go(scope: Scope, call_session: CallSession) -> Any:
    """Frees whatever the session holds."""
    return (
        update(Lead)
        .where(*of_session(scope, call_session))
        .values(lease_session_id=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )


class Claim:
    """One attempt to lease a lead; each step is a single statement: no two agents get the same lead."""

    def __init__(
        self,
        session: AsyncSession,
        scope: Scope,
        call_session: CallSession,
        offer: Offer,
        now: datetime,
        lease_until: datetime,
    ) -> None:
        self._session = session
        self._scope = scope
        self._call_session = call_session
        self._offer = offer
        self._now = now
        self._lease_until = lease_until

    async def next_lead(self) -> Lead | None:
        """The lead the session holds already, else the first in order that is free."""
        return await self.held() or await self.redial() or await self.fresh()

    async def held(self) -> Lead | None:
        """The lead this session holds, if it may still be called; one that may not is let go."""
        mine = and_(*of_session(self._scope, self._call_session))
        lease_until = (
            (await self._session.execute(select(col(Lead.lease_until)).where(mine))).scalars().first()
        )
        if lease_until is None:
            return None
        lead, pool = aliased(Lead), aliased(LeadPool)
        candidate = self._candidates(lead, pool).where(
            *of_session(self._scope, self._call_session, lead),
            col(lead.lease_until) > self._now,
            workable(lead),
            due(lead, self._now),
            or_(is_personal(lead), pool_in_service(pool, self._now)),
        )
        found = await self._lease(candidate.limit(1).with_for_update(of=lead))
        if found is None:
            await self._session.execute(let_go(self._scope, self._call_session))
        return found

    async def redial(self) -> Lead | None:
        """The first redial that is due, by class, priority and time."""
        lead, pool = aliased(Lead), aliased(LeadPool)
        candidate = (
            self._candidates(lead, pool)
            .where(
                ready(lead, self._now),
                col(lead.redial_kind).is_not(None),
                col(lead.redial_at) <= self._now,
                or_(is_personal(lead), pool_in_service(pool, self._now)),
            )
            .order_by(
                redial_rank(lead, self._now),
                col(pool.priority).desc(),
                col(lead.priority).desc(),
                col(lead.redial_at),
                col(lead.id),
            )
        )
        return await self._lease(candidate.limit(1).with_for_update(of=lead, skip_locked=True))

    async def fresh(self) -> Lead | None:
        """The first lead without a redial, by priority of pool and lead, then in the pools' order."""
        campaign_ids = [each for door in self._offer.doors for each in door.campaign_ids]
        if not campaign_ids:
            return None
        for pool_ids in await pools_by_priority(self._session, self._scope, campaign_ids, self._now):
            lead = aliased(Lead)
            candidate = (
                select(col(lead.id))
                .where(
                    col(lead.organisation_id) == self._scope.organisation_id,
                    through(lead, self._scope.organisation_id, self._offer.doors),
                    among(col(lead.pool_id), frozenset(pool_ids)),
                    ready(lead, self._now),
                    col(lead.redial_kind).is_(None),
                    rested(lead, self._now),
                    may_have(lead, caller_of(self._scope)),
                )
                .order_by(col(lead.priority).desc(), col(lead.pool_id), col(lead.position), col(lead.id))
            )
            found = await self._lease(candidate.limit(1).with_for_update(of=lead, skip_locked=True))
            if found is not None:
                return found
        return None

    def _candidates(self, lead: type[Lead], pool: type[LeadPool]) -> Select[int]:
        """Leads of the session that are the agent's to call, each with its pool."""
        organisation_id = self._scope.organisation_id
        of_pool = and_(col(pool.organisation_id) == organisation_id, col(pool.id) == col(lead.pool_id))
        personal = and_(is_personal(lead), col(lead.campaign_id).in_(self._offer.personal))
        return (
            select(col(lead.id))
            .join(pool, of_pool)
            .where(
                col(lead.organisation_id) == organisation_id,
                or_(through(lead, organisation_id, self._offer.doors), personal),
                may_have(lead, caller_of(self._scope)),
            )
        )

    async def _lease(self, candidate: Select[int]) -> Lead | None:
        statement = (
            update(Lead)
            .where(
                col(Lead.organisation_id) == self._scope.organisation_id,
                col(Lead.id) == candidate.scalar_subquery(),
            )
            .values(lease_session_id=self._call_session.id, lease_until=self._lease_until, processed=True)
            .returning(Lead)
        )
        options = {"synchronize_session": False, "populate_existing": True}
        return (await self._session.execute(statement, execution_options=options)).scalars().first()
