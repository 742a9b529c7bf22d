"""The reader of the events stream, on a real broker and both stores."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.bus.subjects import events_subject
from angarium.core.store.catalogue import QUERIES
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from angarium.core.workers.clock import now
from angarium.core.workers.ingest import Ingest, IngestSettings
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.place import Fenced
from angarium.core.workers.rules import RuleShelf
from tests.parts.nats import PARTITIONS
from tests.parts.waiting import until

SUBJECT = events_subject("default", "_")
SEEDING = Path(__file__).with_name("seeding")


def ingest(store: Store, bus: Bus, partition: int) -> Ingest:
    rules = RuleShelf({}, "UTC")
    publisher = Publisher(store, bus, now)
    return Ingest(store, bus, publisher, rules, IngestSettings(), now, partition=partition)


@asynccontextmanager
async def reading(store: Store, bus: Bus) -> AsyncIterator[list[Ingest]]:
    """A reader for each partition, until the end of the block."""
    readers = [ingest(store, bus, partition) for partition in range(PARTITIONS)]
    tasks = [asyncio.create_task(reader.run()) for reader in readers]
    try:
        yield readers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def counted(store: Store) -> int:
    async with store.reading() as tx:
        ((count,),) = await tx.fetch("drill_events", workspace="default")
    return int(count or 0)


async def rejected(store: Store) -> list[str]:
    async with store.reading() as tx:
        rows = await tx.fetch("export_rejects", workspace="default")
    return [code for _, _, code, _ in rows]


def track(number: int, **members: object) -> dict[str, object]:
    message = {"type": "track", "userId": "u1", "event": "Seen", "messageId": f"m{number}"}
    return message | members


async def test_one_message_or_a_batch_from_any_client(store: Store, bus: Bus) -> None:
    async with reading(store, bus):
        await bus.publish(SUBJECT, json.dumps(track(1)).encode())
        await bus.publish(SUBJECT, json.dumps({"batch": [track(2), track(3)]}).encode())

        await until(lambda: _at_least(store, 3))


async def _at_least(store: Store, count: int) -> bool:
    return await counted(store) >= count


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"no json", "not_json"),
        (b'{"batch": 5}', "not_json"),
        (json.dumps(track(1, userId=None)).encode(), "no_id"),
        (json.dumps({"batch": [track(1, type="sing")]}).encode(), "unknown_type"),
        (json.dumps({"batch": [track(i) for i in range(1001)]}).encode(), "batch_too_large"),
    ],
)
async def test_a_bad_message_is_listed_and_the_next_one_is_unaffected(
    store: Store, bus: Bus, body: bytes, code: str
) -> None:
    async with reading(store, bus):
        await bus.publish(SUBJECT, body)
        await bus.publish(SUBJECT, json.dumps(track(1)).encode())
        await until(lambda: _at_least(store, 1))

    assert await rejected(store) == [code]
    assert await counted(store) == 1


async def test_a_message_that_is_stored_twice_counts_once(store: Store, bus: Bus) -> None:
    async with reading(store, bus):
        for _ in range(5):
            await bus.publish(SUBJECT, json.dumps(track(1)).encode())
        await bus.publish(SUBJECT, json.dumps(track(2)).encode())
        await until(lambda: _at_least(store, 2))

    assert await counted(store) == 2


async def test_messages_without_ids_count_each(store: Store, bus: Bus) -> None:
    async with reading(store, bus):
        for _ in range(3):
            await bus.publish(SUBJECT, json.dumps(track(1, messageId=None)).encode())
        await until(lambda: _at_least(store, 3))


async def test_a_reader_goes_on_where_the_last_one_stopped(store: Store, bus: Bus) -> None:
    async with reading(store, bus):
        await bus.publish(SUBJECT, json.dumps(track(1, messageId=None)).encode())
        await until(lambda: _at_least(store, 1))
    async with reading(store, bus):
        await bus.publish(SUBJECT, json.dumps(track(2, messageId=None)).encode())
        await until(lambda: _at_least(store, 2))

    assert await counted(store) == 2


async def test_of_two_readers_one_is_fenced_and_every_event_counts_once(
    store: Store, bus: Bus
) -> None:
    batches = [json.dumps({"batch": [track(i * 10 + j) for j in range(10)]}) for i in range(40)]
    first = [ingest(store, bus, partition) for partition in range(PARTITIONS)]
    second = [ingest(store, bus, partition) for partition in range(PARTITIONS)]
    tasks = [asyncio.create_task(reader.run()) for reader in (*first, *second)]
    for batch in batches:
        await bus.publish(SUBJECT, batch.encode())

    await until(lambda: _at_least(store, 400))
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert await counted(store) == 400
    assert any(isinstance(end, Fenced) for end in ended)
    assert all(isinstance(end, Fenced | asyncio.CancelledError) for end in ended)


async def test_what_names_no_workspace_is_told_in_the_default_one(store: Store, bus: Bus) -> None:
    async with reading(store, bus) as readers:
        await bus.publish(events_subject("nowhere", "_"), json.dumps(track(1)).encode())
        batch = json.dumps({"batch": [track(2), track(3)]}).encode()
        await bus.publish(events_subject("nowhere", "_"), batch)
        await bus.publish(SUBJECT, json.dumps(track(4)).encode())
        await until(lambda: _at_least(store, 1))
        await until(lambda: _rejected(store, 2))

    async with store.reading() as tx:
        rows = await tx.fetch("export_rejects", workspace="default")
        strays = await tx.fetch("export_events", workspace="nowhere")
    assert [tuple(row[1:]) for row in rows] == [("workspace", "unknown_workspace", "nowhere")] * 2
    assert sum(reader.strange for reader in readers) == 2
    assert (await counted(store), list(strays)) == (1, [])


async def _rejected(store: Store, count: int) -> bool:
    return len(await rejected(store)) >= count


async def test_a_workspace_that_was_made_meanwhile_is_known(store_url: str, bus: Bus) -> None:
    store = await open_store(store_url, queries=(QUERIES, SEEDING))
    subject = events_subject("second", "_")
    async with reading(store, bus):
        await bus.publish(subject, json.dumps(track(1)).encode())
        await until(lambda: _rejected(store, 1))
        async with store.transaction() as tx:
            await tx.run("seed_workspace", id="second")
        await bus.publish(subject, json.dumps(track(2)).encode())

        async def stored() -> bool:
            async with store.reading() as tx:
                return bool(await tx.fetch("export_events", workspace="second"))

        await until(stored)
    await store.close()
