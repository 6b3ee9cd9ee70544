"""What every resolver of one operation is given."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import strawberry
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core.access import Permission, Scope
from core.errors import Conflict, Forbidden, Unauthenticated
from db.change_feed import ChangeFeed
from db.database import Database, lost_a_race
from db.queries.policy import policy_changed_in
from gql.authz.audit import Audit
from gql.authz.enforcer import Policies
from gql.authz.passwords import Passwords
from gql.authz.scope import scope_of
from gql.authz.shared_reads import SharedReads
from gql.authz.tokens import Principal
from gql.loaders import Loaders
from gql.settings import Settings

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Services:
    """What the process has one of.

    document_faults  what is wrong with a document to be run here, as sentences
    """

    database: Database
    feed: ChangeFeed
    settings: Settings
    clock: Clock
    policies: Policies = field(default_factory=Policies)
    scopes: SharedReads[Scope] = field(default_factory=SharedReads)
    document_faults: Callable[[str], list[str]] = lambda text: []
    passwords: Passwords = field(default_factory=Passwords)
    audit: Audit = field(init=False)

    def __post_init__(self) -> None:
        self.audit = Audit(self.database, self.clock)


@dataclass(slots=True)
class Context:
    """One operation: who asks, what they may, and when it is.

    now            when the operation began; a subscription asks the clock instead
    last_event_id  cursor a server-sent-events client resumes from
    address        of the client, where it is known
    """

    services: Services
    principal: Principal | None
    now: datetime
    last_event_id: str | None = None
    address: str | None = None
    current_scope: Scope | None = None
    current_loaders: Loaders | None = None

    @property
    def database(self) -> Database:
        return self.services.database

    @property
    def feed(self) -> ChangeFeed:
        return self.services.feed

    @property
    def settings(self) -> Settings:
        return self.services.settings

    @property
    def scope(self) -> Scope:
        """The caller's scope. Raises Unauthenticated where no valid credential came."""
        if self.current_scope is None:
            raise Unauthenticated
        return self.current_scope

    @property
    def loaders(self) -> Loaders:
        if self.current_loaders is None:
            self.current_loaders = Loaders(self.database, self.scope)
        return self.current_loaders

    def denied(self, action: str, denial: Forbidden) -> None:
        """Notes in the audit log that the caller lacked what an action needs."""
        self.services.audit.denied(self.scope, action, denial, self.address)

    def need(self, permission: Permission, action: str) -> None:
        """Raises Forbidden without the permission, and notes that in the audit log."""
        try:
            self.scope.need(permission)
        except Forbidden as denial:
            self.denied(action, denial)
            raise

    async def refresh_scope(self) -> Scope:
        """The scope as it is now. Raises Unauthenticated once the token or its owner is gone."""
        if self.principal is None:
            raise Unauthenticated
        # A thousand streams of one token that wake at once are answered by one look at the database.
        scope = await self.services.scopes.read(self.principal, partial(self._look_up_scope, self.principal))
        self.current_scope, self.current_loaders = scope, None
        return scope

    async def _look_up_scope(self, principal: Principal) -> Scope:
        async with self.database.reading() as session:
            return await scope_of(session, principal, self.services.clock(), self.services.policies)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[tuple[AsyncSession, Scope]]:
        """A transaction and the caller's scope, read inside it: a right lost a moment ago is gone.

        Raises Conflict where it lost against another that changed the same
        """
        async with self._scoped(self.database.writing()) as (session, scope):
            yield session, scope
        self.current_loaders = None
        if policy_changed_in(session):
            # What it gave or took counts from here on; a caller may have ended their own token with it.
            with suppress(Unauthenticated):
                await self.refresh_scope()

    @asynccontextmanager
    async def trying(self) -> AsyncIterator[tuple[AsyncSession, Scope]]:
        """The same, all of whose work is undone: to see what it would do."""
        async with self._scoped(self.database.trying()) as (session, scope):
            yield session, scope

    @asynccontextmanager
    async def _scoped(
        self, transaction: AbstractAsyncContextManager[AsyncSession]
    ) -> AsyncIterator[tuple[AsyncSession, Scope]]:
        if self.principal is None:
            raise Unauthenticated
        try:
            async with transaction as session:
                yield session, await self._read_scope(session, self.principal)
        except DBAPIError as error:
            if not lost_a_race(error):
                raise
            raise Conflict("Somebody else is changing the same: try again.") from error

    async def _read_scope(self, session: AsyncSession, principal: Principal) -> Scope:
        scope = await scope_of(session, principal, self.services.clock(), self.services.policies)
        self.current_scope, self.current_loaders = scope, None
        return scope


Info = strawberry.Info[Context, None]


async def open_context(
    services: Services,
    principal: Principal | None,
    last_event_id: str | None,
    address: str | None = None,
) -> Context:
    """The context of a new operation, with the caller's rights as they are now."""
    context = Context(services, principal, services.clock(), last_event_id, address)
    if principal is not None:
        await context.refresh_scope()
    return context
