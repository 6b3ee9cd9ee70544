"""A percolator finds the rules that select a lead: those that `matches` finds one by one."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.percolator import Percolator, compiled
from core.rules import matches
from core.segment_filter import check_rule
from tests.leads import NOW
from tests.properties.test_rule_twins import TREES
from tests.rule_world import ALL_LEADS, CATALOGUE, TAGS

# Rules as people write them, which an index can serve, among all others.
KEYED = st.fixed_dictionaries(
    {
        "field": st.just("city"),
        "operator": st.sampled_from(["=", "in", "null", "!="]),
        "value": st.sampled_from(["a", "å", "ß"]),
    }
)
IN_SETS = st.fixed_dictionaries(
    {
        "field": st.just("lead.tags"),
        "operator": st.sampled_from(["in", "contains", "null", "notIn"]),
        "value": st.lists(st.sampled_from(TAGS), min_size=1, max_size=2),
    }
)
JOINED = st.fixed_dictionaries(
    {
        "combinator": st.sampled_from(["and", "or"]),
        "not": st.booleans(),
        "rules": st.lists(KEYED | IN_SETS | TREES, min_size=1, max_size=3),
    }
)


@given(
    trees=st.lists(TREES | JOINED | KEYED, min_size=1, max_size=12),
    leads=st.lists(ALL_LEADS | st.builds(lambda lead: {**lead, "city": "a"}, ALL_LEADS), max_size=6),
)
def test_a_percolator_finds_the_rules_that_select_a_lead_one_by_one(
    trees: list[dict[str, Any]], leads: list[dict[str, Any]]
) -> None:
    rules = {number: check_rule(tree, CATALOGUE, NOW) for number, tree in enumerate(trees)}
    percolator = Percolator(rules)
    for lead in leads:
        found = list(percolator.matching(lead, lambda number: compiled(rules[number])))
        assert sorted(found) == [number for number, rule in rules.items() if matches(rule, lead)]
