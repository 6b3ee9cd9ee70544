"""Passwords of people: hashed with Argon2id, away from the event loop, and few attempts at guessing."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.budget import Budgets, Rate
from core.errors import RateLimited

Answer = TypeVar("Answer")

# Each takes 64 MiB while it is at work.
AT_ONCE = 2
WINDOW = timedelta(minutes=15)
ACCOUNT_ATTEMPTS = Rate(10, 10 / WINDOW.total_seconds())
ADDRESS_ATTEMPTS = Rate(100, 100 / WINDOW.total_seconds())


class Passwords:
    """Makes and compares hashes, and counts attempts per account and address in this process."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._attempts = Budgets()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._nobody: str | None = None

    async def hashed(self, password: str) -> str:
        return await self._in_thread(self._hasher.hash, password)

    async def are_right(self, password: str, known_hash: str | None) -> bool:
        """Whether the password is that of the hash; without one it takes as long, and is not."""
        if self._nobody is None:
            self._nobody = await self.hashed("nobody's password")
        right = await self._in_thread(self._verify, known_hash or self._nobody, password)
        return right and known_hash is not None

    def count_attempt(self, account: tuple[int, str], address: str | None, now: datetime) -> None:
        """Counts one attempt. Raises RateLimited, for accounts that do not exist just the same."""
        try:
            self._attempts.spend(("address", address), 1, ADDRESS_ATTEMPTS, now)
            self._attempts.spend(("account", *account), 1, ACCOUNT_ATTEMPTS, now)
        except RateLimited as refused:
            seconds = refused.details["retryAfterSeconds"]
            raise RateLimited(
                f"Too many attempts: try again in {seconds} s.", details={"retryAfterSeconds": seconds}
            ) from None

    async def _in_thread(self, work: Callable[..., Answer], *arguments: str) -> Answer:
        async with self._at_once:
            return await asyncio.to_thread(work, *arguments)

    def _verify(self, known_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(known_hash, password)
        except (VerificationError, InvalidHashError):
            return False
