"""The root of the schema; `query`, `mutation` and `subscription` are its tables of contents."""

from datetime import datetime

import strawberry
from strawberry.schema.config import StrawberryConfig

from gql.authz.requires import undeclared_fields
from gql.execution.plain_fields import PlainFieldsExecutor
from gql.root.mutation import Mutation
from gql.root.query import Query
from gql.root.subscription import Subscription
from gql.schema.calling import NotCallable
from gql.schema.in_use import InUse
from gql.schema.lead_entry import DuplicateLead
from gql.schema.membership import MembershipChange, MembershipHeartbeat
from gql.schema.moment import DATE_TIME
from gql.schema.rule_cycle import RuleCycle
from gql.schema.segment_filter import RULE_TREE, RuleTree
from gql.schema.segment_member import ExclusiveConflict
from gql.schema.user_error import (
    ConfirmRequired,
    InvalidInput,
    InvalidRule,
    StaleVersion,
    StateConflict,
)

EVENTS = [MembershipChange, MembershipHeartbeat]
USER_ERRORS = [
    ConfirmRequired,
    DuplicateLead,
    InUse,
    ExclusiveConflict,
    InvalidInput,
    InvalidRule,
    NotCallable,
    RuleCycle,
    StaleVersion,
    StateConflict,
]


def build_schema() -> strawberry.Schema:
    """The schema; it is not built while a root field declares no permission."""
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*EVENTS, *USER_ERRORS],
        execution_context_class=PlainFieldsExecutor,
        config=StrawberryConfig(
            disable_field_suggestions=True, scalar_map={RuleTree: RULE_TREE, datetime: DATE_TIME}
        ),
    )
    if undeclared := undeclared_fields(schema):
        raise RuntimeError(f"root fields without a declared permission: {', '.join(undeclared)}")
    return schema
