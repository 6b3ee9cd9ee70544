"""How far an import is, as it is stored with each batch."""

from collections.abc import Mapping
from dataclasses import asdict
from time import monotonic
from typing import Any

from core.import_accounts import Accounts
from gql.import_source import ImportSource

GROWTH = 4


class ImportProgress:
    """The accounts so far, how much of the file they are of, and at what rate they grow."""

    def __init__(self, accounts: Accounts, step: int) -> None:
        self.accounts = accounts
        self._step = step
        self._size = 0
        self._bytes = 0
        self._began = monotonic()
        self._rows_before = accounts.rows
        self._reported = False
        self._grown_at = 1

    def add(self, added: Accounts, source: ImportSource) -> None:
        self.accounts += added
        self._step += 1
        self._size, self._bytes = source.size, source.bytes_read

    def has_grown(self) -> bool:
        """Whether so many rows have come since this was last so that what the planner knows is outdated."""
        rows = self.accounts.rows - self._rows_before
        if rows < self._grown_at:
            return False
        self._grown_at = rows * GROWTH
        return True

    def finish(self, source: ImportSource) -> None:
        self._step += 1
        self._size = self._bytes = source.size
        self._reported = True

    def record(self) -> dict[str, Any]:
        elapsed = max(monotonic() - self._began, 1e-6)
        rate = (self.accounts.rows - self._rows_before) / elapsed
        return {
            **asdict(self.accounts),
            "step": self._step,
            "bytes": self._bytes,
            "size": self._size,
            "rate": round(rate, 1),
            "reported": self._reported,
        }


def accounts_of(progress: Mapping[str, Any]) -> Accounts:
    """The accounts in a job's progress."""
    names = ("rows", "valid", "invalid", "duplicates", "flagged", "acted_on")
    return Accounts(**{name: int(progress.get(name, 0)) for name in names})
