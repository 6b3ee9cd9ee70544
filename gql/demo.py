"""The demo organisation: made once, from the example files, by the commands that everything else uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from core.access import IMPLIED, Actor, ActorKind, Resource, Right, Role, Scope, TokenLimits
from core.campaign import DEFAULT_RESULTS
from core.csv_file import detect
from core.field_mapping import template_of
from core.fields import Field, FieldType, Locale
from core.membership import UpdateMode
from core.opening_hours import DAY_KEYS, parse_hours
from core.policies import team
from core.segment_filter import SegmentFilter
from core.upload import inspect
from db.commands.campaign import CampaignPlan, create_campaign
from db.commands.grant import AccessEntry, set_access
from db.commands.organisation import (
    create_organisation,
    discard_organisation,
    furnish_organisation,
    rename_organisation,
)
from db.commands.project import create_project
from db.commands.segment import SegmentSettings, create_segment
from db.commands.segment_filter import save_filter
from db.commands.segment_group import create_segment_group
from db.commands.segment_update import UpdateChoice
from db.commands.team import create_team
from db.commands.user import create_user
from db.models import Campaign, User
from db.queries.organisation import all_organisations
from gql.administration import issue
from gql.authz.scope import operator_scope
from gql.authz.tokens import LIFETIME
from gql.context import Services
from gql.jobs.file_import import FileImport, import_file

NAME, UNFINISHED = "Demo", "Demo, unfinished"
EXAMPLES = Path(__file__).parent.parent / "examples"
HOSPITALS, SCHOOLS = EXAMPLES / "hospitals.csv", EXAMPLES / "schools-rennes.csv"
SAMPLE_BYTES = 500_000

ALL_WEEK = parse_hours({"zone": "UTC", **{day: [{"from": "00:00", "to": "24:00"}] for day in DAY_KEYS}})

TO_TRY = {
    Role.ADMIN: "{ changeLog(first: 5) { nodes { at action } } }",
    Role.MANAGER: "{ leadPools { nodes { name totalLeads openLeads readyToDial } } }",
    Role.AGENT: "{ callableSegments { segment { name } leadsReady } }",
    Role.INTEGRATOR: (
        "subscription { segmentMembershipChanged "
        "{ cursor ... on MembershipChange { segment { name } joinedCount leftCount } } }"
    ),
}
"""A first query for each role."""

Rule = Mapping[str, object]


def _all(*rules: Rule) -> Rule:
    return {"combinator": "and", "rules": list(rules)}


def _is(field: str, operator: str, value: object) -> Rule:
    return {"field": field, "operator": operator, "value": value}


@dataclass(frozen=True, slots=True)
class DemoSegment:
    """A segment of the demo: its group, rule, and the team that may call it."""

    group: str
    name: str
    description: str
    rule: Rule
    team: str


SEGMENTS = (
    DemoSegment(
        "Care type",
        "Rural emergency hospitals",
        "Hospitals under the rural emergency designation",
        _all(_is("hospital_type", "=", "Rural Emergency Hospital")),
        "Rural desk",
    ),
    DemoSegment(
        "Care type",
        "Children's hospitals",
        "Hospitals for children, wherever they are",
        _all(_is("hospital_type", "contains", "children")),
        "Rural desk",
    ),
    DemoSegment(
        "Quality",
        "Texas acute care rated 4+",
        "Acute care hospitals in Texas with four or five stars",
        _all(
            _is("state", "=", "TX"),
            _is("hospital_type", "=", "Acute Care Hospitals"),
            _is("hospital_overall_rating", ">=", 4),
        ),
        "Texas desk",
    ),
    DemoSegment(
        "Quality",
        "Unrated, with emergency room",
        "No overall rating yet, but emergency services",
        _all(_is("hospital_overall_rating", "null", None), _is("emergency_services", "=", True)),
        "Texas desk",
    ),
)


async def make_demo(services: Services) -> Mapping[Role, str]:
    """Makes the demo organisation and answers with a token per role; with none where it is there already."""
    database, now = services.database, services.clock()
    async with database.writing() as session:
        found = {one.name: one.id or 0 for one in await all_organisations(session)}
        if NAME in found:
            return {}
        if UNFINISHED in found:
            await discard_organisation(session, found[UNFINISHED])
        organisation_id = await create_organisation(session, name=UNFINISHED, time_zone="UTC", now=now)
    async with database.writing() as session:
        operator = operator_scope(organisation_id)
        admin = await furnish_organisation(session, operator, admin_email="admin@demo.example", now=now)
    scope = operator_scope(organisation_id, Actor(ActorKind.USER, admin.id))
    async with database.writing() as session:
        teams = await _make_teams(session, scope, now)
        users = {Role.ADMIN: admin, **await _make_users(session, scope, teams, now)}
        project_id = (await create_project(session, scope, name="Demo project", exclusive=False, now=now)).id
        campaign = await _make_campaign(session, scope, project_id, "HOSPITALS", "US", HOSPITALS, now)
        await _make_campaign(session, scope, project_id, "SCHOOLS", "FR", SCHOOLS, now)
    wanted = FileImport(HOSPITALS, campaign.code, organisation=str(organisation_id))
    await import_file(services, wanted)
    async with database.writing() as session:
        await _make_segments(session, scope, project_id, campaign, teams, services.clock())
    async with database.writing() as session:
        await rename_organisation(session, scope, NAME, now=services.clock())
        return {
            role: await _token(session, scope, user, role, services.clock()) for role, user in users.items()
        }


def tour(address: str, tokens: Mapping[Role, str]) -> str:
    """What the terminal says: where the server is and, the first time, a token and a query for each role."""
    lines = [f"Leadgraph is at {address}/graphql (open it in a browser to try queries)."]
    for role, text in tokens.items():
        lines += ["", f"{role}: {text}", f"  {TO_TRY[role]}"]
    if not tokens:
        lines.append("The demo organisation is there; `python -m gql token create --user …` makes a token.")
    return "\n".join(lines)


async def _make_teams(session: AsyncSession, scope: Scope, now: datetime) -> dict[str, int]:
    floor = await create_team(session, scope, name="Call centre", now=now)
    names = ("Rural desk", "Texas desk")
    return {
        name: (await create_team(session, scope, name=name, parent_id=floor.id, now=now)).id for name in names
    }


async def _make_users(
    session: AsyncSession, scope: Scope, teams: Mapping[str, int], now: datetime
) -> dict[Role, User]:
    """A user per role; `agent2`, an agent of the other team, is not among them."""

    async def make(name: str, role: Role, *of: str) -> User:
        team_ids = [teams[one] for one in of]
        email = f"{name}@demo.example"
        return await create_user(
            session, scope, email=email, name=name.title(), roles=[role], team_ids=team_ids, now=now
        )

    await make("agent2", Role.AGENT, "Texas desk")
    return {
        Role.MANAGER: await make("manager", Role.MANAGER),
        Role.AGENT: await make("agent", Role.AGENT, "Rural desk"),
        Role.INTEGRATOR: await make("integrator", Role.INTEGRATOR),
    }


async def _make_campaign(
    session: AsyncSession, scope: Scope, project_id: int, code: str, region: str, file: Path, now: datetime
) -> Campaign:
    plan = CampaignPlan(
        project_id=project_id,
        code=code,
        name=code.title(),
        region=region,
        time_zone="UTC",
        results=DEFAULT_RESULTS,
        fields=_fields_like(file, region),
        hours=ALL_WEEK,
    )
    return await create_campaign(session, scope, plan, now=now)


def _fields_like(file: Path, region: str) -> Sequence[Field]:
    """A template as the file's columns suggest it; the first phone is what tells duplicates."""
    head = file.read_bytes()[:SAMPLE_BYTES]
    columns = inspect([head], detect(head), Locale(region, ZoneInfo("UTC")), max_columns=500)
    fields = template_of(columns)
    phone = next(place for place, field in enumerate(fields) if field.type is FieldType.PHONE)
    fields[phone] = replace(fields[phone], required=True, duplicate_key=True)
    return fields


