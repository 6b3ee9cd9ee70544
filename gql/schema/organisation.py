"""The organisation as the API shows it."""

from typing import Self

import strawberry

from db.models import Organisation as Row
from gql.schema.ids import opaque
from gql.schema.node import Node


@strawberry.type(description="A tenant: everything belongs to one, and nothing is shared between two.")
class Organisation(Node):
    name: str = strawberry.field(description="Name of the organisation.")
    time_zone: str = strawberry.field(description="IANA time zone in which its relative dates are meant.")

    @classmethod
    def from_row(cls, row: Row) -> Self:
        number = row.id or 0
        return cls(id=opaque("Organisation", number, number), name=row.name, time_zone=row.time_zone)
