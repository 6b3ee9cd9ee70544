"""What automation does with a lead: which segments of its project it joins and leaves, as its rules say."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from core.access import Actor
from core.field_catalogue import LEAD_SEGMENTS, RuleField
from core.membership import Automation, Origin
from core.percolator import Lead, Percolator, Predicate
from core.rules import AnyOf, Rule, SelectedBy, conditions_of


@dataclass(frozen=True, slots=True)
class Follower:
    """A segment whose members follow its rule.

    rank   which comes first where a lead may be in one segment only
    sight  who lends it theirs: it takes in leads that they see; None: all leads may join
    """

    id: int
    rule: Rule
    automation: Automation
    rank: int
    sight: Actor | None = None

    @property
    def named(self) -> frozenset[int]:
        """The segments whose members decide."""
        return frozenset(_members_asked(self.rule))


@dataclass(frozen=True, slots=True)
class Moves:
    """What becomes of one lead; `asked` are sights that would let it in and are not known yet."""

    joined: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    asked: frozenset[Actor] = frozenset()


@dataclass(slots=True)
class _Standing:
    """Where a lead is while it is looked at: rows by segment, tombstones among them."""

    rows: dict[int, Origin]
    joined: dict[int, None] = field(default_factory=dict)
    left: dict[int, None] = field(default_factory=dict)
    asked: set[Actor] = field(default_factory=set)

    @property
    def members(self) -> frozenset[int]:
        return frozenset(one for one, origin in self.rows.items() if origin is not Origin.REMOVED_BY_HAND)


class FollowPlan:
    """The automated segments of one project, in the order in which their rules depend on each other.

    fields  all that the rules ask about, but for the segments a lead is in: its rows tell these
    named   segments whose members they ask about
    sights  all who lend theirs
    cyclic  segments that name each other in a circle: they are not followed
    """

    def __init__(self, followers: Iterable[Follower], *, exclusive: bool) -> None:
        self.followers = {one.id: one for one in followers}
        self.exclusive = exclusive
        named = {one.id: one.named for one in self.followers.values()}
        levels, self.cyclic = _levels(named)
        self._levels = [
            (frozenset(level), Percolator({one: self.followers[one].rule for one in level}))
            for level in levels
        ]
        self.named: frozenset[int] = frozenset().union(*named.values())
        self.sights = frozenset(one.sight for one in self.followers.values() if one.sight is not None)
        fields: frozenset[RuleField] = frozenset().union(*(each.fields for _, each in self._levels))
        self.fields = frozenset(field for field in fields if field.key != LEAD_SEGMENTS)
        self._asks_segments = self.fields != fields

    def moves(
        self,
        lead_id: int,
        values: Lead,
        rows: Mapping[int, Origin],
        sights: Mapping[Actor, Set[int]],
        moving: Callable[[int], Predicate],
    ) -> Moves:
        """What becomes of a lead with these values and rows.

        sights  the leads in each sight, as far as that is known
        moving  predicates of the rules that depend on time
        """
        standing = _Standing(dict(rows))
        while True:
            joined, left = len(standing.joined), len(standing.left)
            for level, percolator in self._levels:
                asked = {**values, LEAD_SEGMENTS: standing.members} if self._asks_segments else values
                matched = set(percolator.matching(asked, moving))
                self._let_go(standing, level - matched)
                self._let_in(standing, matched, lead_id, sights)
            # Who leaves an exclusive segment may be free for one that was looked at before.
            if not self.exclusive or left == len(standing.left) or joined < len(standing.joined):
                return Moves(tuple(standing.joined), tuple(standing.left), frozenset(standing.asked))

    def _let_go(self, standing: _Standing, unmatched: Set[int]) -> None:
        for one in standing.rows.keys() & unmatched:
            mirrors = self.followers[one].automation is Automation.MIRROR
            if mirrors and standing.rows[one] is Origin.RULE:
                del standing.rows[one]
                standing.left[one] = None

    def _let_in(
        self, standing: _Standing, matched: Set[int], lead_id: int, sights: Mapping[Actor, Set[int]]
    ) -> None:
        for one in sorted(matched - standing.rows.keys(), key=lambda one: self.followers[one].rank):
            if self.exclusive and standing.members:
                return
            sight = self.followers[one].sight
            if sight is not None and sight not in sights:
                standing.asked.add(sight)
            elif sight is None or lead_id in sights[sight]:
                standing.rows[one] = Origin.RULE
                standing.joined[one] = None


def _members_asked(rule: Rule) -> Iterator[int]:
    for condition in conditions_of(rule):
        if isinstance(condition.test, SelectedBy):
            for reference in condition.test.references:
                yield from _members_asked(reference.rule)
        elif condition.field.key == LEAD_SEGMENTS and isinstance(condition.test, AnyOf):
            yield from (int(value) for value in condition.test.values)


def _levels(named: Mapping[int, Set[int]]) -> tuple[Sequence[Sequence[int]], frozenset[int]]:
    """Segments after those whose members their rules ask about; and what is left over, in circles."""
    waiting = dict(named)
    levels: list[list[int]] = []
    while ready := [one for one, others in waiting.items() if not others & waiting.keys()]:
        levels.append(ready)
        for one in ready:
            del waiting[one]
    return levels, frozenset(waiting)
