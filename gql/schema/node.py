"""The interface of everything that has an ID."""

import strawberry


@strawberry.interface(description="An object with an opaque, lasting ID.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque ID, unique over all types.")
