"""The store in one SQLite file: one writer at a time, readers beside it.

A process has one writing connection in a thread of its own, a few reading ones, and a thread
that moves the write-ahead log into the file. Several processes may share the file (turnstile.py).
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from angarium.core.store.catalogue import Catalogue
from angarium.core.store.checkpoints import Checkpoints
from angarium.core.store.errors import Contention, QueryMistake, StoreUnavailable
from angarium.core.store.migrate import Migration, apply, statements
from angarium.core.store.protocol import Dialect, Row, Transaction
from angarium.core.store.session import Session, connect, translated
from angarium.core.store.turnstile import Turnstile

READERS = 4
TURN_SECONDS = 60
"""How long to wait for other processes before giving up with Contention."""


class SqliteStore:
    """See protocol.Store."""

    def __init__(
        self, path: Path, queries: Catalogue, migrations: Sequence[Migration], turn_seconds: float
    ) -> None:
        """Use `SqliteStore.open`."""
        self._path = path
        self._queries = queries
        self._migrations = migrations
        self._turn_seconds = turn_seconds
        self._turnstile = translated(lambda: Turnstile(path))
        self._writer = Session("store-writer", self._connect_writer, self._disconnect_writer)
        self._mine = asyncio.Lock()
        self._writing: asyncio.Task[Any] | None = None
        self._closed = False
        self._idle: list[Session] = []
        self._readers = asyncio.Semaphore(READERS)
        self._checkpoints = Checkpoints(path)

    @classmethod
    async def open(
        cls,
        path: Path,
        queries: Catalogue,
        migrations: Sequence[Migration],
        *,
        turn_seconds: float = TURN_SECONDS,
    ) -> "SqliteStore":
        """Open the file, made anew if it is not there. Raises StoreUnavailable."""
        store = cls(path, queries, migrations, turn_seconds)
        await store._writer.open()
        store._checkpoints.start()
        return store

    @property
    def dialect(self) -> Dialect:
        return "sqlite"

    async def migrate(self) -> int:
        """See protocol.Store."""
        async with self._exclusive() as tx:
            return await apply(tx, self._migrations)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """See protocol.Store."""
        async with self._exclusive() as tx:
            yield tx

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Transaction]:
        """See protocol.Store."""
        async with self._readers:
            self._check_open()
            session = await self._reader()
            tx = _Transaction(session, self._queries)
            try:
                await session.call(_begin_reading)
                yield tx
            finally:
                tx.ended = True
                session.put(_end_reading)
                await self._give_back(session)

    async def close(self) -> None:
        """See protocol.Store."""
        self._closed = True
        await self._checkpoints.stop()
        idle, self._idle = self._idle, []
        for session in (*idle, self._writer):
            await session.close()

    @asynccontextmanager
    async def _exclusive(self) -> "AsyncGenerator[_Transaction]":
        task = asyncio.current_task()
        if task is self._writing:
            raise QueryMistake("this task is in a transaction already")
        async with self._mine:
            self._check_open()
            await self._begin()
            self._writing = task
            tx = _Transaction(self._writer, self._queries)
            try:
                yield tx
                tx.ended = True
                await self._writer.put(self._commit)
            except BaseException:
                tx.ended = True
                await self._writer.put(self._roll_back)
                raise
            finally:
                self._writing = None

    async def _begin(self) -> None:
        try:
            async with asyncio.timeout(self._turn_seconds):
                await self._writer.put(self._enter)
        except TimeoutError:
            self._writer.put(self._roll_back)  # it may get in yet, with nobody left to write
            raise Contention("another process has been writing the database for too long") from None
        except asyncio.CancelledError:
            self._writer.put(self._roll_back)
            raise

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store has been closed")

    def _connect_writer(self) -> sqlite3.Connection:
        try:
            connection = connect(self._path, writing=True)
            try:
                self._write_ahead(connection)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            self._turnstile.close()
            raise
        return connection

    def _disconnect_writer(self, connection: sqlite3.Connection) -> None:
        connection.close()
        self._turnstile.close()

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        """Turn on the write-ahead log, which stays on; in turn, for SQLite does not wait here."""
        if connection.execute("pragma journal_mode").fetchone() == ("wal",):
            return
        self._turnstile.enter()
        try:
            [mode] = connection.execute("pragma journal_mode = wal").fetchone()
        finally:
            self._turnstile.leave()
        if mode != "wal":
            raise StoreUnavailable(f"{self._path}: this file system cannot hold SQLite's log")

    def _enter(self, connection: sqlite3.Connection) -> None:
        self._turnstile.enter()
        try:
            if connection.in_transaction:  # a disk error may have stopped the last rollback too
                connection.execute("rollback")
            connection.execute("begin immediate")
        except BaseException:
            self._turnstile.leave()
            raise

    def _commit(self, connection: sqlite3.Connection) -> None:
        connection.execute("commit")
        self._turnstile.leave()
        self._checkpoints.wrote()

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("rollback")
        finally:
            self._turnstile.leave()

    async def _give_back(self, session: Session) -> None:
        if self._closed:
            await session.close()
        else:
            self._idle.append(session)

    async def _reader(self) -> Session:
        if self._idle:
            return self._idle.pop()
        session = Session("store-reader", lambda: connect(self._path, writing=False), readonly=True)
        await session.open()
        return session


class _Transaction:
    """See protocol.Transaction."""

    exclusive = True

    def __init__(self, session: Session, queries: Catalogue) -> None:
        self._session = session
        self._queries = queries
        self.ended = False

    async def fetch(self, query: str, /, **params: Any) -> Sequence[Row]:
        found = self._queries[query]
        sql, values = found.sql, found.named(params)
        self._check()
        return await self._session.call(lambda link: link.execute(sql, values).fetchall())

    async def run(self, query: str, /, **params: Any) -> int:
        found = self._queries[query]
        sql, values = found.sql, found.named(params)
        self._check()
        return await self._session.call(lambda link: _changed(link, sql, values))

    async def many(self, query: str, rows: Sequence[tuple[Any, ...]], /) -> None:
        sql = self._queries.rows(query, rows).sql
        self._check()
        await self._session.call(lambda link: link.executemany(sql, rows))

    async def script(self, sql: str) -> None:
        """Run a migration: statements without parameters or rows."""
        await self._session.call(lambda link: _execute_all(link, sql))

    async def lock_schema(self) -> None:
        """Nothing to do: there is only one writer."""

    def _check(self) -> None:
        if self.ended:
            raise QueryMistake("the transaction has ended")


def _changed(connection: sqlite3.Connection, sql: str, values: dict[str, Any]) -> int:
    before = connection.total_changes  # a cursor's rowcount is -1 after `with … update`
    connection.execute(sql, values).close()
    return connection.total_changes - before


def _execute_all(connection: sqlite3.Connection, script: str) -> None:
    for statement in statements(script):  # executescript() would commit first
        connection.execute(statement)


def _begin_reading(connection: sqlite3.Connection) -> None:
    connection.execute("begin")


def _end_reading(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("rollback")
