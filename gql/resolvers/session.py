"""Signing in and out, and passwords."""

from db.commands.api_token import revoke_api_token
from gql import sign_in as sessions
from gql.context import Info
from gql.schema import ids
from gql.schema.session import SetPasswordInput, SignInInput, SignInPayload, SignOutPayload
from gql.schema.user import User, UserPayload


async def sign_in(info: Info, input: SignInInput) -> SignInPayload:
    done = await sessions.sign_in(info.context, input.email, input.password, input.organisation)
    return SignInPayload.of(done)


async def sign_out(info: Info) -> SignOutPayload:
    context = info.context
    async with context.writing() as (session, scope):
        await revoke_api_token(session, scope, scope.actor.token_id or 0, now=context.now)
    return SignOutPayload(signed_out=True)


async def set_password(info: Info, input: SetPasswordInput) -> UserPayload:
    scope = info.context.scope
    user_id = scope.actor.user_id or 0
    if input.user_id is not None:
        user_id = ids.local("User", input.user_id, scope, ["input", "userId"])
    row = await sessions.set_password(info.context, user_id, input.new_password, input.current_password)
    return UserPayload(user=User.from_row(row))
