"""An import straight into a segment: whose its leads become, who joins, and accounts of it that add up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Self

from core.field_catalogue import (
    LEAD_CAMPAIGN,
    LEAD_CHANGED,
    LEAD_OWNER_TEAM,
    LEAD_POOL,
    LEAD_SOURCE,
    LEAD_STATUS,
)
from core.fields import moment_of
from core.import_accounts import DuplicateAction, DuplicateRule, DuplicateScope
from core.lead_rows import LeadDraft
from core.membership import ExclusiveChoice, Ids, Standing
from core.rules import Held
from core.statuses import LeadStatus
from core.upload import ImportSettings


class OwnerChoice(StrEnum):
    """What becomes of the owner of a lead that is there already and that a row matches."""

    KEEP = "keep"
    OVERWRITE = "overwrite"


class Outside(StrEnum):
    """Why a lead of the file did not join, as the report says it."""

    HIDDEN = "matches a lead that whoever imported may not see"
    UNFIT = "does not meet the rules of the segment"
    HELD = "another segment of the exclusive project has the lead"


@dataclass(frozen=True, slots=True)
class SegmentImport:
    """Which segment a file is for, and what becomes of leads that others have."""

    segment_id: int
    exclusive: ExclusiveChoice = ExclusiveChoice.KEEP
    owner: OwnerChoice = OwnerChoice.KEEP

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {"id": self.segment_id, "exclusive": self.exclusive.value, "owner": self.owner.value}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The reverse of `record`."""
        return cls(record["id"], ExclusiveChoice(record["exclusive"]), OwnerChoice(record["owner"]))


def matching_rule(chosen: DuplicateRule) -> DuplicateRule:
    """How rows find the leads that are there: in the whole project, and without a second lead for one."""
    everywhere = replace(chosen, scope=DuplicateScope.PROJECT, only_open=False, include_inactive_pools=True)
    return replace(everywhere, action=DuplicateAction.DISCARD)


def held_of_row(
    draft: LeadDraft, campaign_id: int, settings: ImportSettings, now: datetime
) -> dict[str, Held]:
    """What rules would see of the lead that a row would become, by field key.

    Its pool is a new one, which no rule can name; when it may first be called is drawn later.
    """
    at = moment_of(now)
    return {
        LEAD_CAMPAIGN: campaign_id,
        LEAD_POOL: 0,
        LEAD_STATUS: LeadStatus.NEW.value,
        LEAD_SOURCE: "upload",
        LEAD_CHANGED: at,
        LEAD_OWNER_TEAM: frozenset(settings.owner_team_ids),
        "lead.createdAt": at,
        "lead.phone": draft.phone,
        "lead.open": True,
        "lead.active": True,
        "lead.clone": False,
        "lead.attempts": 0,
        "lead.priority": settings.priority,
        "lead.ownerUser": settings.owner_user_id,
        **draft.search,
    }


@dataclass(frozen=True, slots=True)
class Arrivals(Generic[Ids]):
    """The leads of a file, each once.

    came     leads that the import made        matched  leads that were there and that rows match
    visible  of the matched, those in sight of whoever imports        fit  those that meet the rules
    """

    came: Ids
    matched: Ids
    visible: Ids
    fit: Ids

    @property
    def all(self) -> Ids:
        return self.came | self.matched


@dataclass(frozen=True, slots=True)
class Sorted(Generic[Ids]):
    """The leads of a file sorted out.

    stay    members before           pinned  among these: brought by a rule, and to stay from now on
    new     to join, if they are not held elsewhere
    hidden, unfit  do not join
    """

    stay: Ids
    pinned: Ids
    new: Ids
    hidden: Ids
    unfit: Ids


def sort_out(arrivals: Arrivals[Ids], standing: Standing[Ids]) -> Sorted[Ids]:
    """Every lead is in exactly one of stay, new, hidden and unfit.

    A member stays, whatever the rules: they alone decide about whom they brought.
    """
    unseen = arrivals.matched - arrivals.visible
    stay = arrivals.all & standing.members
    outside = arrivals.all - stay
    hidden = outside & unseen
    unfit = outside - hidden - arrivals.fit
    pinned = ((stay & standing.by_rule) - unseen) & arrivals.fit
    return Sorted(stay, pinned, outside - hidden - unfit, hidden, unfit)
