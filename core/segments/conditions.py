"""Conditions on a person, and on the event at hand (api.md, Conditions): parse once, ask often.

What a condition may say, and what a missing value means, stands in language.py.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from angarium.core.events.totals import EventTotals
from angarium.core.segments.compiling import Tell, Test, compile_expression
from angarium.core.segments.facts import Facts
from angarium.core.segments.language import Expression, Reachable, Total, leaves
from angarium.core.segments.parsing import CONDITION_FORMS, WHERE_FORMS, Parser
from angarium.core.segments.reader import InvalidDefinition, Reader

__all__ = [
    "Condition",
    "EventTotals",
    "Facts",
    "InvalidDefinition",
    "Where",
    "events_used",
    "matches",
    "parse_condition",
    "parse_where",
    "read_condition",
    "read_where",
    "saw",
    "where_matches",
]


class Condition(msgspec.Struct, frozen=True):
    """A test on a person, compiled. events: those whose totals it reads."""

    expression: Expression
    test: Test
    tell: Tell
    events: frozenset[str]
    asks_reachable: bool


class Where(msgspec.Struct, frozen=True):
    """A test on the properties of an event, compiled."""

    expression: Expression
    test: Test


def parse_condition(
    value: object, pointer: str = "", *, channels: Collection[str] | None = None
) -> Condition:
    """The condition that a JSON value stands for; `pointer` is where it lies in its document.

    `channels` are those that `reachable` may name (None: any). Raises InvalidDefinition with
    every fault.
    """
    reader = Reader()
    condition = read_condition(reader, value, pointer, channels)
    reader.finish()
    assert condition is not None  # else a fault was noted
    return condition


def read_condition(
    reader: Reader, value: object, pointer: str, channels: Collection[str] | None = None
) -> Condition | None:
    """The same as a part of something larger; faults are noted, and then it gives None."""
    before = len(reader.faults)
    expression = Parser(reader, CONDITION_FORMS, channels).expression(value, pointer)
    if expression is None or len(reader.faults) > before:
        return None
    test, tell = compile_expression(expression)
    parts = leaves(expression)
    events = frozenset(part.event for part in parts if isinstance(part, Total))
    asks_reachable = any(isinstance(part, Reachable) for part in parts)
    return Condition(expression, test, tell, events, asks_reachable)


def parse_where(value: object, pointer: str = "") -> Where:
    """The test on an event's properties that a JSON value stands for. Raises InvalidDefinition."""
    reader = Reader()
    where = read_where(reader, value, pointer)
    reader.finish()
    assert where is not None  # else a fault was noted
    return where


def read_where(reader: Reader, value: object, pointer: str) -> Where | None:
    """The same as a part of something larger; faults are noted, and then it gives None."""
    before = len(reader.faults)
    expression = Parser(reader, WHERE_FORMS).expression(value, pointer)
    if expression is None or len(reader.faults) > before:
        return None
    return Where(expression, compile_expression(expression).test)


def matches(condition: Condition, facts: Facts, now: int) -> bool:
    """Whether the person meets the condition; relative moments count from `now` (ms)."""
    return condition.test(facts, now)


def where_matches(where: Where, properties: Mapping[str, Any], at: int) -> bool:
    """Whether the event does; relative moments count from its own time `at` (ms)."""
    return where.test(properties, at)


def events_used(condition: Condition) -> frozenset[str]:
    """The events whose totals `matches` reads."""
    return condition.events


def saw(condition: Condition, facts: Facts, now: int) -> dict[str, Any]:
    """Why the person does or does not meet the condition: what was asked, and the value found.

    Of several tests, the first one that settled it. Small enough to be stored: long texts are cut.
    """
    return condition.tell(facts, now, condition.test(facts, now))
