"""The operators of conditions, and what each may be compared with."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from angarium.config.limits import STRING_LENGTH
from angarium.core.events.times import parse_duration, parse_instant
from angarium.core.events.values import LARGEST_INTEGER
from angarium.core.segments.language import Moment
from angarium.core.segments.reader import Reader, child

MOST_VALUES = 1_000
"""In the list of `in` and `not_in`; more is a segment of its own."""

FARTHEST = 200 * 365 * 86_400_000
"""Ms between now and a relative moment; more is a typing mistake."""

Read = Callable[[Reader, object, str], Any]
"""Gives the operand, or None where it cannot be read (which was noted)."""


def read_scalar(reader: Reader, value: object, pointer: str) -> str | float | bool | None:
    """Text, a number, true or false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return read_number(reader, value, pointer)
    if isinstance(value, str):
        return read_text(reader, value, pointer)
    reader.fault(pointer, "must be text, a number, true or false")
    return None


def read_text(reader: Reader, value: object, pointer: str) -> str | None:
    """Text as an attribute could hold it (longer values are cut, empty ones not stored)."""
    if value == "":
        reader.fault(pointer, 'no value is ever empty; ask {"exists": false}')
        return None
    return reader.text(value, pointer, STRING_LENGTH)


def read_number(reader: Reader, value: object, pointer: str) -> float | None:
    """A number that both stores can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        reader.fault(pointer, "must be a number")
    elif isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        reader.fault(pointer, "is too large; a whole number has at most 63 bits")
    elif not math.isfinite(value):
        reader.fault(pointer, "must be a finite number")
    else:
        return value
    return None


def read_flag(reader: Reader, value: object, pointer: str) -> bool:
    """True or false."""
    return reader.flag(value, pointer)


def read_moment(reader: Reader, value: object, pointer: str) -> Moment | None:
    """An instant, or a duration from now: `-P30D` lies thirty days back."""
    if isinstance(value, str):
        relative = value.lstrip("+-").startswith("P")
        try:
            ms = parse_duration(value) if relative else parse_instant(value)
        except ValueError:
            ms = None
        if ms is not None and (not relative or abs(ms) <= FARTHEST):
            return Moment(ms, relative)
    reader.fault(
        pointer, "must be an instant such as 2026-12-01T09:00:00Z, or -P30D for 30 days before now"
    )
    return None


def several(read: Read) -> Read:
    """A list of what `read` reads."""

    def read_several(reader: Reader, value: object, pointer: str) -> tuple[Any, ...]:
        values = reader.items(value, pointer, MOST_VALUES)
        return tuple(read(reader, one, child(pointer, index)) for index, one in enumerate(values))

    return read_several


ORDER: Mapping[str, Read] = {
    "more_than": read_number,
    "at_least": read_number,
    "less_than": read_number,
    "at_most": read_number,
}
MOMENT: Mapping[str, Read] = {"before": read_moment, "after": read_moment}
NUMBER: Mapping[str, Read] = {
    "is": read_number,
    "is_not": read_number,
    "in": several(read_number),
    "not_in": several(read_number),
    **ORDER,
}
VALUE: Mapping[str, Read] = {
    "is": read_scalar,
    "is_not": read_scalar,
    "in": several(read_scalar),
    "not_in": several(read_scalar),
    **ORDER,
    "contains": read_text,
    "starts_with": read_text,
    "exists": read_flag,
    **MOMENT,
}
"""Of an attribute or a property."""
