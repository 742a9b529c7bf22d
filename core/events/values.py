"""The type of a value, as the first one fixes it for attributes and properties (S0.2, S2.7)."""

import re
from typing import Any, TypeGuard

from angarium.core.events.times import parse_instant

LARGEST_INTEGER = 2**63 - 1

_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)


class Problem:
    """What was wrong with one value: a stable `code`, and the remedy in words."""

    __slots__ = ("code", "field", "reason", "value")

    def __init__(self, field: str, code: str, reason: str, value: Any) -> None:
        self.field = field
        self.code = code
        self.reason = reason
        self.value = value

    def __repr__(self) -> str:
        return f"Problem({self.field!r}, {self.code!r})"


def type_of(value: Any) -> str:
    """`string`, `number`, `boolean`, `date`, `array` or `object`."""
    if isinstance(value, str):
        return "date" if value[:2].isdigit() and is_date(value) else "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


def is_date(text: str) -> bool:
    """Whether `text` is an ISO date or date-time."""
    if _DATE.fullmatch(text) is None:
        return False
    try:
        parse_instant(text)
    except ValueError:
        return False
    return True


def fits(kind: str, fixed: str) -> bool:
    """Whether a value of type `kind` may be stored where the first one fixed the type."""
    return kind == fixed or (kind == "date" and fixed == "string")


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether it is an array."""
    return isinstance(value, list)


def check_number(value: Any) -> bool:
    """Whether both stores can hold it."""
    return not isinstance(value, int) or -LARGEST_INTEGER <= value <= LARGEST_INTEGER
