"""What a scope lets one see, asked of the database and worked out by hand from the same rows."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from core.access import (
    Actor,
    ActorKind,
    Permission,
    Reach,
    Resource,
    Right,
    Scope,
    TokenLimits,
)
from db.database import Database
from db.models import (
    Campaign,
    FieldDefinition,
    ImportMapping,
    Job,
    Lead,
    LeadPool,
    LeadTag,
    LeadUpload,
    Organisation,
    OwnerTeam,
    OwnerTeamSet,
    Pipeline,
    Project,
    Segment,
    SegmentGroup,
    SegmentMember,
    Tag,
    Team,
    Template,
    User,
)
from db.models.columns import OrganisationRow
from db.paging import OrderKey, Paging, fetch_page
from db.queries.visible import VISIBLE, visible_by_id
from db.scope_sql import visible_leads, visible_leads_by_id, visible_pools, visible_segments

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PROJECTS, CAMPAIGNS, POOLS, GROUPS, SEGMENTS, LEADS, USERS, TEAMS, TAGS = 3, 6, 9, 5, 12, 60, 4, 4, 8
OWNER_SETS = {1: (1,), 2: (2,), 3: (3,), 4: (4,), 5: (1, 2), 6: (2, 3, 4)}
GRANT_SETS, GRANT_SETS_SOAK = 60, 1_000
ORIGINS = ["rule", "hand", "import", "removed_by_hand"]

Row = dict[str, Any]


@dataclass
class Rows:
    """One organisation's rows, as they are also in the database."""

    organisation_id: int
    campaigns: dict[int, Row] = field(default_factory=dict)
    pools: dict[int, Row] = field(default_factory=dict)
    segments: dict[int, Row] = field(default_factory=dict)
    leads: dict[int, Row] = field(default_factory=dict)
    members: list[Row] = field(default_factory=list)
    tagged: list[Row] = field(default_factory=list)
    pipelines: dict[int, Row] = field(default_factory=dict)
    mappings: dict[int, Row] = field(default_factory=dict)
    uploads: dict[int, Row] = field(default_factory=dict)


def random_rows(chance: random.Random, organisation_id: int) -> Rows:
    org, both = {"organisation_id": organisation_id}, {"created_at": NOW, "updated_at": NOW}
    rows = Rows(organisation_id)
    for each in range(1, CAMPAIGNS + 1):
        place: Row = {"project_id": chance.randint(1, PROJECTS), "template_id": 1}
        about: Row = {"code": f"C{each}", "name": "C", "region": "US", "time_zone": "UTC", "created_at": NOW}
        rows.campaigns[each] = {**org, "id": each, **place, **about}
    for each in range(1, POOLS + 1):
        place = {"campaign_id": chance.randint(1, CAMPAIGNS - 1)}
        rows.pools[each] = {**org, "id": each, **place, "name": "P", "source": "api", **both}
    for each in range(1, SEGMENTS + 1):
        drawn = chance.sample(range(1, CAMPAIGNS + 1), chance.randrange(3))
        place = {"group_id": chance.randint(1, GROUPS), "project_id": chance.randint(1, PROJECTS - 1)}
        about = {"filter": chance.choice([None, {"campaigns": drawn}]), "position": each}
        rows.segments[each] = {**org, "id": each, **place, **about, "name": "S", "kind": "dynamic", **both}
    for each in range(1, LEADS + 1):
        rows.leads[each] = random_lead(chance, rows, each)
    for segment in rows.segments:
        for lead in chance.sample(range(1, LEADS + 1), chance.randrange(12)):
            member = {"segment_id": segment, "lead_id": lead, "origin": chance.choice(ORIGINS)}
            rows.members.append({**org, **member, "added_at": NOW})
    for tag in range(1, TAGS + 1):
        for lead in chance.sample(range(1, LEADS + 1), chance.randrange(4)):
            rows.tagged.append({**org, "lead_id": lead, "tag_id": tag, "tagged_at": NOW})
    add_of_projects(chance, rows)
    return rows


