"""The caller as the API shows them."""

import strawberry

from gql.authz.requires import Permission
from gql.schema.organisation import Organisation
from gql.schema.user import User


@strawberry.type(description="The caller: who the token belongs to, and what it may do.")
class Viewer:
    user: User | None = strawberry.field(description="The owner of the token.")
    organisation: Organisation = strawberry.field(description="The organisation they belong to.")
    permissions: list[Permission] = strawberry.field(
        description="The caller's feature permissions, as far as the token leaves them."
    )
