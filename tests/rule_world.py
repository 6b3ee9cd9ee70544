"""Leads with all that rules may ask about: a world to put them into, and leads at random."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.field_catalogue import Choice, KnownSegment, catalogue_of
from core.fields import EPOCH, Field, FieldType, Value, fold, moment_of_date
from core.rules import Held
from core.touch import TouchKind
from db.models import (
    Call,
    CallSession,
    CampaignResult,
    Lead,
    LeadPool,
    LeadSlots,
    LeadStage,
    LeadTag,
    OwnerTeam,
    OwnerTeamSet,
    Pipeline,
    PipelineStage,
    Segment,
    SegmentMember,
    Tag,
    Team,
    Touch,
)
from gql.schema.ids import opaque
from tests.leads import NOW, OWNER_SETS, World, add_leads, make_world

FIELDS = [
    Field("city", "City", FieldType.TEXT),
    Field("zip", "ZIP", FieldType.TEXT),
    Field("beds", "Beds", FieldType.INTEGER),
    Field("rating", "Rating", FieldType.DECIMAL),
    Field("opened", "Opened", FieldType.DATE),
    Field("seen", "Seen", FieldType.DATETIME),
    Field("teaching", "Teaching", FieldType.BOOLEAN),
    Field("urgent", "Urgent", FieldType.BOOLEAN),
]
TAGS, TEAMS, STAGES, SEGMENTS = ["vip", "århus"], [1, 2], [1, 2, 3], [1, 2, 3, 4]
OWN_SEGMENT = 5
"""That nobody is in and nothing refers to."""
RESULTS = {"won": True, "sale": False}
"""Whether each counts as contact."""


def named(*segments: int, by: str = "members") -> dict[str, Any]:
    return {"segments": [opaque("Segment", 1, one) for one in segments], "by": by}


def stored(*rules: dict[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = {"campaigns": [], "leadPools": [], "statuses": [], "results": []}
    return chosen | {"lastChanged": None, "rule": {"combinator": "or", "rules": list(rules)}}


def _in(*segments: int, by: str, operator: str = "inSegment") -> dict[str, Any]:
    return {"field": "lead.segments", "operator": operator, "value": named(*segments, by=by)}


CATALOGUE = catalogue_of(
    1,
    ZoneInfo("Europe/Copenhagen"),
    FIELDS,
    statuses=[Choice("new", "New"), Choice("closed", "Closed")],
    results=[Choice(key, key) for key in RESULTS],
    segments={
        1: KnownSegment("Short", stored({"field": "city", "operator": "matchesRegex", "value": "^.{0,2}$"})),
        2: KnownSegment(
            "Recent",
            stored({"field": "seen", "operator": "withinLast", "value": {"amount": 9, "unit": "days"}}),
        ),
        3: KnownSegment("Both", stored(_in(1, by="rules", operator="notInSegment"), _in(2, by="rules"))),
        4: KnownSegment("By hand", None),
    },
)
"""Of segments that refer to each other, and one without a filter."""

# Few letters, so that values meet; the last ones before and after the surrogates, and the last of all.
LETTERS = "aåÅßﬁ '%_*[]\\-.0é\ud7ff\ue000\U0001f600\U0010ffff"
WORDS = st.text(LETTERS, max_size=3)
NUMERIC = st.one_of(
    st.integers(-12, 12).map(str),
    st.decimals(-12, 12, places=1).map(str),
    st.sampled_from(["4000", "04000", "-0", "1e3", "1.", ".5", "--1", "1.2.3", "12\n", "９", "9" * 41, "+5"]),
)
NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([0.1, -0.5, 2.5, 1e15, 2**53]))
CALENDAR = st.dates(date(2026, 3, 1), date(2026, 4, 30)) | st.dates(date(1900, 1, 1), date(2100, 1, 1))
MOMENTS = st.integers(1_772_400_000, 1_775_000_000).map(lambda second: second * 1_000_000)

STORED: dict[FieldType, st.SearchStrategy[Value]] = {
    FieldType.TEXT: (WORDS | NUMERIC).map(fold),
    FieldType.INTEGER: st.integers(-3, 3).map(float),
    FieldType.DECIMAL: NUMBERS.map(float),
    FieldType.DATE: (CALENDAR | st.just(date(2020, 2, 29))).map(moment_of_date),
    FieldType.DATETIME: MOMENTS,
    FieldType.BOOLEAN: st.booleans(),
}
BUILT_IN: dict[str, st.SearchStrategy[Held]] = {
    "lead.status": st.sampled_from(["new", "closed"]),
    "lead.result": st.sampled_from([None, "sale"]),
    "lead.attempts": st.integers(0, 3),
    "lead.lastCalledAt": st.none() | MOMENTS,
    "lead.nextCallAt": st.none() | MOMENTS,
    "lead.phone": st.sampled_from(["+12025550123", "+4533445566"]),
    "lead.pool": st.sampled_from([1, 2]),
    "lead.redial": st.sampled_from([None, "vip", "shared"]),
    "lead.clone": st.booleans(),
    "lead.tags": st.frozensets(st.sampled_from(TAGS)),
    "lead.stages": st.frozensets(st.sampled_from(STAGES), max_size=1),
    "lead.segments": st.frozensets(st.sampled_from(SEGMENTS)),
    "lead.ownerTeam": st.frozensets(st.sampled_from(TEAMS)),
}
HISTORY = st.lists(st.tuples(st.sampled_from([*RESULTS, *TouchKind]), MOMENTS), max_size=3)
"""Calls by their results, and touches by their kinds, each with its moment."""


def _with_history(lead: dict[str, Any]) -> dict[str, Any]:
    """The lead with what its history says about it."""
    history = lead["history"]
    contacts = [at for what, at in history if what == TouchKind.MANUAL or RESULTS.get(what)]
    lead["lead.results"] = frozenset(what for what, _ in history if what in RESULTS)
    lead["lead.lastContactAt"] = max(contacts, default=None)
    lead["lead.lastTouchAt"] = max((at for _, at in history), default=None)
    lead["lead.source"] = "hand" if lead["lead.pool"] == 1 else "api"
    return lead


ALL_LEADS = st.fixed_dictionaries(
    {field.key: st.none() | STORED[field.type] for field in FIELDS} | BUILT_IN | {"history": HISTORY}
).map(_with_history)


async def make_rule_world(session: AsyncSession) -> World:
    """A project with everything that ALL_LEADS refer to."""
    world = await make_world(session, FIELDS)
    org = {"organisation_id": world.organisation_id}
    pool = {"campaign_id": 1, "name": "A", "source": "api", "created_at": NOW, "updated_at": NOW}
    segment = {"project_id": 1, "group_id": 1, "kind": "dynamic", "created_at": NOW, "updated_at": NOW}
    result = {"campaign_id": 1, "status": "open", "is_contact": True, "position": 2}
    rows: list[tuple[Any, list[dict[str, Any]]]] = [
        (Tag, [{"id": n, "name": name, "label": name, "created_at": NOW} for n, name in enumerate(TAGS)]),
        (Team, [{"id": one, "name": str(one), "created_at": NOW} for one in TEAMS]),
        (
            OwnerTeamSet,
            [{"id": n, "teams": ",".join(map(str, sorted(one)))} for one, n in OWNER_SETS.items() if n],
        ),
        (OwnerTeam, [{"set_id": n, "team_id": team} for one, n in OWNER_SETS.items() for team in one]),
        (Pipeline, [{"id": 1, "project_id": 1, "name": "P", "position": 1, "created_at": NOW}]),
        (PipelineStage, [{"id": n, "pipeline_id": 1, "name": str(n), "position": n} for n in STAGES]),
        (LeadPool, [{"id": 2, **pool}]),
        (CallSession, [{"id": 1, "user_id": 1, "segment_ids": [], "campaign_ids": [], "started_at": NOW}]),
        (
            Segment,
            [
                {"id": n, "name": known.name, "filter": known.filter, "position": n, **segment}
                for n, known in {**CATALOGUE.segments, OWN_SEGMENT: KnownSegment("Own", None)}.items()
            ],
        ),
        (CampaignResult, [{"id": 2, "key": "won", "label": "W", **result}]),
    ]
    for table, values in rows:
        await session.execute(insert(table), [org | row for row in values])
    return world


async def replace_leads(session: AsyncSession, world: World, leads: Sequence[dict[str, Any]]) -> None:
    """These leads, with ids from 1 on, instead of all others."""
    for table in (Call, Touch, LeadTag, LeadStage, SegmentMember, LeadSlots, Lead):
        await session.execute(delete(table))
    await add_leads(session, world, leads)
    org = {"organisation_id": world.organisation_id}
    rows: dict[Any, list[dict[str, Any]]] = {
        LeadTag: [],
        LeadStage: [],
        SegmentMember: [],
        Call: [],
        Touch: [],
    }
    for number, lead in enumerate(leads, 1):
        of_lead = org | {"lead_id": number}
        rows[LeadTag] += [
            of_lead | {"tag_id": TAGS.index(one), "tagged_at": NOW} for one in lead["lead.tags"]
        ]
        rows[LeadStage] += [
            of_lead | {"pipeline_id": 1, "stage_id": one, "since": NOW} for one in lead["lead.stages"]
        ]
        rows[SegmentMember] += [
            of_lead
            | {"segment_id": one, "added_at": NOW}
            | {"origin": "hand" if one in lead["lead.segments"] else "removed_by_hand"}
            for one in SEGMENTS
        ]
        _add_history(rows, of_lead, lead["history"])
    for table, values in rows.items():
        if values:
            await session.execute(insert(table), values)


def _add_history(
    rows: dict[Any, list[dict[str, Any]]], of_lead: dict[str, Any], history: list[tuple[str, int]]
) -> None:
    for what, at in history:
        moment = EPOCH + timedelta(microseconds=at)
        number = len(rows[Call]) + len(rows[Touch]) + 1
        if what in RESULTS:
            call = {"session_id": 1, "campaign_id": 1, "user_id": 1, "result_key": what}
            rows[Call].append(of_lead | call | {"id": number, "note": "", "at": moment})
        else:
            touch: dict[str, Any] = {
                "kind": TouchKind(what).value,
                "channel": "letter",
                "note": "",
                "actor": {},
            }
            rows[Touch].append(of_lead | touch | {"id": number, "at": moment, "recorded_at": NOW})
