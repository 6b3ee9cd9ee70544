"""Operations made from the schema: one for each root field, asking for what tells answers apart."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLObjectType,
    Undefined,
    get_named_type,
    is_composite_type,
    is_required_argument,
)

from core.access import FEATURES, Permission, Role
from gql.authz.requires import PermissionDirective, permission_of
from gql.root import build_schema
from tests.root_field_cases import CASES, Of

ROLES = {feature.permission: feature.roles for feature in FEATURES}
DEEP = 4


@dataclass(frozen=True)
class RootField:
    """A root field: what it needs, and how to ask it; `case` are its arguments."""

    kind: str
    name: str
    field: GraphQLField
    case: dict[str, Any]

    @property
    def permission(self) -> Permission | None:
        return permission_of(self.field)

    @property
    def anyone(self) -> bool:
        """Whether it needs no token."""
        declared = self.field.extensions["strawberry-definition"].directives
        return any(isinstance(each, PermissionDirective) and each.anyone is True for each in declared)

    @property
    def changes(self) -> bool:
        return self.kind == "mutation"

    @property
    def reports_each(self) -> bool:
        """Whether it tells for each object by itself how it went."""
        payload = get_named_type(self.field.type)
        return isinstance(payload, GraphQLObjectType) and "outcomes" in payload.fields

    @property
    def names_objects(self) -> bool:
        return bool(list(_objects(self.case)))

    @property
    def lacks_a_case(self) -> bool:
        """Whether it cannot be asked without arguments, or takes IDs that its case does not give."""
        arguments = self.field.args.items()
        required = {name for name, argument in arguments if is_required_argument(argument)}
        takes_ids = any(_takes_ids(argument.type) for _, argument in arguments)
        return not required <= self.case.keys() or (
            takes_ids and not self.names_objects and self.name not in BY_NAME
        )

    def allows(self, role: Role | None) -> bool:
        """Whether a user of this role alone has what it needs."""
        return self.permission is None or role in ROLES[self.permission]

    def names(self, nouns: Collection[str]) -> bool:
        """Whether its case names objects of these."""
        return any(each.noun in nouns for each in _objects(self.case))

    def document(self, depth: int = 0) -> str:
        declared = ", ".join(f"${name}: {self.field.args[name].type}" for name in self.case)
        passed = ", ".join(f"{name}: ${name}" for name in self.case)
        head = f"{self.kind}({declared})" if declared else self.kind
        selection = _deep_selection(self.field, depth) if depth else _selection(self.field)
        return f"{head} {{ {self.name}{f'({passed})' if passed else ''} {selection} }}"


BY_NAME = {"createProject", "signIn", "setPassword"}
"""Fields whose IDs are not what finds their object."""


def root_fields() -> list[RootField]:
    schema = build_schema()._schema
    return [
        RootField(kind, name, field, CASES.get(name, {}))
        for kind, root in (
            ("query", schema.query_type),
            ("mutation", schema.mutation_type),
            ("subscription", schema.subscription_type),
        )
        if root is not None
        for name, field in root.fields.items()
    ]


def _objects(given: Any) -> Iterator[Of]:
    if isinstance(given, Of):
        yield given
    for below in given.values() if isinstance(given, dict) else given if isinstance(given, list) else ():
        yield from _objects(below)


def _takes_ids(given: GraphQLInputType, depth: int = 0) -> bool:
    named = get_named_type(given)
    if isinstance(named, GraphQLInputObjectType):
        return depth < DEEP and any(_takes_ids(field.type, depth + 1) for field in named.fields.values())
    return named.name == "ID"


def _deep_selection(field: GraphQLField, depth: int) -> str:
    """Type and ID of every object that can be reached in so many steps, one of each list that is paged."""
    named: GraphQLNamedType = get_named_type(field.type)
    if not is_composite_type(named):
        return ""
    wanted = ["__typename", "id"] if "id" in getattr(named, "fields", ()) else ["__typename"]
    if isinstance(named, GraphQLObjectType) and depth:
        for name, below in named.fields.items():
            if not is_composite_type(get_named_type(below.type)) or any(
                is_required_argument(argument) for argument in below.args.values()
            ):
                continue
            page = "(first: 1)" if "first" in below.args else ""
            wanted.append(f"{name}{page} {_deep_selection(below, depth - (name != 'nodes'))}")
    return f"{{ {' '.join(wanted)} }}"


def _selection(field: GraphQLField) -> str:
    """`__typename`, and what tells whether an object is there: its ID, counts, errors."""
    named: GraphQLNamedType = get_named_type(field.type)
    if not is_composite_type(named):
        return ""
    wanted = ["__typename"]
    if isinstance(named, GraphQLObjectType):
        for name, below in named.fields.items():
            shape = get_named_type(below.type)
            if name == "userErrors":
                wanted.append("userErrors { __typename code message field }")
            elif name == "nodes":
                wanted.append(f"nodes {_selection(below)}")
            elif any(
                argument.default_value is Undefined and is_required_argument(argument)
                for argument in below.args.values()
            ):
                continue
            elif not is_composite_type(shape) and name not in SECRET:
                wanted.append(name)
            elif (
                isinstance(shape, GraphQLObjectType)
                and "id" in shape.fields
                and named.name.endswith("Payload")
            ):
                wanted.append(f"{name} {{ id }}")
    return f"{{ {' '.join(wanted)} }}"


SECRET = {"token"}
"""What is made anew each time."""
