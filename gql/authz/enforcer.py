"""Casbin, and what is compiled from it; nothing else imports it.

Asking Casbin walks every line of the policy. So each revision of an organisation's policy is read once,
Casbin's role manager says who belongs to what, and the outcome per user is kept as an immutable `Access`.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from pathlib import Path

from casbin import Enforcer
from casbin.rbac.default_role_manager import RoleManager
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Access, Permission, Reach, Resource, Right
from core.policies import Given, PolicyLine, SubjectKind, read_grant, read_subject, user
from db.queries.policy import policy_changed_in, policy_lines

MODEL = Path(__file__).with_name("model.conf").read_text()
MAX_LINKS = 10
KEPT_POLICIES = 256


class Policy:
    """The policy of one organisation at one revision, ready to be asked by user id."""

    def __init__(self, organisation_id: int, lines: Iterable[PolicyLine]) -> None:
        enforcer = _enforcer(organisation_id, lines)
        self._roles = enforcer.get_role_manager()
        self._given: defaultdict[str, list[Permission | Given]] = defaultdict(list)
        for subject, _, name, act in enforcer.get_policy():
            grant = read_grant(name, act)
            if grant is not None:
                self._given[subject].append(grant)
        self._known: dict[int, Access] = {}

    def access(self, user_id: int) -> Access:
        """What a user may do.

        user_id  one that was read from the database: names asked for are remembered
        """
        access = self._known.get(user_id)
        if access is None:
            access = self._known[user_id] = self._compiled(str(user(user_id)))
        return access

    def _compiled(self, name: str) -> Access:
        groups = self._groups(name)
        features: set[Permission] = set()
        every: set[tuple[Resource, Right]] = set()
        some: defaultdict[tuple[Resource, Right], set[int]] = defaultdict(set)
        for subject in (name, *groups):
            for grant in self._given.get(subject, ()):
                if isinstance(grant, Permission):
                    features.add(grant)
                elif grant.object_id is None:
                    every.add((grant.resource, grant.right))
                else:
                    some[grant.resource, grant.right].add(grant.object_id)
        reach: dict[tuple[Resource, Right], Reach] = {key: frozenset(ids) for key, ids in some.items()}
        reach.update(dict.fromkeys(every))
        return Access(frozenset(features), reach, frozenset(_teams(groups)))

    def _groups(self, name: str) -> list[str]:
        found: dict[str, None] = {}
        waiting = [name]
        while waiting:
            for group in self._roles.get_roles(waiting.pop()):
                if group not in found:
                    found[group] = None
                    waiting.append(group)
        return list(found)


class Policies:
    """The policies in use, newest revision only, of the organisations asked for last."""

    def __init__(self, kept: int = KEPT_POLICIES) -> None:
        self._kept = kept
        self._policies: OrderedDict[int, tuple[int, Policy]] = OrderedDict()
        # After a change every open stream asks at once; one of them loads, the others wait for it.
        self._loading = asyncio.Lock()

    async def policy(self, session: AsyncSession, organisation_id: int, revision: int) -> Policy:
        """An organisation's policy, not older than the revision, which this session has read."""
        if policy_changed_in(session):
            # A revision that may yet be undone, and its number then used again, must not be kept.
            return Policy(organisation_id, await policy_lines(session, organisation_id))
        found = self._find(organisation_id, revision)
        if found is not None:
            return found
        async with self._loading:
            found = self._find(organisation_id, revision)
            if found is None:
                found = Policy(organisation_id, await policy_lines(session, organisation_id))
                self._policies[organisation_id] = revision, found
                if len(self._policies) > self._kept:
                    self._policies.popitem(last=False)
            return found

    def _find(self, organisation_id: int, revision: int) -> Policy | None:
        kept, policy = self._policies.get(organisation_id, (-1, None))
        if kept < revision:
            return None
        self._policies.move_to_end(organisation_id)
        return policy


def _enforcer(organisation_id: int, lines: Iterable[PolicyLine]) -> Enforcer:
    enforcer = Enforcer(Enforcer.new_model(text=MODEL))
    domain = f"o{organisation_id}"
    rows: dict[str, list[list[str]]] = {"p": [], "g": []}
    for line in lines:
        row = [line.v0, domain, line.v1, line.v2] if line.ptype == "p" else [line.v0, line.v1, domain]
        rows[line.ptype].append(row)
    # Not add_policies, which compares each line with all before it; and not the manager per domain, which
    # compares each name with all others: there is one domain here.
    for section, each in rows.items():
        enforcer.get_model()[section][section].policy = each
    enforcer.set_role_manager(RoleManager(MAX_LINKS))
    enforcer.build_role_links()
    return enforcer


def _teams(groups: Iterable[str]) -> Iterable[int]:
    subjects = (read_subject(group) for group in groups)
    return (int(subject.key) for subject in subjects if subject.kind is SubjectKind.TEAM)
