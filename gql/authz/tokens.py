"""Opaque tokens: how they look, how they are made, and what a request's credential claims.

A token reads `lg_<organisation>_<number>_<secret>`. The first three parts say where to look; the secret, 32
random bytes, is kept as its SHA-256 only.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from core.errors import Unauthenticated

LIFETIME = timedelta(days=90)
SECRET_BYTES = 32

TOKEN = re.compile(r"lg_(\d{1,18})_(\d{1,18})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a credential claims to be; nothing is believed before `scope_of` has looked it up."""

    organisation_id: int
    token_id: int
    secret_hash: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A new token's secret with the hash that is kept; `text` tells the whole token."""

    value: str
    hash: str

    def text(self, organisation_id: int, token_id: int) -> str:
        return f"lg_{organisation_id}_{token_id}_{self.value}"


def new_secret() -> Secret:
    value = secrets.token_urlsafe(SECRET_BYTES)
    return Secret(value, _hash(value))


def principal_of(authorization: str | None) -> Principal:
    """The claim in an `Authorization` value, `Bearer <token>`. Raises Unauthenticated."""
    kind, _, token = (authorization or "").strip().partition(" ")
    found = TOKEN.fullmatch(token.strip())
    if kind.lower() != "bearer" or found is None:
        raise Unauthenticated
    organisation_id, token_id, secret = found.groups()
    return Principal(int(organisation_id), int(token_id), _hash(secret))


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
