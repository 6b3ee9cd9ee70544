"""API tokens: the list, making one, and revoking."""

from datetime import timedelta

from core.access import TokenLimits
from db.commands import api_token as commands
from db.queries import api_token as queries
from gql.authz.tokens import new_secret
from gql.context import Info
from gql.schema import ids
from gql.schema.api_token import (
    ApiToken,
    ApiTokenPayload,
    CreateApiTokenInput,
    CreateApiTokenPayload,
    RevokeApiTokenInput,
)
from gql.schema.pagination import After, Connection, First, connection_of, paging_of

SEGMENTS = ["input", "segmentIds"]


async def list_api_tokens(info: Info, first: First = 50, after: After = None) -> Connection[ApiToken]:
    context, paging = info.context, paging_of(first, after)

    async def count() -> int:
        async with context.database.reading() as session:
            return await queries.count_api_tokens(session, context.scope)

    async with context.database.reading() as session:
        page = await queries.page_of_api_tokens(session, context.scope, paging)
    return connection_of(page, paging, ApiToken.from_row, count)


async def create_api_token(info: Info, input: CreateApiTokenInput) -> CreateApiTokenPayload:
    context, secret = info.context, new_secret()
    segments = None
    if input.segment_ids is not None:
        segments = frozenset(ids.locals_of("Segment", input.segment_ids, context.scope, SEGMENTS))
    features = None if input.scopes is None else frozenset(input.scopes)
    fields = None if input.fields is None else frozenset(input.fields)
    limits = TokenLimits(
        features, segments, input.documents_only, input.cost_per_second, fields, input.plan_only
    )
    user = context.scope.actor.user_id or 0
    if input.user_id is not None:
        user = ids.local("User", input.user_id, context.scope, ["input", "userId"])
    expires_at = input.expires_at or context.now + timedelta(days=context.settings.token_days)
    async with context.writing() as (session, scope):
        row = await commands.create_api_token(
            session,
            scope,
            user_id=user,
            name=input.name,
            secret_hash=secret.hash,
            limits=limits,
            expires_at=expires_at,
            now=context.now,
            shorten=input.expires_at is None,
        )
        await commands.check_scopes(session, scope, user, input.scopes or ())
    return CreateApiTokenPayload(
        api_token=ApiToken.from_row(row), token=secret.text(row.organisation_id, row.id)
    )


async def revoke_api_token(info: Info, input: RevokeApiTokenInput) -> ApiTokenPayload:
    context = info.context
    token_id = ids.local("ApiToken", input.id, context.scope, ["input", "id"])
    async with context.writing() as (session, scope):
        row = await commands.revoke_api_token(session, scope, token_id, now=context.now)
    return ApiTokenPayload(api_token=ApiToken.from_row(row))
