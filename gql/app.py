"""The application: the only place that builds and wires; importing it does nothing."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.access import UNLIMITED, TokenLimits
from core.budget import Budgets, Rate
from core.errors import Forbidden
from db.change_feed import ChangeFeed
from db.database import Database
from db.migrate import is_migrated
from gql.authz.oidc import OidcVerifier, Provider
from gql.authz.token_use import TokenUse
from gql.authz.tokens import Principal, principal_of
from gql.context import Clock, Context, Services, open_context, utc_now
from gql.execution.guard import Limits
from gql.execution.operation import Operation, OperationRunner
from gql.execution.visible_schema import Shown
from gql.jobs.automation import automating
from gql.jobs.membership_sweep import pruning
from gql.jobs.pick_refresh import refreshing_picks
from gql.jobs.upload_sweep import sweeping
from gql.jobs.work import runner_of, working
from gql.logs import RequestLog, configure_logs
from gql.metrics import Metrics
from gql.root import build_schema
from gql.settings import Environment, Settings
from gql.sign_in import identified
from gql.transport.caller import Admission, Caller, TransportSettings
from gql.transport.door import Door
from gql.transport.downloads import DownloadEndpoint
from gql.transport.figures import FiguresEndpoint
from gql.transport.routes import graphql_routes
from gql.transport.uploads import UploadEndpoint
from gql.trusted_documents import TrustedDocuments, read_manifest

log = structlog.get_logger()

PROVIDED_KEPT = 10_000


def app_from_environment() -> Starlette:
    """The application as the environment configures it; what the server process runs."""
    configure_logs()
    return create_app(Settings())


def create_app(settings: Settings, clock: Clock = utc_now) -> Starlette:
    """The whole server as one ASGI application; the database is opened when it starts."""
    metrics = Metrics()
    application = Application(settings, clock, metrics)
    app = Starlette(
        routes=application.routes(),
        lifespan=application.lifespan,
        middleware=[
            Middleware(RequestLog, metrics=metrics),
            Middleware(TrustedHostMiddleware, allowed_hosts=settings.allowed_hosts),
        ],
    )
    app.state.application = application
    return app


def application_of(app: Any) -> "Application":
    """The application behind an ASGI callable of ours, through what a server wrapped around it."""
    while not isinstance(app, Starlette):
        app = app.app
    application: Application = app.state.application
    return application


class Application:
    """What the process has one of, and how requests reach it."""

    def __init__(self, settings: Settings, clock: Clock, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._services: Services | None = None
        self._token_use: TokenUse | None = None
        self._budgets = Budgets()
        self._provider = provider_of(settings)
        self._provided: OrderedDict[str, Principal] = OrderedDict()
        self._documents = TrustedDocuments(read_manifest(settings.trusted_documents))
        self._rates = rates_of(settings)
        self._door = Door(
            runner=OperationRunner(
                build_schema(),
                limits_of(settings),
                metrics=metrics,
                introspection=settings.introspection,
                suggestions=settings.env is Environment.DEVELOPMENT,
            ),
            authenticate=self.authenticate,
            admit=self.admit,
            find_document=self.find_document,
            charge=self.charge,
            # All of it: a claim with a wrong secret must not count against the token it names.
            principal_key=lambda principal: principal,
            settings=transport_settings(settings),
        )

        self._figures = FiguresEndpoint(metrics, lambda: self.services, lambda: len(self._door.streams))

    @property
    def services(self) -> Services:
        if self._services is None:
            raise RuntimeError("the application has not been started")
        return self._services

    def routes(self) -> list[BaseRoute]:
        uploads = UploadEndpoint(lambda: self.services, self._principal)
        return [
            *graphql_routes(self._door),
            Route("/uploads/{id}", uploads.respond, methods=["PUT", "HEAD"]),
            Route("/downloads/{id}", DownloadEndpoint(lambda: self.services).respond),
            Route("/healthz", healthz),
            Route("/metrics", self._figures.respond),
            Route("/readyz", self.readyz),
        ]

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(Database(self._settings.url))
            feed = await stack.enter_async_context(ChangeFeed(database))
            self._services = Services(
                database, feed, self._settings, self._clock, document_faults=self._door.runner.faults
            )
            stack.push_async_callback(self._services.audit.finish)
            self._token_use = TokenUse(database)
            stack.push_async_callback(self._token_use.finish)
            if self._settings.jobs_in_serve:
                await stack.enter_async_context(working(runner_of(database, self._settings, self._clock)))
                await stack.enter_async_context(automating(database, self._settings, self._clock))
                await stack.enter_async_context(sweeping(self._settings, self._clock))
                await stack.enter_async_context(pruning(database, self._settings, self._clock))
                await stack.enter_async_context(refreshing_picks(database, self._settings, self._clock))
            yield

    async def close_streams(self) -> None:
        await self._door.streams.close_all()

    async def authenticate(
        self, headers: Mapping[str, str], connection_payload: Mapping[str, object] | None
    ) -> Principal | None:
        """Who calls; None without a credential. A socket's is checked at once, a request's by its context."""
        given = headers.get("authorization")
        if connection_payload is not None:
            stated = connection_payload.get("Authorization", connection_payload.get("authorization", given))
            given = stated if stated is None or isinstance(stated, str) else ""
        if given is None:
            return None
        principal = await self._principal(given)
        if connection_payload is not None:
            await open_context(self.services, principal, None)
        return principal

    async def _principal(self, authorization: str) -> Principal:
        """Who an `Authorization` value claims to be: by a token of ours, or one of the provider's."""
        token = authorization.strip().partition(" ")[2].strip()
        if self._provider is None or token.count(".") != 2:
            return principal_of(authorization)
        if token not in self._provided:
            identity = await self._provider.verify(token, self._clock())
            self._provided[token] = await identified(self.services, identity, token)
            if len(self._provided) > PROVIDED_KEPT:
                self._provided.popitem(last=False)
        return self._provided[token]

    async def find_document(self, caller: Caller[Principal | None], document_id: str) -> str | None:
        organisation_id = None if caller.principal is None else caller.principal.organisation_id
        return await self._documents.find(self.services.database, organisation_id, document_id, self._clock())

    def charge(self, caller: Caller[Principal | None], cost: int) -> None:
        """Takes what it costs to read a document from the address: who sends it is not known for sure yet."""
        self._budgets.spend(("address", caller.address), cost, self._rates.address, self._clock())

    async def admit(self, caller: Caller[Principal | None], operation: Operation) -> Admission:
        """Charges the caller's address, then the token once it is known to be good, and opens a context."""
        cost, principal = operation.cost, caller.principal
        left = self._budgets.spend(("address", caller.address), cost, self._rates.address, self._clock())
        context = await open_context(self.services, caller.principal, caller.last_event_id, caller.address)
        limits = UNLIMITED if principal is None else context.scope.limits
        if operation.request.document_id is None:
            self._check_free_document(context, limits)
        if principal is not None:
            key = "token", principal.organisation_id, principal.token_id
            left = self._budgets.spend(key, cost, self._rates.of(limits), context.now)
            if self._token_use is not None:
                self._token_use.note(principal, context.now)
        shown = None if limits == UNLIMITED else Shown(context.scope.features, limits.plan_only)
        return Admission(context, left, shown)

    def _check_free_document(self, context: Context, limits: TokenLimits) -> None:
        """Raises Forbidden where only registered documents are run."""
        if self._settings.trusted_documents_only or limits.documents_only:
            denial = Forbidden("Only registered documents are run here: send a `documentId`.")
            if context.principal is not None:
                context.denied("document", denial)
            raise denial

    async def readyz(self, request: Request) -> Response:
        """Ready once the database answers and has the newest schema."""
        try:
            ready = await is_migrated(self.services.database.engine)
        except (SQLAlchemyError, OSError) as error:
            log.warning("database not reachable", error=type(error).__name__)
            ready = False
        return JSONResponse({"ready": ready}, status_code=200 if ready else 503)


