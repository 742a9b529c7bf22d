"""The sweeper, on both stores."""

import asyncio

from angarium.core.delivery.record import AT_LEAST_ONCE
from angarium.core.events.times import HOUR, MINUTE
from angarium.core.store.leases import WORKER, list_leases, take_lease
from angarium.core.workers.sweeper import LEASES_KEPT, UNSERVED_AFTER, Sweeper
from angarium.plugins import Accepted, Message
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import claimed, handed, row, states
from tests.workers.offices import Director, Office


def sweeper(office: Office) -> Sweeper:
    return Sweeper(office.store, office.publisher, lambda: office.now)


async def alive(office: Office, worker: str, until: int) -> None:
    async with office.store.transaction() as tx:
        await take_lease(tx, WORKER + worker, worker, until, office.now)


async def test_what_a_dead_worker_held_is_sent_by_another(office: Office) -> None:
    await office.campaign()
    await office.person()
    await alive(office, "dead", NOW + MINUTE)
    await office.plan(new_delivery("dlv_1"), new_delivery("dlv_2", promise=AT_LEAST_ONCE))
    first, second = await claimed(office.store, "dead")
    await handed(office.store, second)
    assert await sweeper(office).sweep() == 0
    office.now = NOW + MINUTE
    assert await sweeper(office).sweep() == 2
    mail = Director()
    async with office.delivering(mail):
        await mail.received(2)
    assert sorted(mail.keys) == [first.id, second.id]
    assert await states(office.store) == {"accepted": 2}
    assert (await row(office.store, "dlv_2")).resends == 1


async def test_a_live_workers_rows_are_swept_by_nobody(office: Office) -> None:
    """While its lease is renewed; here by a worker that waits for its provider."""
    await office.campaign()
    await office.person()
    await office.plan(new_delivery())
    go_on = asyncio.Event()

    async def slow(message: Message) -> Accepted:
        await go_on.wait()
        return Accepted(message.key)

    mail = Director(slow)
    async with office.delivering(mail):
        await mail.received(1)
        assert await sweeper(office).sweep() == 0
        go_on.set()
    assert await states(office.store) == {"accepted": 1}


async def test_many_rows_of_a_dead_worker_are_all_swept(office: Office) -> None:
    await office.plan(*(new_delivery(f"dlv_{n:04}") for n in range(1100)))
    await claimed(office.store, "dead", limit=1100)
    assert await sweeper(office).sweep() == 1100
    assert await states(office.store) == {"planned": 1100}


async def test_two_sweepers_at_once_sweep_each_row_once(office: Office) -> None:
    await office.plan(*(new_delivery(f"dlv_{n:03}") for n in range(300)))
    await claimed(office.store, "dead", limit=300)
    swept = await asyncio.gather(*(sweeper(office).sweep() for _ in range(4)))
    assert sum(swept) == 300
    assert await states(office.store) == {"planned": 300}


async def test_what_nobody_serves_is_skipped_after_its_time(office: Office) -> None:
    await office.plan(new_delivery(channel="carrier_pigeon"))
    office.now = NOW + HOUR + UNSERVED_AFTER - 1
    assert await sweeper(office).sweep() == 0
    office.now += 1
    assert await sweeper(office).sweep() == 1
    assert (await row(office.store)).reason == "expired"


async def test_leases_of_workers_long_dead_are_forgotten(office: Office) -> None:
    await alive(office, "dead", NOW + MINUTE)
    office.now = NOW + MINUTE + LEASES_KEPT
    await sweeper(office).sweep()
    async with office.store.reading() as tx:
        assert await list_leases(tx) == []
