"""The root of the schema; `query`, `mutation` and `subscription` are its tables of contents."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from gql.authz.requires import undeclared_fields
from gql.root.mutation import Mutation
from gql.root.query import Query


def build_schema() -> strawberry.Schema:
    """The schema; it is not built while a root field declares no permission."""
    schema = strawberry.Schema(
        query=Query, mutation=Mutation, config=StrawberryConfig(disable_field_suggestions=True)
    )
    if undeclared := undeclared_fields(schema):
        raise RuntimeError(f"root fields without a declared permission: {', '.join(undeclared)}")
    return schema
