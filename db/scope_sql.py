"""What a caller may see, as a WHERE: the twin of `Scope` for lists, counts and look-ups alike.

Each function gives a predicate on its noun's table; the statement itself says `organisation_id`. Subqueries here
say it again, as a bind of their own, so that every part of a statement goes to one organisation.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.access import Permission, Reach, Resource, Right, Scope
from db.models import Campaign, Lead, LeadPool, Project, Segment, SegmentGroup, SegmentMember
