"""P3: a backlog of messages through the core into SQLite."""

import shutil
from collections.abc import Sequence
from pathlib import Path

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
TRANSACTION = 2_000
"""Messages in one transaction: the most that the core takes by default."""


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


async def _at(bench: Bench, name: str, count: int, per_batch: int) -> Row:
    batches = in_batches(list(messages(count, count // PER_PERSON)), per_batch)
    folder = bench.folder / f"core-{count}-{per_batch}"

    async def both() -> Figures:
        """The core first: the floor needs its rows."""
        database, found = await _real(folder / "real", batches)
        return {**found, **await _floor(folder / "floor", TRANSACTION, database)}

    row = await interleave(bench, name, [both])
    shutil.rmtree(folder)
    return row


async def _real(folder: Path, batches: Sequence[Sequence[bytes]]) -> tuple[str, Figures]:
    """Gives the database that the core has filled, too."""
    shutil.rmtree(folder, ignore_errors=True)
    async with plant(folder) as works:
        await activate(works.store, definitions())
        drained = await drain(works, batches)
        return works.database, figures_of(drained)


def figures_of(drained: Drained) -> Figures:
    """As the table has them."""
    return {
        "rate": drained.rate,
        "rate_per_core": drained.rate_per_core,
        "memory_mib": drained.memory_mib,
    }


async def _floor(folder: Path, transaction: int, database: str) -> Figures:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    harvest = await read_harvest(bare(database))
    work = transactions(harvest, transaction)
    empty = await migrated(sqlite_url(folder / "floor.db"))
    return {"floor": len(harvest.log) / await empty.write(work)}


CASE = Case(
    "P3",
    "Core: a backlog into SQLite, 100 active campaigns of which 3 name each event",
    "the same rows by bare sqlite3, in transactions of the same size",
    "events/s",
    measure,
)
