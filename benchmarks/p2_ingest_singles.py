"""P2: single events over HTTP, from one connection and from many."""

from functools import partial

from benchmarks.http_side import doors
from benchmarks.model import Bar, Bench, Case, Row, interleave, median
from benchmarks.traffic import messages

SIZES = (1, 32, 128)
BODIES = 2_000
SECONDS = 3.0


async def measure(bench: Bench) -> tuple[list[Row], list[Bar]]:
    rows: dict[int, Row] = {}
    bodies = bench.folder / "singles"
    bodies.parent.mkdir(parents=True, exist_ok=True)
    events = [one for one in messages(BODIES * 2, 1_000) if b'"track"' in one]
    bodies.write_bytes(b"\n".join(events))
    async with doors(bench.folder) as both:
        for size in SIZES:
            seconds = 1.0 if bench.quick else SECONDS
            sides = [
                partial(side, path, bodies, connections=size, seconds=seconds)
                for side, path in ((both.real, "/v1/track"), (both.least, "/noop"))
            ]
            name = "1 connection" if size == 1 else f"{size} connections"
            rows[size] = await interleave(bench, name, sides)
    bars = [
        Bar("of the floor, 128 connections", median(rows[128], "ratio"), 0.4),
        Bar("p99 in ms, 1 connection", median(rows[1], "p99_ms"), 3.0, "at_most"),
    ]
    return list(rows.values()), bars


CASE = Case(
    "P2",
    "HTTP ingest of single events, durable",
    "a bare Litestar POST that does nothing",
    "requests/s",
    measure,
)
