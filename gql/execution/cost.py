"""What an operation may cost: the number of values its answer can hold at most.

A field counts one, `__typename` and introspection nothing. Below a connection the items count once for each
row of the page (`first` or `last`, 50 where neither is given), and pages within pages multiply. A list that
is not paged counts as ten items. Skipped and included fields both count.
"""

from collections.abc import Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from gql.execution.guard import Fragments, fragments_of, selections_of

DEFAULT_PAGE = 50
UNPAGED_LIST = 10
_PAGE_ARGUMENTS = ("first", "last")
# Beyond this, JSON readers lose digits; far above any limit anyway.
_MOST = 2**53 - 1


def page_variables(document: DocumentNode) -> tuple[str, ...]:
    """Names of the variables that steer a page size: with the same values the cost is the same."""
    names: dict[str, None] = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            for selection in selections_of(definition.selection_set):
                for value in _page_values(selection) if isinstance(selection, FieldNode) else ():
                    if isinstance(value, VariableNode):
                        names[value.name.value] = None
    return tuple(names)


def operation_cost(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, object],
) -> int:
    """The cost of one operation of a valid document; each fragment is priced once per page size above it."""
    root = schema.get_root_type(operation.operation)
    given = _with_defaults(operation, variables)
    cost = _Pricing(schema, fragments_of(document), given).price(operation.selection_set, root, None)
    return min(cost, _MOST)


class _Pricing:
    def __init__(self, schema: GraphQLSchema, fragments: Fragments, variables: Mapping[str, object]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._known: dict[tuple[str, int | None], int] = {}

    def price(
        self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None, page: int | None
    ) -> int:
        """`page` is the page size of the connection that `parent` is, None where it is not one."""
        total = 0
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                total += self._price_field(selection, parent, page)
            elif isinstance(selection, FragmentSpreadNode):
                total += self._price_fragment(selection.name.value, page)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                narrowed = self._schema.get_type(condition.name.value) if condition else parent
                total += self.price(selection.selection_set, narrowed, page)
        return total

    def _price_fragment(self, name: str, page: int | None) -> int:
        known = self._known.get((name, page))
        if known is None:
            fragment = self._fragments[name]
            condition = self._schema.get_type(fragment.type_condition.name.value)
            known = self._known[name, page] = self.price(fragment.selection_set, condition, page)
        return known

    def _price_field(self, node: FieldNode, parent: GraphQLNamedType | None, page: int | None) -> int:
        if node.name.value.startswith("__"):
            return 0
        fields: Mapping[str, GraphQLField] = getattr(parent, "fields", {})
        field_type = fields[node.name.value].type
        named = get_named_type(field_type)
        if node.selection_set is None or not is_composite_type(named):
            return 1
        if _is_connection(named):
            return 1 + self.price(node.selection_set, named, self._page(node))
        one = 1 + self.price(node.selection_set, named, None)
        if not is_list_type(get_nullable_type(field_type)):
            return one
        return one * (page if page is not None else self._page(node, UNPAGED_LIST))

    def _page(self, node: FieldNode, otherwise: int = DEFAULT_PAGE) -> int:
        sizes = [size for size in map(self._integer, _page_values(node)) if size is not None]
        return max(sizes, default=otherwise)

    def _integer(self, value: ValueNode) -> int | None:
        if isinstance(value, IntValueNode):
            return _literal(value)
        found = self._variables.get(value.name.value) if isinstance(value, VariableNode) else None
        return max(found, 0) if isinstance(found, int) and not isinstance(found, bool) else None


def _page_values(node: FieldNode) -> list[ValueNode]:
    return [argument.value for argument in node.arguments or () if argument.name.value in _PAGE_ARGUMENTS]


def _literal(value: IntValueNode) -> int:
    # Python refuses to read thousands of digits; sixteen are beyond any limit already.
    return max(int(value.value[:17]), 0)


def _is_connection(named: GraphQLNamedType | None) -> bool:
    return isinstance(named, GraphQLObjectType) and named.name.endswith("Connection")


def _with_defaults(operation: OperationDefinitionNode, variables: Mapping[str, object]) -> dict[str, object]:
    defaults = {
        definition.variable.name.value: _literal(definition.default_value)
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode)
    }
    return {**defaults, **variables}
