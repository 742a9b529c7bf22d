"""Publishing after the commit, on both stores."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.store import ledger
from angarium.core.store.changes import Changes
from angarium.core.store.outbox import OutboxRow, list_outbox, save_outbox
from angarium.core.store.protocol import Store, Transaction
from angarium.core.workers.outbox import LEFT_BEHIND, Publisher
from tests.delivery.examples import NOW, new_delivery
from tests.parts.nats import NatsServer

SUBJECT = "angarium.reports.default.email.accepted"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def publisher(store: Store, bus: Bus, clock: Clock) -> Publisher:
    return Publisher(store, bus, clock)


@asynccontextmanager
async def running(publisher: Publisher) -> AsyncIterator[None]:
    """Publishes during the block."""
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def says(*words: str) -> Callable[[Transaction, Changes], Awaitable[None]]:
    async def work(_: Transaction, changes: Changes) -> None:
        for word in words:
            changes.say(SUBJECT, f'"{word}"')

    return work


async def heard(bus: Bus, count: int) -> list[str]:
    """The first `count` reports of the stream."""
    found: list[str] = []
    async with bus.pull("REPORTS", after=0) as puller:
        while len(found) < count:
            found += [received.body.decode() for received in await puller.get(count)]
    return found


async def left(store: Store) -> int:
    async with store.reading() as tx:
        return len(await list_outbox(tx, 2**60, 1000))


async def test_what_was_said_is_published_in_order_after_the_commit(
    store: Store, bus: Bus, publisher: Publisher
) -> None:
    async with running(publisher):
        await publisher.commit(says("a", "b"))
        await publisher.commit(says("c"))
        assert await heard(bus, 3) == ['"a"', '"b"', '"c"']
        await publisher.settle()
    assert await left(store) == 0


async def test_a_transaction_that_fails_says_nothing(
    store: Store, bus: Bus, publisher: Publisher
) -> None:
    async def fails(_: Transaction, changes: Changes) -> None:
        changes.say(SUBJECT, '"never"')
        raise LookupError

    async with running(publisher):
        with pytest.raises(LookupError):
            await publisher.commit(fails)
        await publisher.commit(says("a"))
        assert await heard(bus, 1) == ['"a"']


async def test_a_transaction_that_says_nothing_leaves_no_row(
    store: Store, publisher: Publisher
) -> None:
    await publisher.commit(says())
    assert await left(store) == 0


async def test_published_rows_are_deleted_in_the_next_transaction(
    store: Store, bus: Bus, publisher: Publisher
) -> None:
    async with running(publisher):
        await publisher.commit(says("a"))
        await heard(bus, 1)
        while not publisher.published:
            await asyncio.sleep(0)
        await publisher.commit(says())
    assert await left(store) == 0


async def test_what_a_dead_process_left_is_published_once_it_is_old(
    store: Store, bus: Bus, publisher: Publisher, clock: Clock
) -> None:
    async with store.transaction() as tx:
        await save_outbox(tx, OutboxRow("dead", [(SUBJECT, '"a"'), (SUBJECT, '"b"')]), NOW)
    clock.at = NOW + LEFT_BEHIND - 1
    assert await publisher.sweep() == 0
    clock.at = NOW + LEFT_BEHIND
    assert await publisher.sweep() == 1
    assert await publisher.sweep() == 0
    async with running(publisher):
        assert await heard(bus, 2) == ['"a"', '"b"']
        await publisher.settle()
    assert await left(store) == 0


async def test_two_that_publish_the_same_row_store_it_once(
    store: Store, bus: Bus, clock: Clock
) -> None:
    """Whoever wrote it was only slow: the message ids are the same."""
    slow, sweeper = Publisher(store, bus, clock), Publisher(store, bus, clock)
    await slow.commit(says("a", "b"))
    clock.at = NOW + LEFT_BEHIND
    await sweeper.sweep()
    async with running(sweeper):
        await heard(bus, 2)
        await sweeper.settle()
    async with running(slow):
        await slow.commit(says("c"))
        assert await heard(bus, 3) == ['"a"', '"b"', '"c"']
        await slow.settle()
    assert (await bus.stream_state("REPORTS")).last_sequence == 3


async def test_nothing_is_lost_while_the_broker_is_away(
    store: Store, bus: Bus, publisher: Publisher, nats_server: NatsServer
) -> None:
    await nats_server.kill()
    async with running(publisher):
        for word in "abc":
            await publisher.commit(says(word))
        assert await left(store) == 3
        await nats_server.start()
        assert await heard(bus, 3) == ['"a"', '"b"', '"c"']


async def test_a_message_that_is_never_taken_holds_up_no_other(
    store: Store, bus: Bus, publisher: Publisher
) -> None:
    async def work(_: Transaction, changes: Changes) -> None:
        changes.say(SUBJECT, '"a"')
        changes.say(SUBJECT, f'"{"x" * bus.largest_body}"')
        changes.say(SUBJECT, '"b"')

    async with running(publisher):
        await publisher.commit(work)
        assert await heard(bus, 2) == ['"a"', '"b"']
        await publisher.settle()
    assert await left(store) == 0


async def test_what_is_due_wakes_the_workers_of_its_channel(
    store: Store, bus: Bus, publisher: Publisher
) -> None:
    async def plans(tx: Transaction, changes: Changes) -> None:
        later = new_delivery("dlv_2", channel="sms", due_at=NOW + 60_000)
        await ledger.plan(tx, [new_delivery("dlv_1"), later], changes)

    async with bus.listen("angarium.deliver.*") as wake_ups:
        await publisher.commit(plans)
        await bus.notify("angarium.deliver.last", b"last")
        assert [await anext(wake_ups), await anext(wake_ups)] == [b"", b"last"]
