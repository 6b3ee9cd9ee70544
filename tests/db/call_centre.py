"""A small call centre for tests: an organisation, agents, a campaign with pools, a segment, leads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlmodel import col

from core.access import Actor, ActorKind, Permission, Reach, Resource, Right, Scope
from db.database import Database
from db.models import (
    Campaign,
    CampaignResult,
    Lead,
    LeadPool,
    Organisation,
    OwnerTeam,
    OwnerTeamSet,
    Project,
    Segment,
    SegmentGroup,
    SegmentMember,
    Team,
    Template,
    User,
)

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)  # a Monday
ON_MONDAY = {"zone": "UTC", "monday": [{"from": "09:00", "to": "17:00"}]}
ON_TUESDAY = {"zone": "UTC", "tuesday": [{"from": "09:00", "to": "17:00"}]}
ANN, BOB = 1, 2
SALES, SUPPORT = 1, 2
OF_SALES, OF_SUPPORT, OF_BOTH = 101, 102, 103
"""Sets of owning teams."""
SEGMENT, CAMPAIGN, POOL = 1, 1, 1


def agent(user_id: int = ANN, *, organisation_id: int = 1, segments: Reach = frozenset({SEGMENT})) -> Scope:
    """An agent of the sales team who may view and call these segments."""
    features = frozenset({Permission.SEGMENT_CALL, Permission.SEGMENT_VIEW, Permission.LEAD_VIEW})
    reach = {(Resource.SEGMENT, right): segments for right in (Right.VIEW, Right.CALL)}
    actor = Actor(ActorKind.USER, user_id)
    return Scope(organisation_id, actor, features, frozenset({SALES}), policy_revision=1, reach=reach)


def manager(user_id: int = BOB, *, organisation_id: int = 1) -> Scope:
    """One who may call everything."""
    reach: dict[tuple[Resource, Right], Reach] = {
        (resource, right): None for resource in Resource for right in Right
    }
    return Scope(
        organisation_id,
        Actor(ActorKind.USER, user_id),
        frozenset(Permission),
        frozenset(),
        policy_revision=1,
        reach=reach,
    )


@dataclass(slots=True)
class CallCentre:
    """The organisation's rows, by their numbers from 1 on."""

    database: Database
    organisation_id: int

    async def add(self, model: type[Any], rows: Iterable[dict[str, Any]]) -> None:
        keyed = [{"organisation_id": self.organisation_id, **row} for row in rows]
        async with self.database.writing() as session:
            await session.execute(insert(model), keyed)

    async def change(self, model: type[Any], row_id: int, **values: Any) -> None:
        async with self.database.writing() as session:
            await session.execute(
                update(model)
                .where(model.organisation_id == self.organisation_id, model.id == row_id)
                .values(**values)
            )

    async def add_leads(self, count: int, *, first: int = 1, **values: Any) -> list[int]:
        """Leads in the first pool and segment, unless said otherwise; position and number run alike."""
        segment_id = values.pop("segment_id", SEGMENT)
        numbers = list(range(first, first + count))
        await self.add(Lead, [{**lead_row(number), **values} for number in numbers])
        if segment_id is not None:
            await self.add_members(segment_id, numbers)
        return numbers

    async def add_members(self, segment_id: int, lead_ids: Iterable[int], origin: str = "rule") -> None:
        members = [
            {"segment_id": segment_id, "lead_id": lead_id, "origin": origin, "added_at": NOW}
            for lead_id in lead_ids
        ]
        await self.add(SegmentMember, members)

    async def lead(self, lead_id: int) -> Lead:
        async with self.database.reading() as session:
            statement = select(Lead).where(
                col(Lead.organisation_id) == self.organisation_id, col(Lead.id) == lead_id
            )
            return (await session.execute(statement)).scalars().one()


def lead_row(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "project_id": 1,
        "campaign_id": CAMPAIGN,
        "pool_id": POOL,
        "position": number,
        "phone": f"+4520{number:06}",
        "phone_raw": f"20{number:06}",
        "field_values": {},
        "created_at": NOW,
        "changed_at": NOW,
    }


def campaign_row(number: int, **values: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "project_id": 1,
        "template_id": 1,
        "code": f"C{number}",
        "name": f"Campaign {number}",
    }
    return row | {"region": "DK", "time_zone": "UTC", "hours": None, "created_at": NOW} | values


def pool_row(number: int, **values: Any) -> dict[str, Any]:
    row = {"id": number, "campaign_id": CAMPAIGN, "name": f"Pool {number}", "source": "upload"}
    return row | {"created_at": NOW, "updated_at": NOW} | values


def segment_row(number: int, **values: Any) -> dict[str, Any]:
    row = {"id": number, "project_id": 1, "group_id": 1, "name": f"Segment {number}", "kind": "dynamic"}
    return row | {"position": number, "hours": ON_MONDAY, "created_at": NOW, "updated_at": NOW} | values


def result_row(number: int, key: str, status: str, campaign_id: int = CAMPAIGN) -> dict[str, Any]:
    row = {"id": number, "campaign_id": campaign_id, "key": key, "label": key.title()}
    return row | {"status": status, "position": number}


async def open_call_centre(database: Database, organisation_id: int = 1) -> CallCentre:
    """An organisation with two agents, a campaign, a pool and a segment open on Mondays, and no leads."""
    async with database.writing() as session:
        session.add(Organisation(id=organisation_id, name="Call centre", time_zone="UTC", created_at=NOW))
    centre = CallCentre(database, organisation_id)
    await centre.add(
        User,
        [
            {"id": number, "email": f"{name}@example.org", "name": name, "created_at": NOW}
            for number, name in [(ANN, "Ann"), (BOB, "Bob")]
        ],
    )
    await centre.add(
        Team,
        [
            {"id": number, "name": name, "created_at": NOW}
            for number, name in [(SALES, "Sales"), (SUPPORT, "Support")]
        ],
    )
    sets = {OF_SALES: [SALES], OF_SUPPORT: [SUPPORT], OF_BOTH: [SALES, SUPPORT]}
    await centre.add(
        OwnerTeamSet, [{"id": each, "teams": ",".join(map(str, teams))} for each, teams in sets.items()]
    )
    await centre.add(
        OwnerTeam, [{"set_id": each, "team_id": team} for each, teams in sets.items() for team in teams]
    )
    await centre.add(Project, [{"id": 1, "name": "Project", "created_at": NOW}])
    await centre.add(Template, [{"id": 1, "project_id": 1, "name": "Template"}])
    await centre.add(Campaign, [campaign_row(CAMPAIGN)])
    await centre.add(
        CampaignResult,
        [result_row(1, "sale", "closed"), result_row(2, "no_answer", "open")],
    )
    await centre.add(LeadPool, [pool_row(POOL)])
    await centre.add(
        SegmentGroup, [{"id": 1, "project_id": 1, "name": "Group", "position": 1, "created_at": NOW}]
    )
    await centre.add(Segment, [segment_row(SEGMENT)])
    return centre
