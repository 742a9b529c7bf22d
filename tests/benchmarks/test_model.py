import math
from pathlib import Path
from typing import Literal

import pytest

from benchmarks.model import Bar, Bench, Figures, Row, Spread, interleave, median, spreads


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, rounds=3, quick=True, say=lambda text: None)


async def test_sides_take_turns_and_each_round_begins_with_another_one(bench: Bench) -> None:
    calls: list[str] = []

    async def real() -> Figures:
        calls.append("real")
        return {"rate": 10.0}

    async def floor() -> Figures:
        calls.append("floor")
        return {"floor": 20.0}

    await interleave(bench, "one size", [real, floor])
    assert calls == ["real", "floor", "floor", "real", "real", "floor"]


async def test_the_ratio_is_that_of_each_round_not_of_the_medians(bench: Bench) -> None:
    rounds = iter([(10.0, 100.0), (90.0, 100.0), (20.0, 40.0)])

    async def both() -> Figures:
        rate, floor = next(rounds)
        return {"rate": rate, "floor": floor}

    row = await interleave(bench, "one size", [both])
    assert median(row, "rate") == 20.0
    assert median(row, "ratio") == 0.5


async def test_another_program_is_a_measure_beside_the_floor(bench: Bench) -> None:
    async def both() -> Figures:
        return {"rate": 30.0, "floor": 60.0, "peer": 20.0}

    row = await interleave(bench, "one size", [both])
    assert median(row, "ratio") == 0.5
    assert median(row, "times_peer") == 1.5


def test_a_figure_that_some_rounds_lack_is_taken_of_the_others() -> None:
    found = spreads([{"rate": 1.0}, {"rate": 3.0, "p99_ms": 7.0}])
    assert found == {"rate": Spread(2.0, 1.0, 3.0), "p99_ms": Spread(7.0, 7.0, 7.0)}


def test_a_figure_that_was_not_measured_is_not_a_number() -> None:
    assert math.isnan(median(Row("one size", {}), "rate"))


@pytest.mark.parametrize(
    ("value", "wanted", "met"),
    [
        (0.5, "at_least", True),
        (0.49, "at_least", False),
        (0.5, "at_most", True),
        (0.51, "at_most", False),
        (math.nan, "at_least", False),
        (math.nan, "at_most", False),
    ],
)
def test_a_bar_is_met_from_its_limit_on(
    value: float, wanted: Literal["at_least", "at_most"], met: bool
) -> None:
    assert Bar("of the floor", value, 0.5, wanted).met is met
