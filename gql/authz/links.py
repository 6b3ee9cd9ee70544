"""Short-lived links: what they allow is written in them, and a server key vouches that we wrote it.

A link names the token it was made for. Whoever follows it is held to what that token may do at that moment.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from hmac import compare_digest, digest
from pathlib import Path

import orjson

from core.errors import NotFound

KEY_FILE = "server.key"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Link:
    """What a link allows. `kind` says which file, `object_id` of what, `expires` in whole seconds, UTC."""

    kind: str
    organisation_id: int
    object_id: int
    token_id: int
    expires: int


@cache
def server_key(data_dir: Path) -> bytes:
    """The installation's key, made at the first call; only its owner may read the file."""
    path = data_dir / KEY_FILE
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(KEY_BYTES))
    except FileExistsError:
        pass
    key = path.read_bytes()
    if len(key) < KEY_BYTES:
        raise RuntimeError(f"{KEY_FILE} in the data folder is damaged: delete it and start again")
    return key


def sign_link(key: bytes, link: Link) -> str:
    body = orjson.dumps(astuple(link))
    return f"{_text(body)}.{_text(digest(key, body, sha256))}"


def read_link(key: bytes, text: str, now: datetime) -> Link:
    """The link, as it was signed. Raises NotFound for a forged, mangled or expired one."""
    body, _, signature = text.partition(".")
    try:
        said = _bytes(body)
        if not compare_digest(_bytes(signature), digest(key, said, sha256)):
            raise NotFound
    except (ValueError, Base64Error):
        raise NotFound from None
    link = Link(*orjson.loads(said))
    if now >= datetime.fromtimestamp(link.expires, UTC):
        raise NotFound
    return link


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
