"""Lines of a mapping as the API shows and takes them."""

from collections.abc import Sequence

import strawberry

from core.field_mapping import Pair


@strawberry.type(description="One line of a mapping.")
class ColumnMapping:
    column: str = strawberry.field(description="Name of the column.")
    field: str = strawberry.field(description="Key of the template field it fills.")


@strawberry.input(description="One line of a mapping.")
class ColumnMappingInput:
    column: str = strawberry.field(
        description="Name of the column; that of a file is found whatever its case, accents and signs."
    )
    field: str | None = strawberry.field(
        default=None, description="Key of the template field it fills; null: it is not imported."
    )


@strawberry.type(description="A line of a saved mapping that the file or the template has no place for.")
class UnfitColumn:
    column: str = strawberry.field(description="Name of the column.")
    field: str = strawberry.field(description="Key of the template field it was to fill.")
    reason: str = strawberry.field(description="What is missing, in plain words.")


def pairs_of(lines: Sequence[ColumnMappingInput]) -> list[Pair]:
    return [Pair(line.column, line.field) for line in lines]
