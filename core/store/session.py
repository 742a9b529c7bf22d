"""One SQLite connection, the thread that it lives in, and what its errors mean."""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from angarium.core.store.errors import Contention, Refused, StoreError, StoreUnavailable
from angarium.core.store.lane import Lane

T = TypeVar("T")

BUSY_MS = 10_000
"""How long to wait for a program that does not know our turnstile, such as a backup."""
STATEMENTS = 512
"""Compiled statements kept for each connection: more than there are queries."""
WRITER_KIB = 64 * 1024
"""The writer's page cache; more was no faster."""
READER_KIB = 16 * 1024
CLOSE_SECONDS = 10
INTERRUPT_SECONDS = 0.01
PRAGMAS = (
    "synchronous = full",  # a commit is on the disk when it returns
    "wal_autocheckpoint = 0",  # checkpoints.py
    "temp_store = memory",
)

_CONTENTION = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNAVAILABLE = {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}


class Session:
    """A connection that only its own thread touches; every method may be called from any task."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], sqlite3.Connection],
        disconnect: Callable[[sqlite3.Connection], None] = sqlite3.Connection.close,
        *,
        readonly: bool = False,
    ) -> None:
        self._lane = Lane(name)
        self._connect = connect
        self._disconnect = disconnect
        self._readonly = readonly
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Connect. Raises StoreUnavailable."""
        try:
            connecting = self._lane.put(lambda: translated(self._connect, self._readonly))
            self._connection = await connecting
        except BaseException:
            self._lane.stop()
            raise

    async def call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in the thread. If the caller is cancelled, the statement is interrupted."""
        job = _Interruptible(work, self._opened())
        future = self.put(job.run)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            future.add_done_callback(lambda done: done.exception())  # nobody else asks
            while not future.done():
                job.interrupt()  # may come too early for SQLite to notice, therefore the loop
                await asyncio.wait([future], timeout=INTERRUPT_SECONDS)
            raise

    def put(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Queue `work`; what is queued is done, whoever waits for it."""
        connection = self._opened()
        return self._lane.put(lambda: translated(lambda: work(connection), self._readonly))

    async def close(self) -> None:
        """Disconnect, after everything that is queued; do not wait for ever if that is stuck."""
        if connection := self._connection:
            self._connection = None
            closing = self._lane.put(lambda: self._disconnect(connection))
            await asyncio.wait([closing], timeout=CLOSE_SECONDS)
        self._lane.stop()

    def _opened(self) -> sqlite3.Connection:
        if not self._connection:
            raise StoreUnavailable("the store has been closed")
        return self._connection


class _Interruptible(Generic[T]):
    """A job that can be stopped, before it begins or in the middle, without hitting the next."""

    def __init__(
        self, work: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection
    ) -> None:
        self._work = work
        self._connection = connection
        self._guard = threading.Lock()
        self._stopped = False
        self._running = False

    def run(self, connection: sqlite3.Connection) -> T:
        with self._guard:
            if self._stopped:
                raise StoreUnavailable("cancelled")
            self._running = True
        try:
            return self._work(connection)
        finally:
            with self._guard:
                self._running = False

    def interrupt(self) -> None:
        with self._guard:
            self._stopped = True
            if self._running:
                self._connection.interrupt()


def connect(path: Path, *, writing: bool) -> sqlite3.Connection:
    """Open the file with our settings."""
    if writing:
        _create(path)
    connection = sqlite3.connect(
        path, timeout=BUSY_MS / 1000, isolation_level=None, cached_statements=STATEMENTS
    )
    try:
        for pragma in PRAGMAS:
            connection.execute(f"pragma {pragma}")
        connection.execute(f"pragma cache_size = -{WRITER_KIB if writing else READER_KIB}")
        if not writing:
            connection.execute("pragma query_only = on")
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: Path) -> None:
    """Make the file for our eyes only, for it is about people.

    Only ever a new one: to open and close a database by other means would drop the locks that
    this process holds on it (sqlite.org/howtocorrupt.html, 2.2).
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def translated(work: Callable[[], T], readonly: bool = False) -> T:
    """Do `work`; raise its database errors as ours, with the cause kept."""
    try:
        return work()
    except (sqlite3.Error, OverflowError, UnicodeEncodeError, OSError) as error:
        raise meaning(error, readonly=readonly) from error


def meaning(error: Exception, *, readonly: bool = False) -> StoreError:
    """What a database error means. `readonly`: the caller had promised to write nothing."""
    if isinstance(error, OSError):
        return StoreUnavailable(f"cannot use the database file or its lock files: {error}")
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return Refused(str(error))
    primary = code & 0xFF  # the rest tells the kinds of one error apart
    if primary == sqlite3.SQLITE_READONLY and readonly:
        return Refused(str(error))
    if primary in _CONTENTION:
        return Contention(f"the database file is locked: {error}")
    if primary in _UNAVAILABLE:
        return StoreUnavailable(f"the database file cannot be used: {error}")
    return Refused(str(error))