def add_of_projects(chance: random.Random, rows: Rows) -> None:
    """What is seen by way of a project or a campaign."""
    org = {"organisation_id": rows.organisation_id}
    for each in range(1, PROJECTS + 1):
        rows.pipelines[each] = {
            **org,
            "id": each,
            "project_id": each,
            "name": "L",
            "position": 1,
            "created_at": NOW,
        }
    for each, campaign in rows.campaigns.items():
        of = {**org, "id": each, "campaign_id": each, "created_at": NOW}
        rows.mappings[each] = {
            **of,
            "project_id": campaign["project_id"],
            "name": f"M{each}",
            "fields": {},
            "updated_at": NOW,
        }
        rows.uploads[each] = {
            **of,
            "file_name": "a.csv",
            "size": 1,
            "state": "received",
            "created_by": chance.choice([None, *range(1, USERS + 1)]),
        }


def random_lead(chance: random.Random, rows: Rows, number: int) -> Row:
    pool = rows.pools[chance.randint(1, POOLS)]
    campaign = rows.campaigns[pool["campaign_id"]]
    return {
        "organisation_id": rows.organisation_id,
        "id": number,
        "project_id": campaign["project_id"],
        "campaign_id": campaign["id"],
        "pool_id": pool["id"],
        "position": number,
        "phone": "+12025550123",
        "phone_raw": "",
        "owner_user_id": chance.choice([None, None, *range(1, USERS + 1)]),
        "owner_teams_id": chance.choice([None, None, *OWNER_SETS]),
        "field_values": {},
        "created_at": NOW,
        "changed_at": NOW,
    }


def tables_of(rows: Rows) -> list[tuple[type[SQLModel], list[Row]]]:
    """All rows of an organisation by table, in an order in which they can be inserted."""
    org, at = {"organisation_id": rows.organisation_id}, {"created_at": NOW}

    def several(count: int, **values: Any) -> list[Row]:
        return [{**org, "id": each, "name": f"N{each}", **values} for each in range(1, count + 1)]

    users = [{**each, "email": f"{each['id']}@x.example"} for each in several(USERS, **at)]
    return [
        (Organisation, [{"id": rows.organisation_id, "name": "O", "time_zone": "UTC", **at}]),
        (User, users),
        (Team, several(TEAMS, **at)),
        (OwnerTeamSet, [{**org, "id": each, "teams": str(teams)} for each, teams in OWNER_SETS.items()]),
        (
            OwnerTeam,
            [{**org, "set_id": one, "team_id": team} for one, teams in OWNER_SETS.items() for team in teams],
        ),
        (Project, several(PROJECTS, **at)),
        (Template, several(1, project_id=1)),
        (Campaign, list(rows.campaigns.values())),
        (LeadPool, list(rows.pools.values())),
        (SegmentGroup, several(GROUPS, project_id=1, position=1, **at)),
        (Segment, list(rows.segments.values())),
        (Lead, list(rows.leads.values())),
        (SegmentMember, rows.members),
        (Tag, [{**org, "id": each, "name": f"t{each}", "label": "T", **at} for each in range(1, TAGS + 1)]),
        (LeadTag, rows.tagged),
        (Pipeline, list(rows.pipelines.values())),
        (ImportMapping, list(rows.mappings.values())),
        (LeadUpload, list(rows.uploads.values())),
    ]


def random_scope(chance: random.Random, organisation_id: int) -> Scope:
    def ids(count: int) -> Reach:
        return chance.choice(
            [None, frozenset(), frozenset(chance.sample(range(1, count + 1), chance.randrange(5)))]
        )

    segments, pools = ids(SEGMENTS), ids(POOLS)
    reach: dict[tuple[Resource, Right], Reach] = {
        (Resource.SEGMENT, Right.VIEW): segments,
        (Resource.LEAD_POOL, Right.VIEW): pools,
        (Resource.LEAD, Right.VIEW): chance.choice([None, frozenset(), frozenset()]),
    }
    limits = TokenLimits()
    if chance.random() < 0.3:
        named = frozenset(chance.sample(range(1, SEGMENTS + 1), 3))
        limits = TokenLimits(segment_ids=named)
        reach = {(Resource.SEGMENT, Right.VIEW): named if segments is None else named & segments}
    managing = [Permission.CAMPAIGN_MANAGE, Permission.SEGMENT_GROUP_MANAGE]
    return Scope(
        organisation_id,
        Actor(ActorKind.API_KEY, chance.choice([None, *range(1, USERS + 1)]), 1),
        frozenset(each for each in managing if chance.random() < 0.2),
        frozenset(chance.sample(range(1, TEAMS + 1), chance.randrange(3))),
        1,
        reach,
        limits,
    )


