"""When tokens were last used: noted beside the requests, at most once a minute for each token."""

import asyncio
from collections import OrderedDict
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.commands.api_token import USE_NOTED_EVERY, note_use
from db.database import Database
from gql.authz.tokens import Principal

REMEMBERED = 10_000

log = structlog.get_logger()


class TokenUse:
    """Remembers which tokens were noted a moment ago, so that most requests write nothing."""

    def __init__(self, database: Database, remembered: int = REMEMBERED) -> None:
        self._database = database
        self._remembered = remembered
        self._noted: OrderedDict[tuple[int, int], datetime] = OrderedDict()
        self._running: set[asyncio.Task[None]] = set()

    def note(self, principal: Principal, now: datetime) -> None:
        """Notes a use by a principal that has been found good; returns at once."""
        key = principal.organisation_id, principal.token_id
        last = self._noted.get(key)
        if last is not None and now - last < USE_NOTED_EVERY:
            return
        self._noted[key] = now
        self._noted.move_to_end(key)
        if len(self._noted) > self._remembered:
            self._noted.popitem(last=False)
        task = asyncio.create_task(self._write(*key, now))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self) -> None:
        """Waits for what is being written."""
        await asyncio.gather(*self._running)

    async def _write(self, organisation_id: int, token_id: int, now: datetime) -> None:
        try:
            async with self._database.writing() as session:
                await note_use(session, organisation_id, token_id, now=now)
        except SQLAlchemyError as error:
            # Nobody waits for it, and the next use in a minute is noted again.
            log.warning("the use of a token was not noted", error=type(error).__name__)
