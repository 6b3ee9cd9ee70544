"""Documents by their text: parsed, guarded and validated once, kept while they are in use."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    recommended_rules,
    specified_rules,
    validate,
)
from graphql.validation import ASTValidationRule
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from core.errors import LeadgraphError, TooLarge
from gql.execution.cost import operation_cost, page_variables
from gql.execution.failures import FormattedError, Tell, failure, request_failures
from gql.execution.guard import Limits, check_shape

# A token takes about one kilobyte of syntax tree: at most some 40 MB, 200 documents of ordinary size. Each
# full round of the collector looks at all of it, and whoever is served meanwhile waits.
_KEPT_TOKENS = 40_000
_KEPT_COSTS = 100
_ABSENT = object()


@dataclass(slots=True)
class KnownDocument:
    """A document that was read, with the errors found in it and the costs worked out so far."""

    document: DocumentNode
    errors: list[FormattedError]
    weight: int
    page_variables: tuple[str, ...]
    costs: dict[tuple[object, ...], int] = field(default_factory=dict)


class RequestRefused(Exception):
    """A request that is not executed; `errors` are formatted for the caller."""

    def __init__(self, errors: list[FormattedError]) -> None:
        super().__init__("refused")
        self.errors = errors


class Documents:
    """Reads documents against one schema and keeps the recently used.

    tell           how errors of validation are told
    introspection  whether `__schema` and `__type` are answered
    suggestions    whether validation errors suggest names of the schema
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        limits: Limits,
        tell: Tell,
        *,
        introspection: bool,
        suggestions: bool,
    ) -> None:
        self._schema: GraphQLSchema = schema._schema
        self._limits = limits
        self._suggestions = suggestions
        self._tell = tell
        self._rules = _rules(introspection)
        self._known: OrderedDict[str, KnownDocument] = OrderedDict()
        self._weight = 0

    def read(self, text: str) -> KnownDocument:
        """The valid document of that text. Raises RequestRefused."""
        known = self._known.get(text)
        if known is None:
            known = self._learn(text)
        else:
            self._known.move_to_end(text)
        if known.errors:
            raise RequestRefused(known.errors)
        return known

    def price_of_reading(self, text: str) -> int:
        """What it takes to read a document: a unit for each character, nothing for one that is known."""
        return 0 if text in self._known else min(len(text), self._limits.cost)

    def cost(
        self, known: KnownDocument, operation: OperationDefinitionNode, variables: Mapping[str, object]
    ) -> int:
        """What one operation of the document may cost with these variables."""
        sizes = (variables.get(name, _ABSENT) for name in known.page_variables)
        key = (id(operation), *(size if type(size) is int or size is _ABSENT else None for size in sizes))
        cost = known.costs.get(key)
        if cost is None:
            if len(known.costs) >= _KEPT_COSTS:
                known.costs.clear()
            cost = operation_cost(self._schema, known.document, operation, variables)
            known.costs[key] = cost
        return cost

    def _learn(self, text: str) -> KnownDocument:
        document = self._parse(text)
        try:
            check_shape(document, self._limits)
        except LeadgraphError as refusal:
            raise RequestRefused([failure(refusal)]) from None
        errors = validate(self._schema, document, self._rules, hide_suggestions=not self._suggestions)
        weight = document.token_count + len(text) // 100
        known = KnownDocument(
            document, self._tell(errors) if errors else [], weight, page_variables(document)
        )
        self._keep(text, known)
        return known

    def _parse(self, text: str) -> DocumentNode:
        limits = self._limits
        try:
            return parse(
                text,
                max_lexical_tokens=limits.tokens,
                max_comments=limits.tokens,
                max_source_length=limits.characters,
                allow_empty_selection_sets=False,
            )
        except GraphQLError as error:
            raise RequestRefused([_parse_failure(error, limits)]) from None

    def _keep(self, text: str, known: KnownDocument) -> None:
        self._known[text] = known
        self._weight += known.weight
        while self._weight > _KEPT_TOKENS:
            _, forgotten = self._known.popitem(last=False)
            self._weight -= forgotten.weight


def _rules(introspection: bool) -> tuple[type[ASTValidationRule], ...]:
    rules: tuple[type[ASTValidationRule], ...] = (
        *specified_rules,
        *recommended_rules,
        MaybeNullValidationRule,
        OneOfInputValidationRule,
    )
    return rules if introspection else (*rules, NoSchemaIntrospectionCustomRule)


def _parse_failure(error: GraphQLError, limits: Limits) -> FormattedError:
    # The parser tells its limits from other syntax errors by this sentence only.
    if isinstance(error, GraphQLSyntaxError) and error.message.endswith("Parsing aborted."):
        allowed = {"tokens": limits.tokens, "characters": limits.characters}
        return failure(TooLarge("The document is too large.", details=allowed))
    return request_failures([error])[0]
