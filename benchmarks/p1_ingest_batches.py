"""P1: events over HTTP in batches, durable when they are answered."""

from functools import partial
from pathlib import Path

import msgspec

from benchmarks.http_side import doors
from benchmarks.model import Bar, Bench, Case, Row, interleave, median
from benchmarks.traffic import in_batches, messages

SIZES = (10, 100, 500)
BODIES = 40
CONNECTIONS = 8
SECONDS = 3.0


async def measure(bench: Bench) -> tuple[list[Row], list[Bar]]:
    rows: dict[int, Row] = {}
    seconds = 1.0 if bench.quick else SECONDS
    async with doors(bench.folder) as both:
        for size in SIZES:
            bodies = _bodies(bench.folder / f"batches-{size}", size)
            sides = [
                partial(side, "/v1/batch", bodies, size, connections=CONNECTIONS, seconds=seconds)
                for side in (both.real, both.least)
            ]
            rows[size] = await interleave(bench, f"batches of {size}", sides)
    hundred = rows[100]
    bars = [
        Bar("of the floor, batches of 100", median(hundred, "ratio"), 0.25),
        Bar("events/s, batches of 100", median(hundred, "rate"), 40_000),
    ]
    return list(rows.values()), bars


def _bodies(file: Path, size: int) -> Path:
    """Different bodies, one a line."""
    found = in_batches(list(messages(BODIES * size, 1_000)), size)
    encode = msgspec.json.encode
    bodies = [encode({"batch": [msgspec.Raw(one) for one in batch]}) for batch in found]
    file.write_bytes(b"\n".join(bodies))
    return file


CASE = Case(
    "P1",
    "HTTP ingest in batches, durable, with key check, validation and limits",
    "the same server and body, decoded and dropped",
    "events/s",
    measure,
)
