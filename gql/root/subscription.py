"""Everything that can be followed: field, type, resolver, permission, description."""

import strawberry


@strawberry.type(description="Everything that can be followed as it happens.")
class Subscription:
    pass
