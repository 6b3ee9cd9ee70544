"""Bearer tokens of an OpenID Connect provider: who it says somebody is, once its signature is checked."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import structlog

from core.errors import Unauthenticated
from core.identity import normal_email

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
# Some providers write it as a text.
VERIFIED = (True, "true")
REQUIRED = ("exp", "iat", "iss", "aud", "sub")
KEYS_KEPT = timedelta(minutes=10)
UNKNOWN_KEY_PAUSE = timedelta(seconds=10)
FETCH_SECONDS = 3
LEEWAY = timedelta(seconds=30)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Provider:
    """Whom to believe: the issuer, for which audience, and where its keys are."""

    issuer: str
    audience: str
    keys_url: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a provider vouches for, and until when."""

    email: str
    expires_at: datetime


class OidcVerifier:
    """Checks tokens against the provider's keys, which are fetched in a thread and kept for a while."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._client = jwt.PyJWKClient(provider.keys_url, cache_keys=False, timeout=FETCH_SECONDS)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: datetime | None = None
        self._fetching = asyncio.Lock()

    async def verify(self, token: str, now: datetime) -> Identity:
        """Raises Unauthenticated for whatever is not in order, without saying what."""
        try:
            key = await self._key(jwt.get_unverified_header(token), now)
            claims = self._claims(token, key)
        except jwt.PyJWTError as error:
            log.info("bearer token refused", reason=type(error).__name__)
            raise Unauthenticated from None
        email = normal_email(str(claims.get("email", "")))
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        if email is None or claims.get("email_verified") not in VERIFIED or now >= expires_at:
            raise Unauthenticated
        return Identity(email, expires_at)

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=self._provider.audience,
            issuer=self._provider.issuer,
            leeway=LEEWAY,
            options={"require": list(REQUIRED), "strict_aud": False},
        )
        return claims

    async def _key(self, header: dict[str, Any], now: datetime) -> jwt.PyJWK:
        name = str(header.get("kid", ""))
        async with self._fetching:
            await self._refresh(name, now)
        if name not in self._keys:
            raise jwt.InvalidKeyError("There is no such key.")
        return self._keys[name]

    async def _refresh(self, name: str, now: datetime) -> None:
        """Fetches the keys where they are old; names that somebody invents do that once in a while."""
        patience = KEYS_KEPT if name in self._keys else UNKNOWN_KEY_PAUSE
        if self._fetched_at is None or now - self._fetched_at > patience:
            self._fetched_at = now
            self._keys = await asyncio.to_thread(self._fetch)

    def _fetch(self) -> dict[str, jwt.PyJWK]:
        keys = jwt.PyJWKSet.from_dict(self._client.fetch_data()).keys
        return {str(key.key_id or ""): key for key in keys if key.public_key_use in (None, "sig")}
