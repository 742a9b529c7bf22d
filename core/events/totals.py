"""What is kept of each event for each person: first, last, count, figures of numeric properties.

Totals form a commutative monoid: messages may arrive in any order, and the totals of two profiles
add up when they become one.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

Figures = list[Any]
"""[sum, min, max, latest, latest_at, count] of one numeric property."""


class EventTotals(msgspec.Struct):
    """One person's history of one event; instants in ms."""

    count: int
    first_at: int
    last_at: int
    numbers: dict[str, Figures] = {}


def add_occurrence(
    totals: EventTotals | None, at: int, properties: Mapping[str, Any]
) -> EventTotals:
    """The totals with one more occurrence, of its numbers too; `totals` itself is changed."""
    if totals is None:
        totals = EventTotals(0, at, at, {})
    totals.count += 1
    if at < totals.first_at:
        totals.first_at = at
    if at > totals.last_at:
        totals.last_at = at
    for name, value in properties.items():
        if type(value) is not int and type(value) is not float:
            continue
        figures = totals.numbers.get(name)
        one = [value, value, value, value, at, 1]
        totals.numbers[name] = one if figures is None else add_figures(figures, one)
    return totals


def add_figures(left: Figures, right: Figures) -> Figures:
    """The figures of both; of two latest values at one instant the larger stands."""
    newest = max((left[4], left[3]), (right[4], right[3]))
    return [
        left[0] + right[0],
        min(left[1], right[1]),
        max(left[2], right[2]),
        newest[1],
        newest[0],
        left[5] + right[5],
    ]


def add_totals(left: EventTotals | None, right: EventTotals) -> EventTotals:
    """The totals of two profiles that are one person's."""
    if left is None:
        return right
    numbers = dict(left.numbers)
    for name, figures in right.numbers.items():
        numbers[name] = add_figures(numbers[name], figures) if name in numbers else figures
    return EventTotals(
        left.count + right.count,
        min(left.first_at, right.first_at),
        max(left.last_at, right.last_at),
        numbers,
    )
