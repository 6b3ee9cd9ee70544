"""What a document may look like before anything expensive is done with it.

Validation and execution walk a document as if its fragments were written out, and compare fields of one name
pair by pair, so a few hundred bytes can cost seconds. The guard reads each definition once, keeps what each
fragment amounts to, and refuses before validation starts.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    Token,
)

from core.errors import BadInput, TooCostly

Fragments = dict[str, FragmentDefinitionNode]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may hold and cost.

    characters  of source text
    tokens      of source text, comments not counted
    depth       of nested fields; introspection is bounded by a validation rule instead
    aliases     with fragments written out
    directives  on one node
    fields      fields and fragment uses, with fragments written out
    overlaps    pairs of fields that share a response name at one place of the answer
    cost        values the answer may hold at most, see `gql.execution.cost`
    """

    characters: int = 100_000
    tokens: int = 2_000
    depth: int = 15
    aliases: int = 50
    directives: int = 5
    fields: int = 5_000
    overlaps: int = 10_000
    cost: int = 50_000


class _Size(NamedTuple):
    fields: int
    aliases: int
    depth: int


def check_shape(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document that is too large once its fragments are written out.

    Raises TooCostly naming the limit, or BadInput where fragments form a cycle or a string holds a NUL.
    """
    for token in _tokens(document):
        check_strings(token.value)
    _check_directives(document, limits)
    fragments = fragments_of(document)
    sizes: dict[str, _Size] = {}
    for fragment in _dependencies_first(fragments):
        size = _size(fragment.selection_set, sizes)
        _check_size(size._replace(depth=0), limits)
        sizes[fragment.name.value] = size
    total = _Size(0, 0, 0)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            size = _size(definition.selection_set, sizes)
            total = _Size(
                total.fields + size.fields, total.aliases + size.aliases, max(total.depth, size.depth)
            )
    _check_size(total, limits)
    _check_overlaps(document, fragments, limits)


def check_strings(value: object) -> None:
    """Refuse the character U+0000, which databases cannot keep, in any string of a JSON value."""
    rest = [value]
    while rest:
        inner = rest.pop()
        if isinstance(inner, str):
            if "\x00" in inner:
                raise BadInput("A string must not hold the character U+0000.")
        elif isinstance(inner, Mapping):
            rest.extend(inner)
            rest.extend(inner.values())
        elif isinstance(inner, list):
            rest.extend(inner)


def fragments_of(document: DocumentNode) -> Fragments:
    """The fragments of a document by name; the last of several with one name, as in execution."""
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }


def selections_of(root: SelectionSetNode) -> Iterator[Node]:
    """Every field, spread and inline fragment below, however deep, fragments not written out."""
    stack = [root]
    while stack:
        for selection in stack.pop().selections:
            yield selection
            inner: SelectionSetNode | None = getattr(selection, "selection_set", None)
            if inner is not None:
                stack.append(inner)


def _tokens(document: DocumentNode) -> Iterator[Token]:
    token = document.loc.start_token if document.loc else None
    while token is not None:
        yield token
        token = token.next


def _check_directives(document: DocumentNode, limits: Limits) -> None:
    for definition in document.definitions:
        nodes: list[Node] = [definition, *(getattr(definition, "variable_definitions", None) or ())]
        root: SelectionSetNode | None = getattr(definition, "selection_set", None)
        if root is not None:
            nodes.extend(selections_of(root))
        for node in nodes:
            _within("directives", len(getattr(node, "directives", None) or ()), limits.directives)


def _check_size(size: _Size, limits: Limits) -> None:
    _within("fields", size.fields, limits.fields)
    _within("aliases", size.aliases, limits.aliases)
    _within("depth", size.depth, limits.depth)


_NAMES = {
    "directives": "directives on one node",
    "fields": "fields, with its fragments written out",
    "aliases": "aliases, with its fragments written out",
    "depth": "levels of nested fields",
    "overlaps": "pairs of fields with one response name",
}


def _within(limit: str, found: int, allowed: int) -> None:
    if found > allowed:
        raise TooCostly(
            f"The document has too many {_NAMES[limit]}: at most {allowed} are allowed.",
            details={"limit": limit, "allowed": allowed},
        )


def _dependencies_first(fragments: Fragments) -> list[FragmentDefinitionNode]:
    """Fragments in an order in which each comes after those it spreads. Raises BadInput on a cycle."""
    uses = {name: _spreads(fragment, fragments) for name, fragment in fragments.items()}
    ordered: dict[str, FragmentDefinitionNode] = {}
    for root in fragments:
        if root in ordered:
            continue
        path = {root: iter(uses[root])}
        while path:
            name = next(reversed(path))
            following = next((use for use in path[name] if use not in ordered), None)
            if following is None:
                del path[name]
                ordered[name] = fragments[name]
            elif following in path:
                raise BadInput(f"Cannot spread fragment '{following}' within itself.")
            else:
                path[following] = iter(uses[following])
    return list(ordered.values())


def _spreads(fragment: FragmentDefinitionNode, fragments: Fragments) -> list[str]:
    names = (
        selection.name.value
        for selection in selections_of(fragment.selection_set)
        if isinstance(selection, FragmentSpreadNode)
    )
    return [name for name in dict.fromkeys(names) if name in fragments]


def _size(selection_set: SelectionSetNode, sizes: dict[str, _Size]) -> _Size:
    """What a selection set amounts to; `sizes` holds that of every fragment it spreads."""
    fields = aliases = depth = 0
    for selection in selection_set.selections:
        fields += 1
        if isinstance(selection, FieldNode):
            inner = _size(selection.selection_set, sizes) if selection.selection_set else _Size(0, 0, 0)
            aliases += selection.alias is not None
            inner_depth = 1 if selection.name.value in ("__schema", "__type") else 1 + inner.depth
        elif isinstance(selection, FragmentSpreadNode):
            inner = sizes.get(selection.name.value, _Size(0, 0, 0))
            inner_depth = inner.depth
        else:
            inner = _size(selection.selection_set, sizes)  # type: ignore[attr-defined]
            inner_depth = inner.depth
        fields += inner.fields
        aliases += inner.aliases
        depth = max(depth, inner_depth)
    return _Size(fields, aliases, depth)


def _check_overlaps(document: DocumentNode, fragments: Fragments, limits: Limits) -> None:
    """Count the pairs that validation will compare, in fragments without a use too."""
    spent = _Overlaps(fragments, limits)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            spent.add(definition.selection_set)
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            name = definition.name.value
            if name not in spent.reached or fragments[name] is not definition:
                spent.add(definition.selection_set)


class _Overlaps:
    """Pairs and fields met so far, walking selections merged as the answer merges them."""

    def __init__(self, fragments: Fragments, limits: Limits) -> None:
        self.reached: set[str] = set()
        self._fragments = fragments
        self._limits = limits
        self._pairs = 0
        self._fields = 0

    def add(self, root: SelectionSetNode) -> None:
        places = [[root]]
        while places:
            counts, nested = self._merge(places.pop())
            self._pairs += sum(count * (count - 1) // 2 for count in counts.values())
            self._fields += sum(counts.values())
            _within("overlaps", self._pairs, self._limits.overlaps)
            _within("fields", self._fields, self._limits.fields)
            places.extend(nested.values())

    def _merge(
        self, stack: list[SelectionSetNode]
    ) -> tuple[dict[str, int], dict[str, list[SelectionSetNode]]]:
        """Fields at one place of the answer: how many by response name, and what is below each."""
        counts: dict[str, int] = defaultdict(int)
        nested: dict[str, list[SelectionSetNode]] = defaultdict(list)
        spread: set[str] = set()
        while stack:
            for selection in stack.pop().selections:
                if isinstance(selection, FieldNode):
                    key = selection.alias.value if selection.alias else selection.name.value
                    counts[key] += 1
                    if selection.selection_set:
                        nested[key].append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode):
                    name = selection.name.value
                    if name in self._fragments and name not in spread:
                        spread.add(name)
                        stack.append(self._fragments[name].selection_set)
                else:
                    stack.append(selection.selection_set)  # type: ignore[attr-defined]
        self.reached |= spread
        return counts, nested
