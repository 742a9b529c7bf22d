"""Move the write-ahead log into the database file, beside the writer and not in its way.

SQLite would do it inside some unlucky commit. A thread does it every second while there is
something to move. Under steady writing that alone never catches up with the end of the log, so
the log would grow for ever; when it is long, the thread takes its turn as a writer would and
moves the little that is left.
"""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import structlog

from angarium.core.store.session import connect
from angarium.core.store.turnstile import Turnstile

SECONDS = 1.0
LONG_BYTES = 64 * 1024 * 1024
STOP_SECONDS = 10


class Checkpoints:
    """The thread. `wrote()` after each commit tells it that there is work."""

    def __init__(
        self, path: Path, *, seconds: float = SECONDS, long_bytes: int = LONG_BYTES
    ) -> None:
        self._path = path
        self._seconds = seconds
        self._long_bytes = long_bytes
        self._dirty = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="store-checkpoints", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wrote(self) -> None:
        self._dirty.set()

    async def stop(self) -> None:
        """End the thread; what it has not moved yet is moved by the last one to close the file."""
        self._stopping.set()
        await asyncio.to_thread(self._thread.join, STOP_SECONDS)

    def _work(self) -> None:
        while not self._stopping.wait(self._seconds):
            if self._dirty.is_set():
                self._dirty.clear()
                self._try()

    def _try(self) -> None:
        try:
            with closing(connect(self._path, writing=True)) as connection:
                connection.execute("pragma busy_timeout = 0")  # a reader: better luck next time
                self._move(connection)
        except (sqlite3.Error, OSError) as error:
            self._dirty.set()
            structlog.get_logger().warning("checkpoint_failed", reason=str(error))

    def _move(self, connection: sqlite3.Connection) -> None:
        connection.execute("pragma wal_checkpoint(passive)").fetchall()
        if self._log_bytes() <= self._long_bytes:
            return
        with closing(Turnstile(self._path)) as turnstile:
            turnstile.enter()
            connection.execute("pragma wal_checkpoint(truncate)").fetchall()

    def _log_bytes(self) -> int:
        log = self._path.with_name(f"{self._path.name}-wal")
        return log.stat().st_size if log.exists() else 0
