"""Bare databases: the drivers alone, with the product's schema and pragmas, and plain upserts."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import asyncpg
import msgspec

from angarium.core.store.checkpoints import Checkpoints
from angarium.core.store.open import open_store
from angarium.core.store.session import connect

Values = tuple[Any, ...]


class Table(msgspec.Struct, frozen=True):
    """Rows of a table. types: PostgreSQL's, "" on SQLite. keys: what its upsert conflicts on."""

    name: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[Values]


class Step(msgspec.Struct, frozen=True):
    """Rows to be written into a table; only: of which columns nothing but these is written."""

    table: Table
    rows: list[Values]
    only: tuple[str, ...] = ()


class BareDatabase(Protocol):
    """A database without the product on top."""

    async def read(self, table: str, keys: tuple[str, ...], without: str = "") -> Table:
        """All of a table, in the order of its keys; `without` a column that makes itself."""
        ...

    async def write(self, transactions: Sequence[Sequence[Step]]) -> float:
        """Write everything; gives the seconds that it took."""
        ...


class BareSqlite:
    """sqlite3 in this thread, with checkpoints in another as the product has them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self, table: str, keys: tuple[str, ...], without: str = "") -> Table:
        with sqlite3.connect(self._path) as link:
            info = link.execute(f"pragma table_info({table})").fetchall()
            columns = tuple(name for _, name, *_ in info if name != without)
            order = ", ".join([without] if without else keys)
            select = f"select {', '.join(columns)} from {table} order by {order}"
            return Table(
                table, keys, columns, ("",) * len(columns), link.execute(select).fetchall()
            )

    async def write(self, transactions: Sequence[Sequence[Step]]) -> float:
        ready = [[(_sqlite(step), _bound(step)) for step in steps] for steps in transactions]
        checkpoints = Checkpoints(self._path)
        checkpoints.start()
        link = connect(self._path, writing=True)
        try:
            began = time.perf_counter()
            _write(link, ready, checkpoints.wrote)
            return time.perf_counter() - began
        finally:
            await checkpoints.stop()
            link.close()


class BarePostgres:
    """asyncpg on one connection, an array for each column."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def read(self, table: str, keys: tuple[str, ...], without: str = "") -> Table:
        link = await asyncpg.connect(self._url)
        try:
            info = await link.fetch(
                "select column_name, udt_name from information_schema.columns"
                " where table_name = $1 order by ordinal_position",
                table,
            )
            named = [(name, type_) for name, type_ in info if name != without]
            columns = tuple(name for name, _ in named)
            order = ", ".join([without] if without else keys)
            found = await link.fetch(f"select {', '.join(columns)} from {table} order by {order}")
            rows = [tuple(row) for row in found]
            return Table(table, keys, columns, tuple(type_ for _, type_ in named), rows)
        finally:
            await link.close()

    async def write(self, transactions: Sequence[Sequence[Step]]) -> float:
        ready = [[(_postgres(step), _columns(step)) for step in steps] for steps in transactions]
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


def bare(url: str) -> BareDatabase:
    """The driver for a store's URL."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return BareSqlite(Path(unquote(parts.path[1:])))
    return BarePostgres(url)


async def migrated(url: str) -> BareDatabase:
    """A database with the product's schema and nothing in it."""
    store = await open_store(url)
    await store.migrate()
    await store.close()
    return bare(url)


def _write(
    link: sqlite3.Connection,
    transactions: Sequence[Sequence[tuple[str, list[Values]]]],
    wrote: Callable[[], None],
) -> None:
    for steps in transactions:
        link.execute("begin immediate")
        for sql, rows in steps:
            link.executemany(sql, rows)
        link.execute("commit")
        wrote()


def _bound(step: Step) -> list[Values]:
    """The values that the statement takes, in its order."""
    if not step.only:
        return step.rows
    places = [step.table.columns.index(name) for name in (*step.table.keys, *step.only)]
    return [tuple(row[place] for place in places) for row in step.rows]


def _sqlite(step: Step) -> str:
    table = step.table
    if step.only:
        first = len(table.keys) + 1
        sets = ", ".join(f"{name} = ?{at}" for at, name in enumerate(step.only, first))
        wheres = " and ".join(f"{name} = ?{at}" for at, name in enumerate(table.keys, 1))
        return f"update {table.name} set {sets} where {wheres}"
    marks = ", ".join("?" * len(table.columns))
    return f"insert into {table.name} ({_list(table.columns)}) values ({marks}){_upsert(table)}"


def _postgres(step: Step) -> str:
    table = step.table
    names = (*table.keys, *step.only) if step.only else table.columns
    types = dict(zip(table.columns, table.types, strict=True))
    arrays = ", ".join(f"${at}::{types[name]}[]" for at, name in enumerate(names, 1))
    if step.only:
        sets = ", ".join(f"{name} = r.{name}" for name in step.only)
        wheres = " and ".join(f"{table.name}.{name} = r.{name}" for name in table.keys)
        source = f"unnest({arrays}) as r ({_list(names)})"
        return f"update {table.name} set {sets} from {source} where {wheres}"
    select = f"select * from unnest({arrays})"
    return f"insert into {table.name} ({_list(names)}) {select}{_upsert(table)}"


def _columns(step: Step) -> list[list[Any]]:
    return [list(column) for column in zip(*_bound(step), strict=True)]


def _upsert(table: Table) -> str:
    if not table.keys:
        return ""
    sets = ", ".join(f"{n} = excluded.{n}" for n in table.columns if n not in table.keys)
    what = f"do update set {sets}" if sets else "do nothing"
    return f" on conflict ({_list(table.keys)}) {what}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
