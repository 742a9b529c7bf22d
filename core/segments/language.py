"""The language of conditions, as parsed (api.md, Conditions).

A condition is a test on one person; a `where` is a test on the event at hand. Both are groups of
single tests. The same tree is compiled to Python for one person (compiling.py) and, for whole
audiences, to SQL.

A value that is missing (never set, or an event that never happened) passes only `is_not`,
`not_in` and `exists: false`. A value of another type than the test asks for is treated alike. The
count of an event that never happened is 0, not missing.
"""

from typing import Any, Literal

import msgspec

GroupKind = Literal["all", "any", "none"]
Measure = Literal["count", "first", "last", "sum", "average", "min", "max", "latest"]


class Moment(msgspec.Struct, frozen=True):
    """An instant in ms since 1970 or, if `relative`, so many ms after now."""

    ms: int
    relative: bool

    def at(self, now: int) -> int:
        """The instant that is meant."""
        return self.ms + now if self.relative else self.ms


class Comparison(msgspec.Struct, frozen=True):
    """One operator and what it compares with.

    operand: a scalar, a tuple of scalars, a bool for `exists`, or a Moment. given: as written.
    """

    operator: str
    operand: Any
    given: Any


class Group(msgspec.Struct, frozen=True, tag="group"):
    """All, any or none of several expressions."""

    kind: GroupKind
    members: tuple["Expression", ...]


class Attribute(msgspec.Struct, frozen=True, tag="attribute"):
    """A test on an attribute of the person; every comparison must hold."""

    name: str
    comparisons: tuple[Comparison, ...]


class Property(msgspec.Struct, frozen=True, tag="property"):
    """A test on a property of the event at hand; every comparison must hold."""

    name: str
    comparisons: tuple[Comparison, ...]


class Total(msgspec.Struct, frozen=True, tag="total"):
    """A test on a figure of all a person's occurrences of an event.

    `property` belongs to sum, average, min, max and latest, and is "" for count, first and last.
    """

    event: str
    measure: Measure
    property: str
    comparisons: tuple[Comparison, ...]


class Known(msgspec.Struct, frozen=True, tag="known"):
    """Whether the person has ever logged in."""

    value: bool


class Reachable(msgspec.Struct, frozen=True, tag="reachable"):
    """The person opted in to the channel and has an address on it."""

    channel: str


Expression = Group | Attribute | Property | Total | Known | Reachable


def leaves(expression: Expression) -> list[Attribute | Property | Total | Known | Reachable]:
    """The single tests of an expression."""
    if isinstance(expression, Group):
        return [leaf for member in expression.members for leaf in leaves(member)]
    return [expression]
