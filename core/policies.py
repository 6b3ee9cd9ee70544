"""The policy of an organisation, written as lines: who has which feature permission or access right.

p, role:agent, feature:segment, call     a role, team or user has a feature permission
p, team:7, segment:42, view              a team or user has a right on one object
p, role:admin, segment:*, edit           ... or on every object of a kind
g, user:5, role:agent                    a user has a role
g, user:5, team:7                        a user is in a team
g, team:7, team:3                        a team is below another, and has what that one has
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from core.access import FEATURES, IMPLIED, ROLE_RIGHTS, Permission, Resource, Right, Role, Scope

MAX_TEAM_DEPTH = 8
"""Teams above one another, at most; the policy engine follows ten links and no more."""

EVERY = "*"


class SubjectKind(StrEnum):
    """What a permission or right can be given to."""

    USER = "user"
    TEAM = "team"
    ROLE = "role"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """A user or team by its id, or a role by its name; written `user:5`."""

    kind: SubjectKind
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


def user(user_id: int) -> Subject:
    return Subject(SubjectKind.USER, str(user_id))


def team(team_id: int) -> Subject:
    return Subject(SubjectKind.TEAM, str(team_id))


def role(name: Role) -> Subject:
    return Subject(SubjectKind.ROLE, name.value)


def read_subject(text: str) -> Subject:
    """The subject that a line names. Raises ValueError for what no line of ours can hold."""
    kind, _, key = text.partition(":")
    return Subject(SubjectKind(kind), key)


class PolicyLine(NamedTuple):
    """One line of an organisation's policy.

    ptype  `p`: subject, object, act; `g`: member, what it belongs to, empty
    """

    ptype: str
    v0: str
    v1: str
    v2: str = ""


def feature_line(subject: Subject, permission: Permission) -> PolicyLine:
    noun, _, verb = permission.partition(":")
    return PolicyLine("p", str(subject), f"feature:{noun}", verb)


def right_lines(
    subject: Subject, resource: Resource, object_id: int | None, right: Right
) -> list[PolicyLine]:
    """A right with all it includes, on one object or (None) on every object of the kind."""
    name = object_name(resource, object_id)
    return [PolicyLine("p", str(subject), name, each.value) for each in sorted(IMPLIED[right])]


def member_line(member: Subject, group: Subject) -> PolicyLine:
    return PolicyLine("g", str(member), str(group))


def object_name(resource: Resource, object_id: int | None) -> str:
    return f"{resource}:{EVERY if object_id is None else object_id}"


def default_lines() -> list[PolicyLine]:
    """What the four roles may do in a new organisation."""
    features = [
        feature_line(role(name), feature.permission) for feature in FEATURES for name in sorted(feature.roles)
    ]
    rights = [
        PolicyLine("p", str(role(name)), object_name(resource, None), right.value)
        for name, resources in ROLE_RIGHTS.items()
        for resource, given in resources.items()
        for right in sorted(given)
    ]
    return features + rights


class Given(NamedTuple):
    """A right on one object, or (None) on every object of the kind."""

    resource: Resource
    object_id: int | None
    right: Right


Grant = Permission | Given


def read_grant(name: str, act: str) -> Grant | None:
    """What the object and act of a `p` line give; None for what this version does not know."""
    kind, _, rest = name.partition(":")
    try:
        if kind == "feature":
            return Permission(f"{rest}:{act}")
        return Given(Resource(kind), None if rest == EVERY else int(rest), Right(act))
    except ValueError:
        return None


def holders(lines: Iterable[PolicyLine], permission: Permission) -> frozenset[Subject]:
    """Everyone who has a feature permission, directly or through a role or a team above."""
    noun, _, verb = permission.partition(":")
    below: defaultdict[str, list[str]] = defaultdict(list)
    found: set[str] = set()
    for line in lines:
        if line.ptype == "g":
            below[line.v1].append(line.v0)
        elif (line.v1, line.v2) == (f"feature:{noun}", verb):
            found.add(line.v0)
    return frozenset(read_subject(name) for name in _closure(found, below))


def members_of(lines: Iterable[PolicyLine], group: Subject) -> frozenset[Subject]:
    """Everyone who belongs to a role or team, directly or through a team, and the group itself."""
    below: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        if line.ptype == "g":
            below[line.v1].append(line.v0)
    return frozenset(read_subject(name) for name in _closure({str(group)}, below))


def grants_of(lines: Iterable[PolicyLine], subjects: Iterable[Subject]) -> frozenset[Grant]:
    """All that the subjects have, directly and through the groups they belong to."""
    above: defaultdict[str, list[str]] = defaultdict(list)
    given: defaultdict[str, list[Grant]] = defaultdict(list)
    for line in lines:
        if line.ptype == "g":
            above[line.v0].append(line.v1)
        elif (grant := read_grant(line.v1, line.v2)) is not None:
            given[line.v0].append(grant)
    names = _closure({str(subject) for subject in subjects}, above)
    return frozenset(grant for name in names for grant in given[name])


def has(scope: Scope, grant: Grant) -> bool:
    """Whether the caller has what the grant gives."""
    if isinstance(grant, Permission):
        return scope.may(grant)
    ids = scope.within(grant.resource, grant.right)
    return ids is None or (grant.object_id is not None and grant.object_id in ids)


def _closure(start: set[str], links: defaultdict[str, list[str]]) -> Iterator[str]:
    seen = set(start)
    waiting = sorted(start)
    while waiting:
        name = waiting.pop()
        yield name
        fresh = [one for one in links[name] if one not in seen]
        seen.update(fresh)
        waiting.extend(fresh)
