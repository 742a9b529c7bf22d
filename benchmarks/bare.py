"""Bare databases: the drivers alone, with the product's pragmas, schema and statements."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import asyncpg

from angarium.core.store.catalogue import Catalogue, load_queries
from angarium.core.store.checkpoints import Checkpoints
from angarium.core.store.open import open_store
from angarium.core.store.session import connect
from benchmarks.machine import cpu_seconds

Values = tuple[Any, ...]
Step = tuple[str, list[Values]]

POSITION = ("stream", "partition", "old", "new", "epoch")
OUTBOX = ("id", "messages", "now")


class Written(tuple[float, float]):
    """Seconds on the clock, and seconds of processor, that writing took."""


class BareDatabase(Protocol):
    """A database without the product on top."""

    async def read(self, select: str) -> list[Values]: ...

    async def write(self, transactions: Sequence[Sequence[Step]]) -> float:
        """Write everything; gives the seconds that it took."""
        ...


class BareSqlite:
    """sqlite3 in this thread, with checkpoints in another as the product has them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queries = load_queries("sqlite")

    async def read(self, select: str) -> list[Values]:
        with sqlite3.connect(self._path) as link:
            return link.execute(select).fetchall()

    async def write(self, transactions: Sequence[Sequence[Step]]) -> float:
        ready = [[_for_sqlite(self._queries, *step) for step in steps] for steps in transactions]
        checkpoints = Checkpoints(self._path)
        checkpoints.start()
        link = connect(self._path, writing=True)
        try:
            began = time.perf_counter()
            _write_sqlite(link, ready, checkpoints.wrote)
            return time.perf_counter() - began
        finally:
            await checkpoints.stop()
            link.close()


def _write_sqlite(
    link: sqlite3.Connection,
    transactions: Sequence[Sequence[tuple[str, Sequence[Any]]]],
    wrote: Callable[[], None],
) -> None:
    for steps in transactions:
        link.execute("begin immediate")
        for sql, rows in steps:
            link.executemany(sql, rows)
        link.execute("commit")
        wrote()


def _for_sqlite(queries: Catalogue, name: str, rows: list[Values]) -> tuple[str, Sequence[Any]]:
    query = queries[name]
    if query.expanded.columns:
        return query.sql, rows
    if name == "plan_deliveries":
        marks = ", ".join("?" * len(rows[0]))
        return DELIVERIES.format(f"values ({marks})"), rows
    names = POSITION if name == "advance_position" else OUTBOX
    return query.sql, [dict(zip(names, row, strict=True)) for row in rows]


DELIVERIES = """insert into deliveries
    (workspace, id, source, campaign, version, step, run, profile_id, channel, class, promise,
     test, due_at, expires_at, hour, planned_at, triggered_at, device, context, request_id,
     state, reason, provider, generation, attempt, resends, updated_at, gates, reactions)
select column1, column2, column3, column4, column5, column6, column7, column8, column9, column10,
     column11, column12, column13, column14, column15, column16, column17, column18, column19,
     column20, 'planned', '', '', 0, 0, 0, column16, '[]', '{{}}'
from ({})"""


class BarePostgres:
    """asyncpg on one connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._queries = load_queries("postgres")

    async def read(self, select: str) -> list[Values]:
        link = await asyncpg.connect(self._url)
        try:
            return [tuple(row) for row in await link.fetch(select)]
        finally:
            await link.close()

    async def write(self, transactions: Sequence[Sequence[Step]]) -> float:
        ready = [[self._prepared(*step) for step in steps] for steps in transactions]
        link = await asyncpg.connect(self._url)
        try:
            began = time.perf_counter()
            for steps in ready:
                async with link.transaction():
                    for sql, arguments in steps:
                        await link.execute(sql, *arguments)
            return time.perf_counter() - began
        finally:
            await link.close()

    def _prepared(self, name: str, rows: list[Values]) -> tuple[str, Sequence[Any]]:
        query = self._queries[name]
        if query.expanded.columns:
            return query.sql, [list(column) for column in zip(*rows, strict=True)]
        params: Mapping[str, Any]
        if name == "plan_deliveries":
            params = {"rows": rows}
        else:
            names = POSITION if name == "advance_position" else OUTBOX
            params = dict(zip(names, rows[0], strict=True))
        return query.sql, query.numbered(params)


def bare(url: str) -> BareDatabase:
    """The driver for a store's URL."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return BareSqlite(Path(unquote(parts.path[1:])))
    return BarePostgres(url)


@asynccontextmanager
async def migrated(url: str) -> AsyncIterator[BareDatabase]:
    """A database with the product's schema and nothing in it."""
    store = await open_store(url)
    await store.migrate()
    await store.close()
    yield bare(url)


def cpu_used() -> float:
    """Seconds of processor that this process has used."""
    import os

    return cpu_seconds(os.getpid())


async def settle() -> None:
    """Let what is left of the last measurement end."""
    await asyncio.sleep(0.2)
