"""The scalar of moments: what is read as one can be kept, compared and told in any zone."""

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from operator import methodcaller

import strawberry
from strawberry.exceptions import StrawberryInputCoercionError


def moment_from(given: object) -> datetime:
    """A moment in UTC.

    Raises StrawberryInputCoercionError for what is none, has no offset, or is of the first or last year there
    is: in another zone it could be of none.
    """
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise StrawberryInputCoercionError("It is not a date and time such as 2026-01-31T08:00:00Z.")
    if moment.tzinfo is None:
        raise StrawberryInputCoercionError("A moment needs its offset from UTC, such as Z or +02:00.")
    if not MINYEAR < moment.year < MAXYEAR:
        raise StrawberryInputCoercionError(f"A moment is of the years {MINYEAR + 1} to {MAXYEAR - 1}.")
    return moment.astimezone(UTC)


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="A date and time in ISO 8601 with its offset from UTC, such as 2026-01-31T08:00:00Z; of the "
    f"years {MINYEAR + 1} to {MAXYEAR - 1}.",
    serialize=methodcaller("isoformat"),
    parse_value=moment_from,
)