async def _make_segments(
    session: AsyncSession,
    scope: Scope,
    project_id: int,
    campaign: Campaign,
    teams: Mapping[str, int],
    now: datetime,
) -> None:
    groups = {
        name: await create_segment_group(
            session, scope, project_id=project_id, name=name, active=True, now=now
        )
        for name in dict.fromkeys(segment.group for segment in SEGMENTS)
    }
    await session.flush()
    for plan in SEGMENTS:
        settings = SegmentSettings(name=plan.name, description=plan.description, hours=ALL_WEEK)
        segment = await create_segment(session, scope, groups[plan.group].id, settings, now=now)
        chosen = SegmentFilter(campaign_ids=(campaign.id,), rule=plan.rule)
        choice = UpdateChoice(UpdateMode.REPLACE)
        await save_filter(session, scope, segment.id, chosen, choice, expected_version=None, now=now)
        rights = IMPLIED[Right.CALL]
        access = [AccessEntry(team(teams[plan.team]), rights)]
        await set_access(session, scope, Resource.SEGMENT, segment.id, access, now=now)


async def _token(session: AsyncSession, scope: Scope, user: User, role: Role, now: datetime) -> str:
    return await issue(
        session, scope, user, name=f"demo {role}", limits=TokenLimits(), expires_at=now + LIFETIME, now=now
    )
