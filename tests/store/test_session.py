"""What SQLite's errors mean, and who is hit by an interruption."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from angarium.core.store.errors import Contention, Refused, StoreError, StoreUnavailable
from angarium.core.store.session import Session, connect, meaning


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[Session]:
    session = Session("test", lambda: connect(tmp_path / "some.db", writing=True))
    await session.open()
    yield session
    await session.close()


def failure(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError(name)
    error.sqlite_errorcode = getattr(sqlite3, name)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SQLITE_BUSY", Contention),
        ("SQLITE_BUSY_SNAPSHOT", Contention),
        ("SQLITE_LOCKED", Contention),
        ("SQLITE_FULL", StoreUnavailable),
        ("SQLITE_IOERR_FSYNC", StoreUnavailable),
        ("SQLITE_READONLY_DBMOVED", StoreUnavailable),
        ("SQLITE_CANTOPEN", StoreUnavailable),
        ("SQLITE_CORRUPT_INDEX", StoreUnavailable),
        ("SQLITE_NOTADB", StoreUnavailable),
        ("SQLITE_NOMEM", StoreUnavailable),
        ("SQLITE_CONSTRAINT_UNIQUE", Refused),
        ("SQLITE_ERROR", Refused),
        ("SQLITE_TOOBIG", Refused),
    ],
)
def test_an_error_says_what_to_do(name: str, expected: type[StoreError]) -> None:
    assert type(meaning(failure(name))) is expected


def test_writing_where_one_promised_not_to_is_refused() -> None:
    assert type(meaning(failure("SQLITE_READONLY"), readonly=True)) is Refused


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OverflowError("too large"), Refused),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), Refused),
        (sqlite3.ProgrammingError("wrong type"), Refused),
        (PermissionError("lock file"), StoreUnavailable),
    ],
)
def test_an_error_without_a_code_too(error: Exception, expected: type[StoreError]) -> None:
    assert type(meaning(error)) is expected


async def test_a_cancelled_job_that_has_not_begun_is_not_done(session: Session) -> None:
    gate, begun = threading.Event(), asyncio.Event()
    before = session.put(lambda _: gate.wait())

    async def work() -> None:
        begun.set()
        await session.call(lambda link: link.execute("create table t (x)"))

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    gate.set()
    await before
    with pytest.raises(asyncio.CancelledError):
        await task

    tables = await session.call(lambda link: link.execute("select * from sqlite_schema").fetchall())
    assert tables == []


async def test_an_interruption_does_not_hit_the_next_job(session: Session) -> None:
    long = (
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000000000)"
        " select count(*) from n"
    )
    for rounds in range(20):
        task = asyncio.create_task(session.call(lambda link: link.execute(long).fetchall()))
        for _ in range(rounds):
            await asyncio.sleep(0)
        task.cancel()
        after = session.put(lambda link: link.execute("select 1").fetchall())

        assert await after == [(1,)]
        with pytest.raises(asyncio.CancelledError):
            await task
