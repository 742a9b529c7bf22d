"""P7: web push: encrypted, signed and posted, by a worker and by its provider alone."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

from benchmarks.delivering import deliver
from benchmarks.model import Bar, Bench, Case, Figures, Row, Side, interleave, median
from benchmarks.processes import ask_for, ours, running
from benchmarks.vendors import VENDORS, sinking

SIZE = 4_000
QUICK_SIZE = 500


async def measure(bench: Bench) -> tuple[list[Row], list[Bar]]:
    count = QUICK_SIZE if bench.quick else SIZE
    [vendor] = [one for one in VENDORS if one.provider == "web_push_vapid"]
    async with sinking(vendor.sink, bench.folder) as port:
        way = partial(_way, bench.folder, f"http://127.0.0.1:{port}", count)
        beside: Sequence[Side] = [
            partial(way, "encrypt", "floor"),
            partial(way, "pywebpush", "peer"),
        ]
        worker = partial(deliver, bench.folder, count, vendor.job(bench.folder, port))
        provider = partial(way, "provider", "rate")
        rows = [
            await interleave(bench, f"{count:,} by a worker, all that it does", [worker, *beside]),
            await interleave(bench, f"{count:,} by the provider alone", [provider, *beside]),
        ]
    bars = [
        Bar(f"{text}, {words}", median(row, figure), limit)
        for row, words in zip(rows, ("by a worker", "by the provider alone"), strict=True)
        for text, figure, limit in (
            ("of the floor", "ratio", 0.5),
            ("times pywebpush", "times_peer", 1.3),
        )
    ]
    return rows, bars


async def _way(folder: Path, origin: str, count: int, way: str, figure: str) -> Figures:
    async with running(way, ours("web_push_ways"), folder) as script:
        job = {"way": way, "origin": origin, "count": count}
        found = cast("dict[str, float]", await ask_for(script, job))
    return {figure: count / found["seconds"]}


CASE = Case(
    "P7",
    "Web push: encrypted, signed, posted; the peer is pywebpush",
    "encrypting and signing alone",
    "messages/s",
    measure,
)
