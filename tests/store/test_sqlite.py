"""What is particular to the SQLite file: its settings, its rivals, its ways to fail."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from angarium.core.store.catalogue import QUERIES, load_queries
from angarium.core.store.errors import Contention, StoreUnavailable
from angarium.core.store.open import open_store, sqlite_url
from angarium.core.store.protocol import Store
from angarium.core.store.sqlite import READERS, SqliteStore
from tests.contracts import THINGS
from tests.databases import path_of
from tests.store.programs import running

WAL = 2  # the file format number of a database with a write-ahead log, at bytes 18 and 19


async def test_a_new_file_keeps_a_log_and_is_for_our_eyes_only(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    store = await open_store(sqlite_url(path))
    await store.migrate()
    modes = modes_in(tmp_path)
    await store.close()

    names = {f"new.db{end}" for end in ("", "-wal", "-shm", "-turn", "-write")}
    assert modes == dict.fromkeys(names, 0o600)
    assert path.read_bytes()[18:20] == bytes((WAL, WAL))


async def test_closing_moves_the_whole_log_into_the_file(
    sqlite_things: Store, sqlite_url: str
) -> None:
    log = path_of(sqlite_url).with_name("angarium.db-wal")
    assert log.stat().st_size > 0
    await sqlite_things.close()

    assert not log.exists()


async def test_a_process_that_holds_the_file_for_too_long_is_contention(
    sqlite_things: Store, sqlite_url: str
) -> None:
    path = path_of(sqlite_url)
    impatient = await SqliteStore.open(
        path, load_queries("sqlite", (QUERIES, THINGS)), [], turn_seconds=0.05
    )
    with running("unfinished", sqlite_url) as program:
        assert program.hear() == "written"
        for _ in range(2):
            with pytest.raises(Contention, match="another process"):
                async with impatient.transaction():
                    pass
        program.kill()

    async with sqlite_things.transaction() as tx:
        await tx.run("add_number", id="a", number=1)
    async with asyncio.timeout(10), impatient.transaction() as tx:
        assert list(await tx.fetch("count_things")) == [(1,)]
    await impatient.close()


async def test_closing_does_not_wait_for_a_process_that_holds_the_file(
    sqlite_things: Store, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("angarium.core.store.session.CLOSE_SECONDS", 0.05)
    with running("unfinished", sqlite_url) as program:
        assert program.hear() == "written"
        task = asyncio.create_task(_begin(sqlite_things))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await sqlite_things.close()
        program.kill()


async def test_more_tasks_may_read_than_there_are_readers(sqlite_things: Store) -> None:
    async with sqlite_things.transaction() as tx:
        await tx.run("add_number", id="a", number=1)
    gate = asyncio.Barrier(READERS)

    async def read(waits: bool) -> int:
        async with sqlite_things.reading() as tx:
            if waits:
                await gate.wait()
            return len(await tx.fetch("list_things"))

    tasks = [read(n < READERS) for n in range(READERS * 3)]
    assert await asyncio.gather(*tasks) == [1] * len(tasks)


async def test_a_full_disk_is_unavailable_until_there_is_room(
    sqlite_things: Store, sqlite_url: str
) -> None:
    with running("fill_the_disk", sqlite_url) as program:
        assert program.hear() == "unavailable OperationalError"
        assert program.hear() == "[(0,)]"
        assert program.hear() == "[(2000,)]"
        assert program.hear() == ""

    with closing(sqlite3.connect(path_of(sqlite_url))) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, this is not a database. " * 100)
    with pytest.raises(StoreUnavailable) as caught:
        await open_store(sqlite_url(path))

    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
    assert "Dear reader" in path.read_text()


async def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="absent"):
        await open_store(sqlite_url(tmp_path / "absent" / "angarium.db"))


async def test_a_damaged_file_is_unavailable(sqlite_url: str) -> None:
    path = path_of(sqlite_url)
    pages = bytearray(path.read_bytes())
    pages[100:] = b"\xff" * (len(pages) - 100)
    path.write_bytes(pages)
    with pytest.raises(StoreUnavailable, match="malformed"):
        await open_store(sqlite_url)


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def _begin(store: Store) -> None:
    async with store.transaction():
        pass
