"""Single comparisons as closures over a value that may be missing (None)."""

import operator as order
from collections.abc import Callable, Mapping
from typing import Any

from angarium.core.events.times import parse_instant
from angarium.core.segments.language import Comparison, Moment

Check = Callable[[Any, int], bool]
"""(value or None, now in ms) → whether the comparison holds."""

Instant = Callable[[Any], int | None]
"""The instant that a value stands for, in ms; None: it is none."""

SCALARS = frozenset({str, bool, int, float})
DATE_LETTERS = 10


def compile_check(comparison: Comparison, instant: Instant) -> Check:
    """The closure of one comparison; `instant` reads the value where a moment is asked for."""
    operator, operand = comparison.operator, comparison.operand
    if isinstance(operand, Moment):
        return _in_time(operand, operator == "before", instant)
    return CHECKS[operator](operand)


def _one_of(wanted: tuple[Any, ...], inside: bool) -> Check:
    """Text equals text, numbers numbers, and true is not 1."""
    if len(wanted) == 1 and isinstance(wanted[0], str):
        (word,) = wanted
        return lambda value, _: (value == word) is inside
    keys = frozenset((value.__class__ is bool, value) for value in wanted)

    def test(value: Any, now: int) -> bool:
        kind = value.__class__
        return (kind in SCALARS and (kind is bool, value) in keys) is inside

    return test


def _contains(word: str) -> Check:
    """A part of a text, or a whole member of a list."""

    def test(value: Any, now: int) -> bool:
        return value.__class__ in (str, list) and word in value

    return test


def _in_order(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Check]:
    def compile_with(bound: Any) -> Check:
        def test(value: Any, now: int) -> bool:
            kind = value.__class__
            return (kind is int or kind is float) and compare(value, bound)

        return test

    return compile_with


def _in_time(moment: Moment, before: bool, instant: Instant) -> Check:
    def test(value: Any, now: int) -> bool:
        at = instant(value)
        if at is None:
            return False
        return at < moment.at(now) if before else at > moment.at(now)

    return test


def same_instant(value: Any) -> int | None:
    """Totals hold instants as they are."""
    at: int | None = value
    return at


def text_as_instant(value: Any) -> int | None:
    """An attribute or a property holds a date, or a date with a time, as ISO text."""
    if value.__class__ is not str or len(value) < DATE_LETTERS or not value[:4].isdigit():
        return None
    try:
        return parse_instant(value)
    except ValueError:
        return None


def _exists(wanted: Any) -> Check:
    return lambda value, _: (value is not None) is wanted


def _starts_with(word: Any) -> Check:
    return lambda value, _: value.__class__ is str and value.startswith(word)


CHECKS: Mapping[str, Callable[[Any], Check]] = {
    "is": lambda operand: _one_of((operand,), True),
    "is_not": lambda operand: _one_of((operand,), False),
    "in": lambda operand: _one_of(operand, True),
    "not_in": lambda operand: _one_of(operand, False),
    "exists": _exists,
    "contains": _contains,
    "starts_with": _starts_with,
    "more_than": _in_order(order.gt),
    "at_least": _in_order(order.ge),
    "less_than": _in_order(order.lt),
    "at_most": _in_order(order.le),
}
"""All operators but before and after."""
