"""The floor must write what the core wrote: then its database holds the same rows."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.bus.subjects import NOBODY, partition_of
from angarium.core.store.open import open_store, sqlite_url
from angarium.core.workers.clock import now
from angarium.core.workers.ingest import Ingest, IngestSettings
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.rules import RuleShelf
from angarium.plugins.manager import load_plugins
from benchmarks.bare import BareDatabase, bare, migrated
from benchmarks.rows import TABLES, read_harvest, transactions
from benchmarks.traffic import WORKSPACE, activate, definitions, in_batches, messages, publish
from tests.databases import PostgresServer
from tests.parts.nats import PARTITIONS
from tests.parts.waiting import until

COUNT = 600
NOT_COPIED = {"positions", "outbox"}
"""Written in each transaction, with other contents."""


async def fill(url: str, bus: Bus) -> None:
    """Have the core work off some messages, in several transactions."""
    store = await open_store(url)
    await store.migrate()
    await activate(store, definitions())
    await publish(bus, in_batches(list(messages(COUNT, 60)), 10))
    partition = partition_of(WORKSPACE, NOBODY, PARTITIONS)
    ingest = Ingest(
        store,
        bus,
        Publisher(store, bus, now),
        RuleShelf(load_plugins().channels, "Asia/Tehran"),
        IngestSettings(batch=20),
        now,
        partition=partition,
    )

    async def all_applied() -> bool:
        return ingest.applied == COUNT

    working = asyncio.create_task(ingest.run())
    await until(all_applied)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await store.close()


async def contents(database: BareDatabase) -> dict[str, Counter[tuple[object, ...]]]:
    found: dict[str, Counter[tuple[object, ...]]] = {}
    for name, keys in TABLES.items():
        table = await database.read(name, keys, without="id" if name == "events" else "")
        found[name] = Counter(table.rows)
    return found


@pytest.fixture
async def empty_urls(
    request: pytest.FixtureRequest, empty_url: str, tmp_path: Path
) -> AsyncIterator[tuple[str, str]]:
    """Two databases of one engine without any table."""
    if empty_url.startswith("sqlite"):
        yield empty_url, sqlite_url(tmp_path / "floor.db")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    async with server.database() as second:
        yield empty_url, second


@pytest.mark.parametrize("size", [50, 500])
async def test_the_floor_writes_the_rows_that_the_core_wrote(
    empty_urls: tuple[str, str], bus: Bus, size: int
) -> None:
    await fill(empty_urls[0], bus)
    source = bare(empty_urls[0])
    work = transactions(await read_harvest(source), size)
    assert len(work) == -(-COUNT // size)
    target = await migrated(empty_urls[1])
    assert await target.write(work) > 0
    before, after = await contents(source), await contents(target)
    for name in TABLES.keys() - NOT_COPIED:
        assert before[name], f"nothing to compare in {name}"
        assert after[name] == before[name], name


def test_only_the_log_is_written_without_looking_for_what_is_there() -> None:
    assert [name for name, keys in TABLES.items() if not keys] == ["events"]
