"""What segments can depend on, as the API takes it."""

from typing import Annotated

import strawberry


@strawberry.input(description="A master data field.")
class UsedFieldInput:
    project_id: strawberry.ID = strawberry.field(description="Its project.")
    key: str = strawberry.field(description="Its key; `lead.…` for a built-in one.")


@strawberry.input(one_of=True, description="Something that segments may depend on.")
class UsedInput:
    campaign_id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="A campaign.")
    field: strawberry.Maybe[UsedFieldInput] = strawberry.field(description="A field.")
    lead_pool_id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="A lead pool.")
    segment_id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Another segment.")
    team_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="A team; segments that belong to it are among those that depend on it."
    )
    user_id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="A user.")


Used = Annotated[UsedInput, strawberry.argument(description="What they may depend on.")]
