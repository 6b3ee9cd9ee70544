"""Signed links: what is read is what was signed; anything else does not exist."""

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import NotFound
from gql.authz.links import KEY_FILE, Link, read_link, server_key, sign_link

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = b"k" * 32
LINK = Link("invalid_rows", 1, 2, 3, int((NOW + timedelta(minutes=5)).timestamp()))


def test_a_link_says_what_was_signed_until_it_expires() -> None:
    text = sign_link(KEY, LINK)
    assert read_link(KEY, text, NOW + timedelta(minutes=5, seconds=-1)) == LINK
    with pytest.raises(NotFound):
        read_link(KEY, text, NOW + timedelta(minutes=5))


def test_another_key_another_body_or_a_mangled_text_is_no_link() -> None:
    text = sign_link(KEY, LINK)
    body, _, signature = text.partition(".")
    elsewhere = sign_link(b"l" * 32, LINK)
    more = sign_link(KEY, replace(LINK, organisation_id=2)).partition(".")[0]
    wrong = [
        "",
        ".",
        body,
        f"{body}.",
        f".{signature}",
        f"{more}.{signature}",
        f"{text}A",
        elsewhere,
        "é.é",
        "a.b",
    ]
    for each in wrong:
        with pytest.raises(NotFound):
            read_link(KEY, each, NOW)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = server_key(folder)
    path = folder / KEY_FILE
    assert (len(key), path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (32, key, 0o600)
    server_key.cache_clear()  # as another process would
    assert server_key(folder) == key


def test_a_damaged_key_is_not_used(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(RuntimeError, match="damaged"):
        server_key(tmp_path)
