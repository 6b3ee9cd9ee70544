"""Lead pools: whether their leads are called, what their figures mean, and the order their leads come in."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from core.calling import PoolFacts, within
from core.errors import BadInput
from core.references import read_reference

MAX_SEED = 64
MAX_COLUMNS = 50


class PoolStatus(StrEnum):
    """Whether a pool's leads are called, its own switch and its active dates taken together."""

    ACTIVE = "active"
    SCHEDULED = "scheduled"
    EXPIRED = "expired"
    INACTIVE = "inactive"


class PoolColumn(StrEnum):
    """What a list of pools shows and sorts by."""

    NAME = "name"
    PROJECT = "project"
    CAMPAIGN = "campaign"
    STATUS = "status"
    UPLOADED = "uploaded"
    PRIORITY = "priority"
    TOTAL_LEADS = "total_leads"
    READY_TO_DIAL = "ready_to_dial"
    OPEN_LEADS = "open_leads"
    CLOSED_PERCENT = "closed_percent"
    USED_LEADS = "used_leads"
    USED_PERCENT = "used_percent"
    CALLS = "calls"
    CONTACT_PERCENT = "contact_percent"
    SUCCESS_PERCENT = "success_percent"
    CONVERSION_PERCENT = "conversion_percent"
    AVERAGE_ATTEMPTS = "average_attempts"
    CALLBACKS_DUE = "callbacks_due"
    PRIVATE_REDIALS = "private_redials"
    VIP_REDIALS = "vip_redials"
    INVALID_ROWS = "invalid_rows"
    INVALID_PERCENT = "invalid_percent"
    DUPLICATES = "duplicates"
    LAST_CALLED = "last_called"
    STATUS_NEW = "status_new"
    STATUS_OPEN = "status_open"
    STATUS_CLOSED = "status_closed"
    STATUS_REMOVED = "status_removed"
    RESULT = "result"


class Kept(StrEnum):
    """Why a pool, or leads of it, outlived its deletion."""

    WORKED = "worked"
    MASTER_OF_CLONES = "master_of_clones"
    IMPORT_RUNNING = "import_running"
    USED_BY_SEGMENT = "used_by_segment"


def status_of_pool(pool: PoolFacts, now: datetime) -> PoolStatus:
    """Inactive goes before the dates: a pool that is switched off is not waiting for anything."""
    if not pool.active:
        return PoolStatus.INACTIVE
    if within(pool.active_from, pool.active_until, now):
        return PoolStatus.ACTIVE
    begun = pool.active_from is None or pool.active_from <= now
    return PoolStatus.EXPIRED if begun else PoolStatus.SCHEDULED


def shuffled(seed: str, leads: Iterable[tuple[int, int | None]]) -> list[int]:
    """The leads, given as id and line of the upload, in the order that the seed says.

    It hangs on nothing but the seed and the lines: the same file shuffled with the same seed comes in the
    same order, whatever order it was in before and whoever was added or deleted meanwhile.
    """
    return [lead for lead, line in sorted(leads, key=lambda each: (_draw(seed, *each), each[0]))]


def as_imported(leads: Iterable[tuple[int, int | None]]) -> list[int]:
    """The leads in the order of the upload; those that came in otherwise follow in the order they came."""
    return [lead for lead, line in sorted(leads, key=lambda each: (each[1] is None, each[1] or 0, each[0]))]


def checked_seed(seed: str) -> str:
    """Raises BadInput for an empty or overlong seed."""
    if not 1 <= len(seed) <= MAX_SEED or "\x00" in seed:
        raise BadInput(f"A seed has 1 to {MAX_SEED} characters.", field=("input", "seed"))
    return seed


def checked_columns(columns: Iterable[PoolColumn]) -> list[str]:
    """The columns of a view as they are stored. Raises BadInput where one comes twice."""
    names = [column.value for column in columns]
    if len(set(names)) < len(names) or len(names) > MAX_COLUMNS:
        raise BadInput("Name each column once.", field=("input", "columns"))
    return names


def _draw(seed: str, lead: int, line: int | None) -> bytes:
    ticket = f"lead {lead}" if line is None else f"line {line}"
    return blake2b(f"{seed}\n{ticket}".encode(), digest_size=16).digest()


def uses_pool(filter: Mapping[str, Any] | None, organisation_id: int, pool_id: int) -> bool:
    """Whether a segment's stored filter names the pool, among its pools or anywhere in its rule."""
    if filter is None:
        return False
    named = (read_reference(text, "LeadPool", organisation_id) for text in _texts(filter["rule"]))
    return pool_id in filter["leadPools"] or pool_id in named


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, Mapping):
        node = list(node.values())
    if isinstance(node, str):
        yield from (part.strip() for part in node.split(","))
    elif isinstance(node, list):
        for part in node:
            yield from _texts(part)
