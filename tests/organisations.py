"""Organisations, users and tokens made by the real commands: for tests of who may do what."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select
from sqlmodel import SQLModel, col

from core.access import UNLIMITED, Role, Scope, TokenLimits
from db.commands.api_token import create_api_token
from db.commands.organisation import create_organisation, furnish_organisation
from db.commands.user import create_user
from db.database import Database
from db.models import Campaign, Lead, LeadPool, Project, Segment, SegmentGroup, Template
from gql.authz.enforcer import Policies
from gql.authz.scope import operator_scope, scope_of
from gql.authz.tokens import new_secret, principal_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Tenant:
    """An organisation in a database; its administrator has the id 1."""

    database: Database
    organisation_id: int
    policies: Policies = field(default_factory=Policies)

    @property
    def operator(self) -> Scope:
        return operator_scope(self.organisation_id)

    async def user(self, name: str, *roles: Role, team_ids: Sequence[int] = ()) -> int:
        """A new user's id."""
        async with self.database.writing() as session:
            user = await create_user(
                session,
                self.operator,
                email=f"{name}@acme.example",
                name=name,
                roles=roles,
                team_ids=team_ids,
                now=NOW,
            )
        return user.id

    async def token(
        self,
        user_id: int,
        limits: TokenLimits = UNLIMITED,
        *,
        expires_at: datetime = NOW + timedelta(days=1),
        by: Scope | None = None,
    ) -> str:
        """A new token's text."""
        secret = new_secret()
        async with self.database.writing() as session:
            token = await create_api_token(
                session,
                by or self.operator,
                user_id=user_id,
                name="t",
                secret_hash=secret.hash,
                limits=limits,
                expires_at=expires_at,
                now=NOW,
            )
        return secret.text(self.organisation_id, token.id)

    async def scope(self, token: str, now: datetime = NOW) -> Scope:
        """What a token may do now, found as a request finds it. Raises Unauthenticated."""
        async with self.database.reading() as session:
            return await scope_of(session, principal_of(f"Bearer {token}"), now, self.policies)

    async def scope_of_user(self, user_id: int) -> Scope:
        return await self.scope(await self.token(user_id))


async def new_tenant(database: Database, name: str = "Acme") -> Tenant:
    """An organisation with `admin@acme.example`."""
    async with database.writing() as session:
        organisation_id = await create_organisation(session, name=name, time_zone="UTC", now=NOW)
    tenant = Tenant(database, organisation_id)
    async with database.writing() as session:
        await furnish_organisation(session, tenant.operator, admin_email="admin@acme.example", now=NOW)
    return tenant


async def add_segment(tenant: Tenant, name: str = "S") -> int:
    """The id of a new static segment, in project, campaign, pool and group 1, which the first one brings."""
    org, at = {"organisation_id": tenant.organisation_id}, {"created_at": NOW}
    place = {**org, "project_id": 1, "name": "N"}
    settings = {"region": "US", "time_zone": "UTC", "template_id": 1, "code": "C"}
    async with tenant.database.writing() as session:
        last = await session.scalar(
            select(func.max(col(Segment.id))).where(col(Segment.organisation_id) == tenant.organisation_id)
        )
        rows: list[tuple[type[SQLModel], dict[str, Any]]] = [
            (Project, {**org, "id": 1, "name": "P", **at}),
            (Template, {**place, "id": 1}),
            (Campaign, {**place, "id": 1, **settings, **at}),
            (
                LeadPool,
                {**org, "id": 1, "campaign_id": 1, "name": "L", "source": "api", **at, "updated_at": NOW},
            ),
            (SegmentGroup, {**place, "id": 1, "position": 1, **at}),
        ]
        number = (last or 0) + 1
        segment = {"group_id": 1, "kind": "static", "position": number, "updated_at": NOW}
        made: tuple[type[SQLModel], dict[str, Any]] = (
            Segment,
            {**place, "id": number, **segment, **at, "name": name},
        )
        for table, values in [*(rows if last is None else []), made]:
            await session.execute(insert(table).values(**values))
    return number


async def add_lead(tenant: Tenant, number: int, **values: Any) -> None:
    """A lead of pool 1 with that id."""
    row = {
        "organisation_id": tenant.organisation_id,
        "id": number,
        "project_id": 1,
        "campaign_id": 1,
        "pool_id": 1,
        "position": number,
        "phone": "+12025550123",
        "phone_raw": "",
        "field_values": {},
        "created_at": NOW,
        "changed_at": NOW,
        **values,
    }
    async with tenant.database.writing() as session:
        await session.execute(insert(Lead).values(**row))
