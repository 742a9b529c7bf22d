"""ISO: what a process of its own costs a plugin: messages cross a pipe twice."""

from functools import partial
from typing import cast

from benchmarks.model import Bar, Bench, Case, Figures, Row, interleave
from benchmarks.processes import ask_for, ours, running

SENDS = 20_000
QUICK_SENDS = 1_000
AT_ONCE = (1, 16, 64)


async def measure(bench: Bench) -> tuple[list[Row], list[Bar]]:
    count = QUICK_SENDS if bench.quick else SENDS
    rows = [
        await interleave(bench, f"{at_once} at once", [partial(_send, bench, count, at_once)])
        for at_once in AT_ONCE
    ]
    return rows, []


async def _send(bench: Bench, count: int, at_once: int) -> Figures:
    async with running("isolation", ours("isolation_ways"), bench.folder) as script:
        job = {"count": count, "at_once": at_once}
        found = cast("dict[str, float]", await ask_for(script, job))
    return {"rate": count / found.pop("seconds"), **found}


CASE = Case(
    "ISO",
    "A stranger's provider, in a process of its own, that does nothing",
    "",
    "messages/s",
    measure,
)
