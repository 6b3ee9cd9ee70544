"""The duplicate options of an import, and its accounts: how many rows became what."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from core.access import Permission, Resource, Right, Scope
from core.errors import Forbidden


class DuplicateScope(StrEnum):
    """Where leads that a row may repeat are looked for."""

    NONE = "none"
    CAMPAIGN = "campaign"
    PROJECT = "project"
    ALL = "all"


class DuplicateAction(StrEnum):
    """What is done about a row that repeats a lead."""

    NOTIFY = "notify"
    DISCARD = "discard"
    DEACTIVATE = "deactivate"
    REMOVE = "remove"


ACTING = frozenset({DuplicateAction.DEACTIVATE, DuplicateAction.REMOVE})
"""What changes existing leads."""


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """How duplicates are found and treated.

    only_open  only open existing leads count
    include_inactive_pools  leads of inactive pools count too
    within_file  a row repeats an earlier row of its file, whatever the scope
    """

    scope: DuplicateScope = DuplicateScope.CAMPAIGN
    action: DuplicateAction = DuplicateAction.DISCARD
    only_open: bool = False
    include_inactive_pools: bool = False
    within_file: bool = True


def check_may_act(rule: DuplicateRule, scope: Scope, field: Sequence[str]) -> None:
    """Raises Forbidden where the action changes existing leads and the caller may not edit all there are.

    Whoever sees some leads alone would change others unseen, and learn of them by what changed.
    """
    if rule.action not in ACTING:
        return
    if not scope.may(Permission.LEAD_EDIT) or scope.within(Resource.LEAD, Right.EDIT) is not None:
        raise Forbidden(
            "Existing leads are changed only by who may edit all leads.",
            field=field,
            details={"permission": Permission.LEAD_EDIT.name},
        )


def outgrows(before: int, after: int) -> bool:
    """Whether so many rows came, four times as many, that what the planner knows of them is outdated."""
    return (after.bit_length() + 1) // 2 > (before.bit_length() + 1) // 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to a row that repeats a lead, and whether the existing lead is touched."""

    imported: bool
    touches_existing: bool
    note: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """How many rows an import has read, and what became of them.

    valid  became leads      duplicates  discarded
    flagged  among `valid`: imported although a duplicate      acted_on  existing leads changed
    """

    rows: int = 0
    valid: int = 0
    invalid: int = 0
    duplicates: int = 0
    flagged: int = 0
    acted_on: int = 0

    def __post_init__(self) -> None:
        if self.rows != self.valid + self.invalid + self.duplicates or self.flagged > self.valid:
            raise ValueError(f"accounts do not add up: {self}")

    def __add__(self, other: Self) -> "Accounts":
        return Accounts(
            rows=self.rows + other.rows,
            valid=self.valid + other.valid,
            invalid=self.invalid + other.invalid,
            duplicates=self.duplicates + other.duplicates,
            flagged=self.flagged + other.flagged,
            acted_on=self.acted_on + other.acted_on,
        )


def judge(action: DuplicateAction, *, existing_is_open: bool) -> Verdict:
    """What the action comes to, given whether the repeated lead is open: closed leads are never touched."""
    if action is DuplicateAction.DISCARD:
        return Verdict(imported=False, touches_existing=False, note="discarded")
    if action is DuplicateAction.NOTIFY:
        return Verdict(imported=True, touches_existing=False, note="imported and reported")
    if not existing_is_open:
        return Verdict(
            imported=True, touches_existing=False, note="imported and flagged: the existing lead is not open"
        )
    done = "deactivated" if action is DuplicateAction.DEACTIVATE else "set to removed"
    return Verdict(imported=True, touches_existing=True, note=f"imported; the existing lead was {done}")
