"""From react-querybuilder's JSON to a checked rule; whatever is not understood is refused with its path.

Nothing is ever dropped from a rule but what the client muted, and a rule without a condition is refused:
it would mean everyone.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from core.field_catalogue import Catalogue
from core.rules.conditions import ConditionReader, References, scalar
from core.rules.limits import MAX_CONDITIONS, MAX_DEPTH, MAX_VALUE_BYTES, MAX_VALUES
from core.rules.refusal import refuse
from core.rules.tree import Combinator, Condition, Group, Path, Rule

GROUP_KEYS = frozenset({"id", "path", "combinator", "rules", "not", "muted", "disabled", "meta"})
RULE_KEYS = frozenset(
    {"id", "path", "field", "operator", "value", "valueSource", "muted", "disabled", "meta"}
)


def parse_rule(
    tree: object, catalogue: Catalogue, now: datetime, references: References | None = None
) -> Rule:
    """The checked form, at this moment, of a rule as the client wrote it.

    references  the checked filters of the segments that it names by their rules
    Raises      InvalidRule, its field the path of the offending node (`["rules", "2", "value"]`)
    """
    rule = _Parser(ConditionReader(catalogue, now, references or {})).node(tree, (), 1)
    if rule is None:
        refuse("Every condition is muted: the rule would mean everyone.", ("rules",))
    return rule


class _Parser:
    """Walks one tree; counts its conditions."""

    def __init__(self, reader: ConditionReader) -> None:
        self.reader = reader
        self.conditions = 0

    def node(self, node: object, path: Path, depth: int) -> Rule | None:
        """The checked node, or None where it is muted."""
        if not isinstance(node, Mapping):
            refuse("A group or a condition is needed.", path)
        muted = _flag(node, "muted", path)
        rule = self._group(node, path, depth) if "rules" in node else self._condition(node, path)
        return None if muted else rule

    def _group(self, node: Mapping[str, object], path: Path, depth: int) -> Rule | None:
        _known_keys(node, GROUP_KEYS, path)
        if depth > MAX_DEPTH:
            refuse(f"Groups are nested more than {MAX_DEPTH} deep.", path)
        negated = _flag(node, "not", path)
        rules = node["rules"]
        if not isinstance(rules, list) or not rules:
            refuse("A group needs at least one condition.", (*path, "rules"))
        if node.get("combinator") is None:
            return self._independent(rules, negated, path, depth)
        combinator = _combinator(node["combinator"], (*path, "combinator"))
        return _joined(combinator, self._members(rules, path, depth), negated, path)

    def _members(self, rules: list[object], path: Path, depth: int, step: int = 1) -> list[Rule | None]:
        return [
            self.node(rules[index], (*path, "rules", str(index)), depth + 1)
            for index in range(0, len(rules), step)
        ]

    def _independent(self, rules: list[object], negated: bool, path: Path, depth: int) -> Rule | None:
        """`[rule, "and", rule, "or", rule]`: AND binds tighter than OR."""
        if len(rules) % 2 == 0:
            refuse("Conditions and combinators must alternate.", (*path, "rules"))
        if len(rules) > 1 and not isinstance(rules[1], str):
            refuse('A group needs a combinator: "and" or "or".', (*path, "combinator"))
        members = self._members(rules, path, depth, step=2)
        runs = [[members[0]]]
        for index, member in zip(range(1, len(rules), 2), members[1:], strict=True):
            if _combinator(rules[index], (*path, "rules", str(index))) is Combinator.OR:
                runs.append([])
            runs[-1].append(member)
        if len(runs) == 1:
            return _joined(Combinator.AND, runs[0], negated, path)
        joined = [_joined(Combinator.AND, run, False, path) for run in runs]
        return _joined(Combinator.OR, joined, negated, path)

    def _condition(self, node: Mapping[str, object], path: Path) -> Condition:
        _known_keys(node, RULE_KEYS, path)
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            refuse(f"A rule may have {MAX_CONDITIONS} conditions.", path)
        return self.reader.read(node, path)


def _joined(combinator: Combinator, members: Sequence[Rule | None], negated: bool, path: Path) -> Rule | None:
    """The group of what is not muted, or None where nothing is left of it."""
    kept = tuple(member for member in members if member is not None)
    if not kept:
        return None
    return kept[0] if len(kept) == 1 and not negated else Group(combinator, kept, negated, path)


def _flag(node: Mapping[str, object], key: str, path: Path) -> bool:
    flag = node.get(key)
    if flag is not None and not isinstance(flag, bool):
        refuse(f'"{key}" is true or false.', (*path, key))
    return flag is True


def _known_keys(node: Mapping[str, object], known: frozenset[str], path: Path) -> None:
    for key in node:
        if key == "match":
            refuse("Match modes are not supported.", (*path, key))
        if key not in known:
            refuse(f"A rule has no {str(key)[:100]!r}.", (*path, str(key)))
    _identity(node, path)


def _identity(node: Mapping[str, object], path: Path) -> None:
    """What react-querybuilder keeps for itself must be plain, since it is stored as it came."""
    _flag(node, "disabled", path)
    identifier, position = node.get("id"), node.get("path")
    if len(json.dumps(node.get("meta"), default=str)) > MAX_VALUE_BYTES:
        refuse(f'"meta" may have {MAX_VALUE_BYTES:,} bytes.', (*path, "meta"))
    if identifier is not None:
        scalar(identifier, (*path, "id"))
    if position is not None and not (
        isinstance(position, list)
        and len(position) <= MAX_DEPTH
        and all(type(i) is int and 0 <= i < MAX_VALUES for i in position)
    ):
        refuse('"path" is a list of positions.', (*path, "path"))


def _combinator(said: object, path: Path) -> Combinator:
    if said == "xor":
        refuse("The combinator xor is not supported.", path)
    found = next((combinator for combinator in Combinator if said == combinator.value), None)
    if found is None:
        refuse('A combinator is "and" or "or".', path)
    return found
