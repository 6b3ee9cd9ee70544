"""Executing fields that are plain values of their objects without graphql-core's long way to each of them.

graphql-core makes a path, an info and a dozen calls for every field; a page of leads has thousands that are
attributes of an object and leaves. Those are read and coerced in place. Whatever is the least unusual (a null
where there may be none, an error, a value to await) is executed again by graphql-core, so that nulls, errors
and their paths are the specification's; an attribute may be read twice.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple, cast

from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLID,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLString,
    Undefined,
    is_leaf_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

Read = Callable[[Any], Any]

EXACT: dict[GraphQLLeafType, type] = {GraphQLBoolean: bool, GraphQLID: str, GraphQLString: str}
"""Leaves whose values of just this type are given out as they are."""


class Unusual(Exception):
    """A value that graphql-core is to complete itself."""


class PlainField(NamedTuple):
    """A field that is an attribute and a leaf."""

    name: str
    read: Read
    coerce: Read
    required: bool

    def of(self, source: Any) -> Any:
        """Its completed value. Raises what reading or coercing raises, Unusual."""
        value = self.read(source)
        if value is not None:
            return self.coerce(value)
        if self.required:
            raise Unusual
        return None


@dataclass(frozen=True, slots=True)
class Selection:
    """The fields selected from objects of one type; `names` keeps their order."""

    names: tuple[str, ...]
    plain: tuple[PlainField, ...]
    others: GroupedFieldSet


class PlainFieldsExecutor(StrawberryGraphQLCoreExecutionContext):
    """An executor of one operation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # By the identity of field sets, which the executor itself keeps as long as it lives.
        self._selections: dict[tuple[str, int], Selection] = {}

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """The executor of one event of a stream: what it collects is new each time, and goes with it.

        graphql-core's copies share it, so that a stream takes more memory with each event.
        """
        executor = cast("PlainFieldsExecutor", super().build_per_event_executor(payload))
        executor._relevant_sub_fields, executor._selections = {}, {}
        return executor

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        selection = self._selection(parent_type, grouped_field_set)
        others = selection.others
        if not selection.plain:
            return super().execute_fields(parent_type, source_value, path, others, position_context)
        results: dict[str, Any] = dict.fromkeys(selection.names)
        unusual: set[str] = set()
        for field in selection.plain:
            try:
                results[field.name] = field.of(source_value)
            except Exception:
                unusual.add(field.name)
        if unusual:
            others = {
                name: details
                for name, details in grouped_field_set.items()
                if name in unusual or name in selection.others
            }
        if not others:
            return results
        rest = super().execute_fields(parent_type, source_value, path, others, position_context)
        if self.is_awaitable(rest):
            return _completed(results, rest)
        results.update(cast("dict[str, Any]", rest))
        return results

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        if isinstance(items, list) and not any(each.node.directives for each in field_details_list):
            try:
                return self._plain_items(item_type, field_details_list, info, items)
            except Exception:
                pass
        return super().complete_iterable_value(
            item_type, field_details_list, info, path, items, position_context
        )

    def _plain_items(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        items: list[Any],
    ) -> list[Any]:
        """Items that are objects of which plain fields alone are selected. Raises Unusual for others."""
        kind = item_type.of_type if is_non_null_type(item_type) else item_type
        if not is_object_type(kind):
            raise Unusual
        collected = self.collect_subfields(kind, field_details_list)
        selection = self._selection(kind, collected.grouped_field_set)
        if selection.others or collected.new_defer_usages:
            raise Unusual
        is_type_of = kind.is_type_of
        completed = []
        for item in items:
            if item is None or (is_type_of is not None and is_type_of(item, info) is not True):
                raise Unusual
            completed.append({field.name: field.of(item) for field in selection.plain})
        return completed

    def _selection(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> Selection:
        key = parent_type.name, id(fields)
        selection = self._selections.get(key)
        if selection is None:
            plain, others = [], {}
            for name, details in fields.items():
                field = self._plain_field(parent_type, name, details)
                if field is None:
                    others[name] = details
                else:
                    plain.append(field)
            selection = Selection(tuple(fields), tuple(plain), others)
            self._selections[key] = selection
        return selection

    def _plain_field(
        self, parent_type: GraphQLObjectType, name: str, details: FieldDetailsList
    ) -> PlainField | None:
        field_name = details[0].node.name.value
        if field_name == "__typename":
            return PlainField(name, lambda _: parent_type.name, str, required=True)
        field = self.schema.get_field(parent_type, field_name)
        if field is None or self.middleware_manager is not None:
            return None
        required = is_non_null_type(field.type)
        leaf = field.type.of_type if is_non_null_type(field.type) else field.type
        attribute = _attribute_of(field)
        if attribute is None or not is_leaf_type(leaf):
            return None
        return PlainField(name, attrgetter(attribute), self._coercion(leaf), required)

    def _coercion(self, leaf: GraphQLLeafType) -> Read:
        exact, is_awaitable = EXACT.get(leaf), self.is_awaitable

        def coerced(value: Any) -> Any:
            if type(value) is exact:
                return value
            if isinstance(value, Exception) or is_awaitable(value):
                raise Unusual
            given = leaf.coerce_output_value(value)
            if given is None or given is Undefined:
                raise Unusual
            return given

        return coerced


async def _completed(results: dict[str, Any], rest: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    results.update(await rest)
    return results


def _attribute_of(field: GraphQLField) -> str | None:
    """The attribute that a field without resolver, extension and argument gives; None for any other."""
    declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(declared, StrawberryField) or not declared.is_basic_field:
        return None
    return declared.python_name if declared.default_resolver is getattr else None
