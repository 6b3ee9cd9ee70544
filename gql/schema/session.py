"""Signing in and out as the API shows them."""

from datetime import datetime
from typing import Self

import strawberry

from gql.schema.user import User
from gql.schema.user_error import UserError
from gql.sign_in import SignedIn


@strawberry.input(description="Who signs in.")
class SignInInput:
    email: str = strawberry.field(description="The user's e-mail address.")
    password: str = strawberry.field(description="Their password.")
    organisation: str | None = strawberry.field(
        default=None, description="Name of the organisation; needed where the server has several."
    )


@strawberry.type(description="A session, or why there is none.")
class SignInPayload:
    token: str | None = strawberry.field(
        default=None, description="The credential, shown this once: `Authorization: Bearer <token>`."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When the session ends, UTC.")
    user: User | None = strawberry.field(default=None, description="Who has signed in.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")

    @classmethod
    def of(cls, done: SignedIn) -> Self:
        return cls(token=done.text, expires_at=done.token.expires_at, user=User.from_row(done.user))


@strawberry.type(description="Whether the session has ended.")
class SignOutPayload:
    signed_out: bool = strawberry.field(default=False, description="The token works no longer.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.input(description="A new password; the user's other sessions end.")
class SetPasswordInput:
    new_password: str = strawberry.field(
        description="12 to 200 characters, not made of the user's name or address."
    )
    current_password: str | None = strawberry.field(
        default=None, description="The present one; needed for one's own where there is one."
    )
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose; by default the caller's. Others need USER_MANAGE."
    )
