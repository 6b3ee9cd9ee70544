"""Enums of the core as the API shows them, each value with its meaning."""

from collections.abc import Mapping
from enum import Enum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition


def published(enum: type[Enum], name: str, description: str, meanings: Mapping[str, str]) -> None:
    """Makes an enum of the core one of the schema; annotations go on naming the core's class.

    meanings  by the name of each value; every value needs one. Raises KeyError
    """
    strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = vars(enum)["__strawberry_definition__"]
    for value in definition.values:
        value.description = meanings[value.name]
