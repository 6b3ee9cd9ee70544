"""What is wrong with an installation, and what to do about it."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from db.database import Database
from db.migrate import is_migrated
from gql.settings import Settings

PREFIX = "LEADGRAPH_"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    good: bool
    advice: str


async def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which they should be mended."""
    return [_settings(settings), _data_folder(settings.data_dir), await _database(settings)]


def _settings(settings: Settings) -> Finding:
    problems = [*settings.unsafe("127.0.0.1"), *(f"{name} is no setting" for name in unknown_settings())]
    return Finding("settings", not problems, "; ".join(problems) or f"safe for {settings.env}")


def unknown_settings() -> list[str]:
    """Variables that look like ours and mean nothing: most likely misspelt."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    return sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )


def _data_folder(folder: Path) -> Finding:
    if not folder.is_dir():
        return Finding("data folder", False, f"{folder} does not exist: run `python -m gql migrate`")
    if not os.access(folder, os.W_OK):
        return Finding("data folder", False, f"{folder} cannot be written: give this user the right to")
    return Finding("data folder", True, f"{folder} can be written")


async def _database(settings: Settings) -> Finding:
    try:
        async with Database(settings.url) as database:
            migrated = await is_migrated(database.engine)
    except (SQLAlchemyError, OSError) as error:
        return Finding(
            "database", False, f"not reachable ({type(error).__name__}): check LEADGRAPH_DATABASE_URL"
        )
    advice = "reachable, newest schema" if migrated else "older schema: run `python -m gql migrate`"
    return Finding("database", migrated, advice)
