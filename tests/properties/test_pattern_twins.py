"""A regular expression finds the same texts in Python and in SQL, on both engines."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import literal, select

from core.field_catalogue import Kind, RuleField
from core.fields import fold
from core.rules import Condition, MatchesPattern, matches
from core.rules.pattern import BadPattern, read_pattern
from db.database import Database
from db.models.columns import OrderedText
from db.rule_sql import rule_where

TEXT = RuleField("text", "Text", Kind.TEXT)
PAIRS, EXAMPLES = 40, 50

SIGNS = "aåßéΣ -]^\\.*1\n\u0301\U0001f600"
ATOMS = st.sampled_from(
    [*"aåÅßé.1ΣA-", "①", r"\.", r"\\", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\n", " ", "\u0301"]
    + ["[a-c]", "[^åß]", "[ßx-]", r"[\]\\^-]", r"[\w-]", "[Α-Ω]", "[^\n]", "[😀-😂a]"]
)
REPEATED = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}", "{0}"])


def _joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    sequence = st.lists(st.builds(str.__add__, parts, REPEATED), min_size=1, max_size=4).map("".join)
    return st.lists(sequence, min_size=1, max_size=3).map(lambda branches: f"({'|'.join(branches)})")


PATTERNS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "^"]),
    st.recursive(ATOMS, _joined, max_leaves=8),
    st.sampled_from(["", "", "$", "$|^a"]),
)
TEXTS = st.text(SIGNS, max_size=6) | st.text(max_size=4)


def _read(pattern: str) -> str | None:
    try:
        return read_pattern(pattern)
    except BadPattern:
        return None


async def _agree(database: Database, pairs: list[tuple[str, str]]) -> None:
    rules = [(Condition(TEXT, MatchesPattern(pattern)), fold(text)) for pattern, text in pairs]
    columns = (
        rule_where(rule, {TEXT.key: literal(text, OrderedText())}).label(f"c{number}")
        for number, (rule, text) in enumerate(rules)
    )
    async with database.reading() as session:
        answers = (await session.execute(select(*columns))).one()
    for answer, (rule, text) in zip(answers, rules, strict=True):
        assert bool(answer) is matches(rule, {TEXT.key: text}), (rule.test, text)


def test_a_pattern_finds_the_same_texts_in_python_and_in_sql(database_url: str, soak: bool) -> None:
    with asyncio.Runner() as runner:
        database = Database(database_url)
        readable = PATTERNS.map(_read).filter(lambda pattern: pattern is not None)
        pairs = st.tuples(readable, TEXTS)

        @settings(
            max_examples=EXAMPLES * (25 if soak else 1),
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(pairs=st.lists(pairs, min_size=PAIRS, max_size=PAIRS))
        def agree(pairs: list[tuple[str, str]]) -> None:
            runner.run(_agree(database, pairs))

        try:
            agree()
        finally:
            runner.run(database.close())
