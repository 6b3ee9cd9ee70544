"""The schema as a limited token is shown it: without the root fields it may not use, and what they need."""

from collections import OrderedDict
from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from core.access import Permission
from core.errors import BadInput
from gql.authz.requires import permission_of
from gql.execution.guard import Fragments, fragments_of

KEPT = 100
ABOUT_THE_SCHEMA = frozenset({"__schema", "__type"})


class VisibleSchemas:
    """Parts of one schema by what may be used of it, the recently used kept."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[frozenset[Permission], GraphQLSchema] = OrderedDict()

    def of(self, features: frozenset[Permission]) -> GraphQLSchema:
        known = self._known.get(features)
        if known is None:
            known = self._known[features] = self._pruned(features)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(features)
        return known

    def _pruned(self, features: frozenset[Permission]) -> GraphQLSchema:
        whole = self._schema
        return GraphQLSchema(
            query=_part(whole.query_type, features),
            mutation=_part(whole.mutation_type, features),
            subscription=_part(whole.subscription_type, features),
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


def _part(root: GraphQLObjectType | None, features: frozenset[Permission]) -> GraphQLObjectType | None:
    if root is None:
        return None
    fields = {
        name: field
        for name, field in root.fields.items()
        if (needed := permission_of(field)) is None or needed in features
    }
    return GraphQLObjectType(root.name, fields, description=root.description) if fields else None


def _root_names(selections: SelectionSetNode, fragments: Fragments, seen: set[str]) -> Iterator[str]:
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            yield selection.name.value
        elif isinstance(selection, InlineFragmentNode):
            yield from _root_names(selection.selection_set, fragments, seen)
        elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
            seen.add(selection.name.value)
            yield from _root_names(fragments[selection.name.value].selection_set, fragments, seen)
