"""Weekly opening hours, of a campaign or a segment, as input and output."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import strawberry

from core.opening_hours import DAY_KEYS, parse_hours
from core.opening_hours import OpeningHours as CoreHours

RANGE = "A stretch of wall-clock time; one that ends before it starts ends the day after."
DAY = "Ranges that start on a {day}, at most 24; none where it is empty."


@strawberry.type(description=RANGE)
class TimeRange:
    start: str = strawberry.field(name="from", description="First minute, HH:MM.")
    end: str = strawberry.field(name="to", description="The minute it ends before, HH:MM, up to 24:00.")


@strawberry.input(description=RANGE)
class TimeRangeInput:
    start: str = strawberry.field(name="from", description="First minute, HH:MM, from 00:00 to 23:59.")
    end: str = strawberry.field(name="to", description="The minute it ends before, HH:MM, up to 24:00.")


@strawberry.type(description="When calls are allowed: ranges of wall-clock time per weekday, in one zone.")
class OpeningHours:
    zone: str = strawberry.field(description="IANA time zone the ranges are in, such as Europe/Copenhagen.")
    monday: list[TimeRange] = strawberry.field(description=DAY.format(day="Monday"))
    tuesday: list[TimeRange] = strawberry.field(description=DAY.format(day="Tuesday"))
    wednesday: list[TimeRange] = strawberry.field(description=DAY.format(day="Wednesday"))
    thursday: list[TimeRange] = strawberry.field(description=DAY.format(day="Thursday"))
    friday: list[TimeRange] = strawberry.field(description=DAY.format(day="Friday"))
    saturday: list[TimeRange] = strawberry.field(description=DAY.format(day="Saturday"))
    sunday: list[TimeRange] = strawberry.field(description=DAY.format(day="Sunday"))

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Self:
        """From the stored JSON form."""
        days = {
            key: [TimeRange(start=each["from"], end=each["to"]) for each in form.get(key, ())]
            for key in DAY_KEYS
        }
        return cls(zone=form["zone"], **days)


@strawberry.input(description="When calls are allowed; at least one range on one day.")
class OpeningHoursInput:
    zone: str = strawberry.field(description="IANA time zone the ranges are in, such as Europe/Copenhagen.")
    monday: list[TimeRangeInput] = strawberry.field(
        default_factory=list, description=DAY.format(day="Monday")
    )
    tuesday: list[TimeRangeInput] = strawberry.field(
        default_factory=list, description=DAY.format(day="Tuesday")
    )
    wednesday: list[TimeRangeInput] = strawberry.field(
        default_factory=list, description=DAY.format(day="Wednesday")
    )
    thursday: list[TimeRangeInput] = strawberry.field(
        default_factory=list, description=DAY.format(day="Thursday")
    )
    friday: list[TimeRangeInput] = strawberry.field(
        default_factory=list, description=DAY.format(day="Friday")
    )
    saturday: list[TimeRangeInput] = strawberry.field(
        default_factory=list, description=DAY.format(day="Saturday")
    )
    sunday: list[TimeRangeInput] = strawberry.field(
        default_factory=list, description=DAY.format(day="Sunday")
    )

    def to_core(self, path: Sequence[str] = ("input", "hours")) -> CoreHours:
        """Raises BadInput with the path of what is wrong, below `path`."""
        form: dict[str, Any] = {"zone": self.zone}
        for key in DAY_KEYS:
            form[key] = [{"from": each.start, "to": each.end} for each in getattr(self, key)]
        return parse_hours(form, path)