async def healthz(request: Request) -> Response:
    """Alive: the process answers."""
    return JSONResponse({"alive": True})


def limits_of(settings: Settings) -> Limits:
    return Limits(
        tokens=settings.max_tokens,
        depth=settings.max_depth,
        aliases=settings.max_aliases,
        directives=settings.max_directives,
        fields=settings.max_fields,
        overlaps=settings.max_overlaps,
        characters=settings.max_characters,
        cost=settings.max_cost,
    )


def provider_of(settings: Settings) -> OidcVerifier | None:
    """The provider whose tokens are taken, where one is named."""
    if not settings.oidc_issuer:
        return None
    return OidcVerifier(Provider(settings.oidc_issuer, settings.oidc_audience, settings.oidc_keys_url))


@dataclass(frozen=True, slots=True)
class Rates:
    """The cost that a token, and all that comes from one address, may spend."""

    token: Rate
    address: Rate
    most: int

    def of(self, limits: TokenLimits) -> Rate:
        """A token's own rate where it has one: with a minute's worth, and one operation at the least."""
        if limits.cost_per_second is None:
            return self.token
        own = min(limits.cost_per_second, self.token.per_second)
        return Rate(max(int(own * 60), self.most), own)


def rates_of(settings: Settings) -> Rates:
    return Rates(
        Rate(settings.token_budget, settings.token_budget_per_second),
        Rate(settings.address_budget, settings.address_budget_per_second),
        settings.max_cost,
    )


def transport_settings(settings: Settings) -> TransportSettings:
    return TransportSettings(
        body_bytes=settings.max_body,
        body_timeout=settings.body_timeout,
        frame_bytes=settings.max_frame,
        init_timeout=settings.connection_init_timeout,
        keep_alive=settings.heartbeat_seconds,
        operations_per_socket=settings.max_subscriptions_per_socket,
        streams_per_principal=settings.max_sockets_per_token,
        streams_per_address=settings.max_sockets_per_address,
        allowed_origins=frozenset(settings.allowed_origins),
        graphiql=settings.env is Environment.DEVELOPMENT,
    )
