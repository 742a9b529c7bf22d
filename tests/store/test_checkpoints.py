"""The write-ahead log is moved into the file, also while somebody keeps writing."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from structlog.testing import capture_logs

from angarium.core.store.checkpoints import Checkpoints
from angarium.core.store.open import open_store, sqlite_url
from angarium.core.store.session import connect
from angarium.core.store.turnstile import Turnstile

SOON = 0.005
LONG = 1 << 30


@asynccontextmanager
async def written(path: Path) -> AsyncIterator[sqlite3.Connection]:
    """A connection that has left some pages in the log."""
    connection = connect(path, writing=True)
    connection.execute("pragma journal_mode = wal")
    connection.execute("create table t (x)")
    connection.execute("insert into t values (zeroblob(100000))")
    yield connection
    connection.close()


async def until(condition: Callable[[], object]) -> None:
    """Look again and again, beside the event loop."""

    def look() -> None:
        while not condition():
            time.sleep(SOON)

    await asyncio.to_thread(look)


def in_file(path: Path) -> bool:
    return path.stat().st_size >= 100_000


async def test_what_was_written_is_moved(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    async with written(path):
        checkpoints = Checkpoints(path, seconds=SOON, long_bytes=LONG)
        checkpoints.start()
        checkpoints.wrote()
        await until(lambda: in_file(path))
        await checkpoints.stop()

        assert (tmp_path / "some.db-wal").stat().st_size > 100_000


async def test_nothing_is_done_while_nobody_writes(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "absent" / "some.db", seconds=SOON)
    with capture_logs() as logs:
        checkpoints.start()
        await asyncio.sleep(SOON * 10)
        await checkpoints.stop()

    assert logs == []


async def test_a_long_log_is_cut_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    log = tmp_path / "some.db-wal"
    turnstile = Turnstile(path)
    async with written(path):
        turnstile.enter()
        checkpoints = Checkpoints(path, seconds=SOON, long_bytes=50_000)
        checkpoints.start()
        checkpoints.wrote()
        await until(lambda: in_file(path))
        assert log.stat().st_size > 100_000

        turnstile.leave()
        await until(lambda: not log.stat().st_size)
        await checkpoints.stop()
    turnstile.close()


async def test_a_failure_is_told_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "later" / "some.db"
    with capture_logs() as logs:
        checkpoints = Checkpoints(path, seconds=SOON, long_bytes=LONG)
        checkpoints.start()
        checkpoints.wrote()
        await until(lambda: logs)
        path.parent.mkdir()
        async with written(path):
            checkpoints.wrote()
            await until(lambda: in_file(path))
            await checkpoints.stop()

    assert {log["event"] for log in logs} == {"checkpoint_failed"}


async def test_a_store_has_its_log_moved(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    store = await open_store(sqlite_url(path))
    await store.migrate()
    await until(lambda: in_file(path))
    await store.close()
