"""schema.graphql is what the code says, and what a reader of it needs is there."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    specified_directives,
)

REPOSITORY = Path(__file__).parent.parent.parent
SCHEMA = (REPOSITORY / "schema.graphql").read_text()

Definition = (
    ScalarTypeDefinitionNode
    | ObjectTypeDefinitionNode
    | InterfaceTypeDefinitionNode
    | UnionTypeDefinitionNode
    | EnumTypeDefinitionNode
    | InputObjectTypeDefinitionNode
    | DirectiveDefinitionNode
)
# `@oneOf` is the specification's; some tools want it declared, and it is described there.
DEFINITIONS = [
    node
    for node in parse(SCHEMA).definitions
    if isinstance(node, Definition) and node.name.value not in {each.name for each in specified_directives}
]


def undescribed(definition: Definition) -> Iterator[str]:
    """Coordinates (`Type.field(argument:)`) of what has no description."""
    name = definition.name.value
    if not definition.description:
        yield name
    if isinstance(definition, EnumTypeDefinitionNode):
        yield from (
            f"{name}.{value.name.value}" for value in definition.values or () if not value.description
        )
    if isinstance(
        definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | InputObjectTypeDefinitionNode
    ):
        for field in definition.fields or ():
            if not field.description:
                yield f"{name}.{field.name.value}"
            if isinstance(field, FieldDefinitionNode):
                for argument in field.arguments or ():
                    if not argument.description:
                        yield f"{name}.{field.name.value}({argument.name.value}:)"


def root_fields() -> Iterator[tuple[str, FieldDefinitionNode]]:
    for definition in DEFINITIONS:
        if isinstance(definition, ObjectTypeDefinitionNode):
            name = definition.name.value
            if name in {"Query", "Mutation", "Subscription"}:
                yield from ((f"{name}.{field.name.value}", field) for field in definition.fields or ())


def test_the_committed_schema_is_what_the_code_prints() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "gql", "schema"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert printed.stdout == SCHEMA, "run `make schema`"


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name.value)
def test_every_part_of_a_type_has_a_description(definition: Definition) -> None:
    assert list(undescribed(definition)) == []


def test_every_root_field_declares_its_permission() -> None:
    undeclared = [
        name
        for name, field in root_fields()
        if "permission" not in {directive.name.value for directive in field.directives or ()}
    ]
    assert undeclared == []


def test_the_three_roots_have_fields() -> None:
    assert {name.split(".")[0] for name, _ in root_fields()} == {"Query", "Mutation", "Subscription"}
