"""P3: a backlog of messages through the core into SQLite."""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from angarium.core.store.open import sqlite_url
from benchmarks.bare import bare, migrated
from benchmarks.draining import Drained, drain
from benchmarks.model import Bar, Bench, Case, Figures, Row, interleave, median
from benchmarks.processes import plant
from benchmarks.rows import read_harvest, transactions
from benchmarks.traffic import activate, definitions, in_batches, messages

SIZES = (20_000, 40_000, 80_000)
QUICK_SIZES = (2_000, 4_000, 8_000)
PER_PERSON = 8
TRANSACTION = 500
"""Messages in one transaction: what the core takes of single stream messages by default."""
BATCHED_TRANSACTION = 2_000


class Filled(msgspec.Struct):
    """The database that the core has filled last: the floor writes the same rows."""

    database: str = ""


async def measure(bench: Bench) -> tuple[list[Row], list[Bar]]:
    rows: list[Row] = []
    sizes = QUICK_SIZES if bench.quick else SIZES
    for size in sizes:
        rows.append(await _at(bench, f"{size:,} messages, one by one", size, 1))
    rows.append(await _at(bench, f"{sizes[-1]:,} messages, in batches of 100", sizes[-1], 100))
    largest = rows[len(sizes) - 1]
    bars = [
        Bar("of the floor, largest size", median(largest, "ratio"), 0.5),
        Bar("events/s a core, largest size", median(largest, "rate_per_core"), 15_000),
    ]
    return rows, bars


async def _at(bench: Bench, name: str, size: int, per_batch: int) -> Row:
    filled = Filled()
    batches = in_batches(list(messages(size, size // PER_PERSON)), per_batch)
    folder = bench.folder / f"core-{size}-{per_batch}"
    sides = [
        partial(_real, folder / "real", batches, filled),
        partial(_floor, folder / "floor", TRANSACTION if per_batch == 1 else BATCHED_TRANSACTION, filled),
    ]
    # The floor needs the core's rows, so the core is first in every round.
    row = await interleave(bench, name, [partial(_both, sides)])
    shutil.rmtree(folder)
    return row


async def _both(sides: Sequence[partial]) -> Figures:
    found: dict[str, float] = {}
    for side in sides:
        found |= await side()
    return found


async def _real(folder: Path, batches: Sequence[Sequence[bytes]], filled: Filled) -> Figures:
    shutil.rmtree(folder, ignore_errors=True)
    async with plant(folder) as works:
        await activate(works.store, definitions())
        drained = await drain(works, batches)
        filled.database = works.database
    return figures_of(drained)


def figures_of(drained: Drained) -> Figures:
    """As the table has them."""
    return {
        "rate": drained.rate,
        "rate_per_core": drained.rate_per_core,
        "memory_mib": drained.memory_mib,
    }


async def _floor(folder: Path, transaction: int, filled: Filled) -> Figures:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    harvest = await read_harvest(bare(filled.database))
    work = transactions(harvest, transaction)
    database = await migrated(sqlite_url(folder / "floor.db"))
    seconds = await database.write(work)
    return {"floor": len(harvest.log) / seconds}


CASE = Case(
    "P3",
    "Core: a backlog into SQLite, 100 active campaigns of which 3 name each event",
    "the same rows by bare sqlite3, in transactions of the same size",
    "events/s",
    measure,
)
