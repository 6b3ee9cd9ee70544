"""The schema as a limited token is shown it: without the root fields it may not use, and what they need."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from core.access import Permission
from core.errors import BadInput
from gql.authz.requires import permission_of, plans_at_most
from gql.execution.guard import Fragments, fragments_of

KEPT = 100
ABOUT_THE_SCHEMA = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Shown:
    """By what a limited token is shown the schema: its permissions, and whether it only plans."""

    features: frozenset[Permission]
    plan_only: bool = False


class VisibleSchemas:
    """Parts of one schema by what may be used of it, the recently used kept."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[Shown, GraphQLSchema] = OrderedDict()

    def of(self, shown: Shown) -> GraphQLSchema:
        known = self._known.get(shown)
        if known is None:
            known = self._known[shown] = self._pruned(shown)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(shown)
        return known

    def _pruned(self, shown: Shown) -> GraphQLSchema:
        whole = self._schema
        return GraphQLSchema(
            query=_part(whole.query_type, shown),
            mutation=_part(whole.mutation_type, shown),
            subscription=_part(whole.subscription_type, shown),
            directives=whole.directives,
            description=whole.description,
            assume_valid=True,
        )


def asks_about_the_schema(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """Whether it is introspection. Raises BadInput where it asks for data besides."""
    names = set(_root_names(operation.selection_set, fragments_of(document), set()))
    if not names & ABOUT_THE_SCHEMA:
        return False
    if names - ABOUT_THE_SCHEMA - {"__typename"}:
        raise BadInput("With this token, ask about the schema and for data in operations apart.")
    return True


def _part(root: GraphQLObjectType | None, shown: Shown) -> GraphQLObjectType | None:
    if root is None:
        return None
    fields = {name: field for name, field in root.fields.items() if _is_for(field, shown)}
    return GraphQLObjectType(root.name, fields, description=root.description) if fields else None


def _is_for(field: GraphQLField, shown: Shown) -> bool:
    needed = permission_of(field)
    if needed is not None and needed not in shown.features:
        return False
    return not (shown.plan_only and plans_at_most(field)) or _can_be_dry(field)


def _can_be_dry(field: GraphQLField) -> bool:
    given = [get_named_type(argument.type) for argument in field.args.values()]
    return any(isinstance(each, GraphQLInputObjectType) and "dryRun" in each.fields for each in given)


def _root_names(selections: SelectionSetNode, fragments: Fragments, seen: set[str]) -> Iterator[str]:
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            yield selection.name.value
        elif isinstance(selection, InlineFragmentNode):
            yield from _root_names(selection.selection_set, fragments, seen)
        elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
            seen.add(selection.name.value)
            yield from _root_names(fragments[selection.name.value].selection_set, fragments, seen)
