"""What a case is, and what it gives: figures of several rounds, at several sizes, against bars."""

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

Figures = Mapping[str, float]
"""What one round measured, by name: `rate`, `floor`, `p50_ms`, …"""

RATIOS: Mapping[str, str] = {"floor": "ratio", "peer": "times_peer"}
"""What a round's `rate` is divided by, and the name of what results. peer: another program's rate
at the same work."""

Side = Callable[[], Awaitable[Figures]]
"""Measures once: the product, or the floor."""


class Spread(msgspec.Struct, frozen=True):
    """One figure over all rounds."""

    median: float
    lowest: float
    highest: float


class Row(msgspec.Struct, frozen=True):
    """A case at one size. `ratio`, where there is a floor, is the median of the rounds' ratios."""

    size: str
    figures: dict[str, Spread]


class Bar(msgspec.Struct, frozen=True):
    """What a case has to reach: `value` at least, or at most, `limit`."""

    text: str
    value: float
    limit: float
    wanted: Literal["at_least", "at_most"] = "at_least"

    @property
    def met(self) -> bool:
        if self.wanted == "at_least":
            return self.value >= self.limit
        return self.value <= self.limit


class Outcome(msgspec.Struct, frozen=True):
    """What a case measured. `unit`: of its `rate` and `floor`."""

    id: str
    title: str
    floor: str
    unit: str
    rows: list[Row]
    bars: list[Bar]


class Bench(msgspec.Struct, frozen=True):
    """What a case is given.

    folder: empty, on the disk that is measured. say: tells somebody who waits what is being done.
    """

    folder: Path
    rounds: int
    quick: bool
    say: Callable[[str], None]


class Case(msgspec.Struct, frozen=True):
    """One measurement; `title` and `floor` are what the table says of it ("" where none is)."""

    id: str
    title: str
    floor: str
    unit: str
    measure: Callable[[Bench], Awaitable[tuple[list[Row], list[Bar]]]]


async def interleave(bench: Bench, size: str, sides: Sequence[Side]) -> Row:
    """Measure all sides in turn, round after round, each round beginning with another side."""
    rounds: list[dict[str, float]] = []
    for number in range(bench.rounds):
        found: dict[str, float] = {}
        first = number % len(sides)
        for side in (*sides[first:], *sides[:first]):
            bench.say(f"{size}, round {number + 1} of {bench.rounds}")
            found |= await side()
        for name, ratio in RATIOS.items():
            if found.get(name) and "rate" in found:
                found[ratio] = found["rate"] / found[name]
        rounds.append(found)
    return Row(size, spreads(rounds))


def spreads(rounds: Sequence[Figures]) -> dict[str, Spread]:
    """Each figure's median, lowest and highest value."""
    names = {name: None for found in rounds for name in found}
    values = {name: [found[name] for found in rounds if name in found] for name in names}
    return {
        name: Spread(statistics.median(all_), min(all_), max(all_)) for name, all_ in values.items()
    }


def median(row: Row, figure: str) -> float:
    """The median of a figure of a row; nan where it was not measured."""
    spread = row.figures.get(figure)
    return spread.median if spread is not None else float("nan")