def by_hand(rows: Rows, scope: Scope) -> Mapping[type[OrganisationRow], set[int]]:
    """The ids of each noun that the scope lets one see, from the words of the requirements."""
    every = {"groups": set(range(1, GROUPS + 1)), "projects": set(range(1, PROJECTS + 1))}

    def right(resource: Resource, number: int) -> bool:
        return scope.reaches(resource, Right.VIEW, number)

    segments = {each for each in rows.segments if right(Resource.SEGMENT, each)}
    pools = {each for each in rows.pools if right(Resource.LEAD_POOL, each)}
    joined = {
        each["lead_id"]
        for each in rows.members
        if each["segment_id"] in segments and each["origin"] != "removed_by_hand"
    }
    leads = {
        number
        for number, lead in rows.leads.items()
        if scope.within(Resource.LEAD, Right.VIEW) is None
        or number in joined
        or (not scope.confined and owns(scope, lead))
    }
    manages_campaigns = Permission.CAMPAIGN_MANAGE in scope.features and not scope.confined
    all_pools = scope.within(Resource.LEAD_POOL, Right.VIEW) is None
    campaigns = {
        number
        for number, campaign in rows.campaigns.items()
        if manages_campaigns
        or all_pools
        or any(rows.pools[each]["campaign_id"] == number for each in pools)
        or any(draws_from(rows.segments[each], campaign) for each in segments)
    }
    projects = {rows.campaigns[each]["project_id"] for each in campaigns}
    projects |= {rows.segments[each]["project_id"] for each in segments}
    if manages_campaigns or all_pools:
        projects = every["projects"]
    groups = {rows.segments[each]["group_id"] for each in segments}
    all_segments = scope.within(Resource.SEGMENT, Right.VIEW) is None
    if all_segments or (Permission.SEGMENT_GROUP_MANAGE in scope.features and not scope.confined):
        groups = every["groups"]
    uploads = {
        number
        for number, upload in rows.uploads.items()
        if upload["campaign_id"] in campaigns
        or (upload["created_by"] is not None and upload["created_by"] == scope.actor.user_id)
    }
    all_leads = scope.within(Resource.LEAD, Right.VIEW) is None
    return {
        Tag: set(range(1, TAGS + 1))
        if all_leads
        else {each["tag_id"] for each in rows.tagged if each["lead_id"] in leads},
        Pipeline: {each for each, row in rows.pipelines.items() if row["project_id"] in projects},
        ImportMapping: {each for each, row in rows.mappings.items() if row["project_id"] in projects},
        LeadUpload: set() if scope.confined else uploads,
        Segment: segments,
        LeadPool: pools,
        Lead: leads,
        Campaign: campaigns,
        Project: projects,
        SegmentGroup: groups,
    }


def owns(scope: Scope, lead: Row) -> bool:
    user, teams = lead["owner_user_id"], OWNER_SETS.get(lead["owner_teams_id"], ())
    return (user is not None and user == scope.actor.user_id) or bool(scope.team_ids & set(teams))


def draws_from(segment: Row, campaign: Row) -> bool:
    named = (segment["filter"] or {}).get("campaigns")
    return segment["project_id"] == campaign["project_id"] and (not named or campaign["id"] in named)


