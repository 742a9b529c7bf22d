"""Turn a parsed condition into closures: once at activation, so that a test costs well under 1 µs.

Each node becomes a pair: a test, and a function that tells why the test comes out as it does.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, NamedTuple

from angarium.core.events.times import format_instant
from angarium.core.segments.checks import Check, compile_check, same_instant, text_as_instant
from angarium.core.segments.facts import Facts
from angarium.core.segments.language import (
    Attribute,
    Comparison,
    Expression,
    Group,
    Known,
    Property,
    Reachable,
    Total,
)
from angarium.core.segments.reader import is_list

Test = Callable[[Any, int], bool]
"""(Facts or the properties of an event, now in ms) → whether it matches."""

Tell = Callable[[Any, int, bool], dict[str, Any]]
"""(the same, what the test gave) → the values that made it so, as small JSON."""

Get = Callable[[Any], Any]
"""The value that a single test looks at; None: missing."""

SHOWN_LETTERS = 100
SHOWN_MEMBERS = 5
FIGURE = {"sum": 0, "min": 1, "max": 2, "latest": 3}
"""Where each stands among the figures of a property (events/totals.py)."""


class Compiled(NamedTuple):
    """One node, ready to be asked."""

    test: Test
    tell: Tell


def compile_expression(expression: Expression) -> Compiled:
    """The closures of a whole tree."""
    match expression:
        case Group():
            return _group(expression)
        case Known(value):
            return _leaf(
                lambda facts: facts.known, [lambda known, _: bool(known) is value], {"known": value}
            )
        case Reachable(channel):
            return _leaf(
                lambda facts: channel in facts.reachable,
                [lambda reachable, _: reachable],
                {"reachable": channel},
            )
        case Attribute(name, comparisons):
            head = {"attribute": name}
            return _compared(lambda facts: facts.attributes.get(name), comparisons, head)
        case Property(name, comparisons):
            return _compared(
                lambda properties: properties.get(name), comparisons, {"property": name}
            )
        case Total():
            return _total(expression)


def _group(group: Group) -> Compiled:
    members = tuple(compile_expression(member) for member in group.members)
    tests = tuple(member.test for member in members)
    decides = group.kind != "all"  # the answer of one member that settles it
    settled = group.kind == "any"  # what it is settled to

    def test(subject: Any, now: int) -> bool:
        for ask in tests:
            if ask(subject, now) is decides:
                return settled
        return not settled

    def tell(subject: Any, now: int, outcome: bool) -> dict[str, Any]:
        if outcome is not settled:
            told = [member.tell(subject, now, not decides) for member in members[:SHOWN_MEMBERS]]
            return told[0] if len(told) == 1 and group.kind != "none" else {group.kind: told}
        for member in members:
            if member.test(subject, now) is decides:
                told_one = member.tell(subject, now, decides)
                return {"none": [told_one]} if group.kind == "none" else told_one
        return {}

    return Compiled(test, tell)


def _total(total: Total) -> Compiled:
    event, measure = total.event, total.measure
    head = {"event": event, "property": total.property} if total.property else {"event": event}
    if measure == "count":
        get = _count(event)
    elif measure in ("first", "last"):
        get = _moment(event, measure)
    else:
        get = _figure(event, total.property, measure)
    checks = [compile_check(comparison, same_instant) for comparison in total.comparisons]
    wanted = {comparison.operator: _show(comparison.given) for comparison in total.comparisons}
    show = _show_instant if measure in ("first", "last") else _show
    return _leaf(get, checks, {**head, measure: wanted}, show)


def _count(event: str) -> Get:
    def get(facts: Facts) -> int:
        totals = facts.events.get(event)
        return totals.count if totals is not None else 0

    return get


def _moment(event: str, measure: str) -> Get:
    first = measure == "first"

    def get(facts: Facts) -> int | None:
        totals = facts.events.get(event)
        if totals is None:
            return None
        return totals.first_at if first else totals.last_at

    return get


def _figure(event: str, name: str, measure: str) -> Get:
    index = FIGURE.get(measure)

    def get(facts: Facts) -> float | None:
        totals = facts.events.get(event)
        figures = totals.numbers.get(name) if totals is not None else None
        if figures is None:
            return None
        value: float = figures[0] / figures[5] if index is None else figures[index]
        return value

    return get


def _compared(get: Get, comparisons: tuple[Comparison, ...], head: Mapping[str, str]) -> Compiled:
    checks = [compile_check(comparison, text_as_instant) for comparison in comparisons]
    wanted = {comparison.operator: _show(comparison.given) for comparison in comparisons}
    return _leaf(get, checks, {**head, **wanted})


def _leaf(
    get: Get,
    checks: list[Check],
    asked: Mapping[str, Any],
    show: Callable[[Any], Any] | None = None,
) -> Compiled:
    shown = show or _show
    check = reduce(_both, checks)

    def test(subject: Any, now: int) -> bool:
        return check(get(subject), now)

    def tell(subject: Any, now: int, outcome: bool) -> dict[str, Any]:
        return {**asked, "value": shown(get(subject))}

    return Compiled(test, tell)


def _both(left: Check, right: Check) -> Check:
    return lambda value, now: left(value, now) and right(value, now)


def _show(value: Any) -> Any:
    """`value`, short enough to be stored with a refusal."""
    if isinstance(value, str):
        return value if len(value) <= SHOWN_LETTERS else value[:SHOWN_LETTERS] + "…"
    if is_list(value):
        return [_show(member) for member in value[:SHOWN_MEMBERS]]
    return "{…}" if isinstance(value, Mapping) else value


def _show_instant(value: Any) -> str | None:
    return None if value is None else format_instant(value)
