"""Sorting out the leads of a file that is imported into a segment."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from core.field_catalogue import Choice, catalogue_of
from core.fields import Field, FieldType
from core.import_accounts import DuplicateAction, DuplicateRule, DuplicateScope
from core.lead_rows import LeadDraft
from core.membership import ExclusiveChoice, Standing
from core.references import reference_to
from core.rules import matches, parse_rule
from core.segment_import import (
    Arrivals,
    OwnerChoice,
    SegmentImport,
    held_of_row,
    matching_rule,
    sort_out,
)
from core.upload import ImportSettings

IDS = st.frozensets(st.integers(1, 12))


def test_what_is_wanted_reads_back_from_its_record() -> None:
    wanted = SegmentImport(7, ExclusiveChoice.MOVE, OwnerChoice.OVERWRITE)
    assert wanted.record() == {"id": 7, "exclusive": "move", "owner": "overwrite"}
    assert SegmentImport.from_record(wanted.record()) == wanted


def test_rows_match_leads_of_the_whole_project_closed_ones_and_inactive_pools_included() -> None:
    chosen = DuplicateRule(DuplicateScope.NONE, DuplicateAction.REMOVE, only_open=True, within_file=False)
    assert matching_rule(chosen) == DuplicateRule(
        DuplicateScope.PROJECT,
        DuplicateAction.DISCARD,
        only_open=False,
        include_inactive_pools=True,
        within_file=False,
    )


def test_rules_see_a_row_as_the_lead_it_would_become() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    settings = ImportSettings("Pool", priority=3, owner_user_id=7, owner_team_ids=(4, 2))
    draft = LeadDraft(2, "+12025550123", "202", "k", {"city": "Oslo"}, {"city": "oslo"}, (), [])
    held = held_of_row(draft, 5, settings, now)
    catalogue = catalogue_of(
        1,
        ZoneInfo("UTC"),
        [Field("city", "City", FieldType.TEXT)],
        statuses=[Choice("new", "New")],
        results=[],
    )

    def meets(field: str, operator: str, value: object = None) -> bool:
        rule = parse_rule({"field": field, "operator": operator, "value": value}, catalogue, now)
        return matches(rule, held)

    for field, operator, value in (
        ("city", "=", "OSLO"), ("lead.status", "=", "new"), ("lead.source", "=", "upload"),
        ("lead.pool", "!=", reference_to("LeadPool", 1, 9)), ("lead.pool", "notNull", None),
        ("lead.campaign", "=", reference_to("Campaign", 1, 5)), ("lead.open", "=", True),
        ("lead.priority", "=", 3), ("lead.attempts", "<", 1), ("lead.lastCalledAt", "null", None),
        ("lead.ownerUser", "=", reference_to("User", 1, 7)), ("lead.phone", "beginsWith", "+1"),
        ("lead.ownerTeam", "contains", reference_to("Team", 1, 2)), ("lead.tags", "null", None),
        ("lead.createdAt", "withinLast", {"amount": 1, "unit": "hours"}), ("lead.segments", "null", None),
    ):  # fmt: skip
        assert meets(field, operator, value), field
    assert not meets("lead.pool", "=", reference_to("LeadPool", 1, 9))


def test_members_stay_new_leads_join_and_the_others_have_their_reason() -> None:
    standing = Standing(by_rule=frozenset({1, 2}), pinned=frozenset({3}), removed=frozenset({4}))
    arrivals = Arrivals(
        came=frozenset({10, 11}),
        matched=frozenset({1, 2, 3, 4, 5, 6}),
        visible=frozenset({1, 2, 3, 4, 6}),
        fit=frozenset({1, 4, 5, 10}),
    )
    found = sort_out(arrivals, standing)
    assert found.stay == {1, 2, 3}
    assert found.pinned == {1}
    assert found.new == {4, 10}
    assert found.hidden == {5}
    assert found.unfit == {6, 11}


@given(IDS, IDS, IDS, IDS, IDS, IDS, IDS)
def test_every_lead_of_the_file_is_counted_once(
    came: frozenset[int],
    matched: frozenset[int],
    visible: frozenset[int],
    fit: frozenset[int],
    by_rule: frozenset[int],
    pinned: frozenset[int],
    removed: frozenset[int],
) -> None:
    standing = Standing(by_rule, pinned - by_rule, removed - by_rule - pinned)
    arrivals = Arrivals(came, matched - came, visible, fit)
    found = sort_out(arrivals, standing)
    parts = [found.stay, found.new, found.hidden, found.unfit]
    assert frozenset().union(*parts) == arrivals.all
    assert sum(map(len, parts)) == len(arrivals.all)
    assert found.pinned <= found.stay & standing.by_rule
    assert not found.new - fit