@pytest.fixture
async def worlds(database: Database) -> list[Rows]:
    """Two organisations that use the same numbers for everything."""
    chance, worlds = random.Random(7), []
    async with database.writing() as session:
        for organisation_id in (1, 2):
            worlds.append(random_rows(chance, organisation_id))
            for table, values in tables_of(worlds[-1]):
                await session.execute(insert(table), values)
    return worlds


async def test_lists_counts_and_look_ups_show_just_what_the_grants_give(
    database: Database, worlds: list[Rows], soak: bool
) -> None:
    chance = random.Random(11)
    seen = dict.fromkeys(VISIBLE, 0)
    for _ in range(GRANT_SETS_SOAK if soak else GRANT_SETS):
        rows = chance.choice(worlds)
        scope = random_scope(chance, rows.organisation_id)
        async with database.reading() as session:
            for model, expected in by_hand(rows, scope).items():
                visible = visible_leads if model is Lead else VISIBLE[model]
                where = (col(model.organisation_id) == scope.organisation_id, visible(scope))
                listed = (await session.execute(select(col(model.id)).where(*where))).scalars().all()
                counted = await session.scalar(select(func.count()).select_from(model).where(*where))
                found = await visible_by_id(session, scope, model, range(LEADS + 2))
                assert sorted(listed) == sorted(expected), (model, scope)
                assert await every_page(session, model, where, chance.randint(1, 9)) == sorted(expected)
                assert counted == len(expected)
                assert set(found) == expected
                assert all(row.organisation_id == rows.organisation_id for row in found.values())
                seen[model] += len(expected)
    # Jobs are seen by their uploads, askers and kinds: `scenarios/test_job_reach.py`.
    assert {model for model in VISIBLE if not seen[model]} == {FieldDefinition, Job, Team, User}


async def every_page(
    session: AsyncSession, model: type[OrganisationRow], where: Sequence[ColumnElement[bool]], first: int
) -> list[int]:
    """The ids of all pages of that size, one after the other; no page but the last has room left."""
    found: list[int] = []
    after = None
    while True:
        page = await fetch_page(
            session, select(model).where(*where), [OrderKey(col(model.id))], Paging(first, after)
        )
        found += [row.id for row in page.rows]
        if not page.has_next:
            return found
        assert len(page.rows) == first
        after = page.keys[-1]


async def test_a_predicate_may_be_used_beside_the_tables_it_looks_into(
    database: Database, worlds: list[Rows]
) -> None:
    scope = Scope(
        1,
        Actor(ActorKind.USER, 1),
        frozenset(),
        frozenset(),
        1,
        {(Resource.SEGMENT, Right.VIEW): frozenset({1, 2, 3})},
    )
    joined = (
        select(func.count(func.distinct(col(Lead.id))))
        .join(
            SegmentMember,
            (col(SegmentMember.organisation_id) == 1) & (col(SegmentMember.lead_id) == col(Lead.id)),
        )
        .where(col(Lead.organisation_id) == 1, visible_leads(scope), visible_leads_by_id(scope))
    )
    members = {each["lead_id"] for each in worlds[0].members}
    async with database.reading() as session:
        count = await session.scalar(joined)
    assert count == len(by_hand(worlds[0], scope)[Lead] & members)


async def test_tens_of_thousands_of_grants_fit_one_statement(database: Database, worlds: list[Rows]) -> None:
    many = frozenset(range(3, 60_000))
    reach: dict[tuple[Resource, Right], Reach] = {
        (resource, Right.CALL): many for resource in (Resource.SEGMENT, Resource.LEAD_POOL)
    }
    scope = Scope(1, Actor(ActorKind.USER, 1), frozenset(), frozenset(), 1, reach)
    async with database.reading() as session:
        segments = await session.scalars(
            select(col(Segment.id)).where(
                col(Segment.organisation_id) == 1, visible_segments(scope, Right.CALL)
            )
        )
        pools = await session.scalars(
            select(col(LeadPool.id)).where(
                col(LeadPool.organisation_id) == 1, visible_pools(scope, Right.CALL)
            )
        )
    assert set(segments) == set(range(3, SEGMENTS + 1))
    assert set(pools) == set(range(3, POOLS + 1))
