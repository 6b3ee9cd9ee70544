"""Leads that programs push: what is asked, how two askings are told apart, and what became of each row."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Self

from core.calling import Owner
from core.errors import BadInput, TooLarge
from core.import_accounts import DuplicateRule, Verdict
from core.lead_rows import LeadDraft, RowProblem
from core.lead_spread import Spread, check_spread
from core.names import checked_description
from core.upload import check_active_dates

MAX_ROWS = 1_000
MAX_KEY = 200


class RowOutcome(StrEnum):
    """What became of a pushed row."""

    IMPORTED = "imported"
    FLAGGED = "flagged"
    DUPLICATE = "duplicate"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class PushedRow:
    """What became of one row.

    reason  of an invalid row what is wrong; of an imported one what was kept though it could not be read
    """

    outcome: RowOutcome
    lead_id: int | None = None
    column: str | None = None
    value: str | None = None
    reason: str | None = None
    action: str | None = None
    duplicate_of: int | None = None

    def record(self) -> dict[str, Any]:
        """As JSON values; what is not said is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(**{**record, "outcome": RowOutcome(record["outcome"])})


@dataclass(frozen=True, slots=True)
class LeadPush:
    """One request of an integrator.

    rows             values by field key, at most MAX_ROWS
    pool_name        a new pool of that name; None: the campaign's standing pool
    duplicate_field  key of the field that tells duplicates, None: the phone
    owner, priority  of its leads; None: the pool's priority
    description, active_from, active_until  of the new pool
    spread           when its leads may first be called, as an upload's
    """

    rows: Sequence[Mapping[str, object]]
    duplicates: DuplicateRule = field(default_factory=DuplicateRule)
    duplicate_field: str | None = None
    pool_name: str | None = None
    idempotency_key: str | None = None
    owner: Owner = Owner()
    priority: int | None = None
    description: str = ""
    active_from: datetime | None = None
    active_until: datetime | None = None
    spread: Spread = Spread()

    def check(self) -> None:
        """Raises BadInput, TooLarge."""
        if not self.rows:
            raise BadInput("At least one row is needed.", field=("input", "rows"))
        if len(self.rows) > MAX_ROWS:
            raise TooLarge(f"At most {MAX_ROWS:,} rows at once.", field=("input", "rows"))
        for place, row in enumerate(self.rows):
            if not isinstance(row, Mapping):
                path = ("input", "rows", str(place), "values")
                raise BadInput("A row is an object of values by field key.", field=path)
        self._check_settings()
        key = self.idempotency_key
        if key is not None and (not key.strip() or len(key) > MAX_KEY or "\x00" in key):
            raise BadInput(f"A key has 1 to {MAX_KEY} characters.", field=("input", "idempotencyKey"))

    def _check_settings(self) -> None:
        check_active_dates(self.active_from, self.active_until)
        check_spread(self.spread)
        checked_description(self.description)
        of_pool = {
            "description": self.description,
            "activeFrom": self.active_from,
            "activeUntil": self.active_until,
        }
        given = [name for name, value in of_pool.items() if value]
        if self.pool_name is None and given:
            message = "The standing pool stays as it is: name a new pool that this is to be said of."
            raise BadInput(message, field=("input", given[0]))

    def digest(self, campaign_id: int) -> str:
        """The same for two requests just when they ask for the same."""
        said = {**asdict(self), "campaign": campaign_id, "idempotency_key": None}
        return sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def outcome_of(
    row: LeadDraft | RowProblem, lead_ids: Mapping[int, int], repeats: Mapping[int, tuple[int, Verdict]]
) -> PushedRow:
    """What became of a row, given the new leads and the repeats of its batch by line."""
    if isinstance(row, RowProblem):
        return PushedRow(RowOutcome.INVALID, column=row.column, value=row.value, reason=row.reason)
    lead_id = lead_ids.get(row.line)
    column, value, reason = _first_warning(row)
    duplicate_of, verdict = repeats.get(row.line, (None, None))
    imported = RowOutcome.IMPORTED if verdict is None else RowOutcome.FLAGGED
    return PushedRow(
        RowOutcome.DUPLICATE if lead_id is None else imported,
        lead_id,
        column=column,
        value=value,
        reason=reason,
        action=None if verdict is None else verdict.note,
        duplicate_of=duplicate_of,
    )


def _first_warning(draft: LeadDraft) -> tuple[str | None, str | None, str | None]:
    if not draft.warnings:
        return None, None, None
    first = draft.warnings[0]
    return first.column, first.value, first.reason
