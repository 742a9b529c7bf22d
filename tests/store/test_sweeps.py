"""What is swept, on both stores."""

from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import HOUR
from angarium.core.store.leases import WORKER, take_lease
from angarium.core.store.protocol import Store
from angarium.core.store.sweeps import find_expired, sweep_expired, sweep_orphans
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import claimed, commit, handed, planned, row, states

S = DeliveryState


async def alive(store: Store, worker: str, until: int) -> None:
    async with store.transaction() as tx:
        assert await take_lease(tx, WORKER + worker, worker, until, NOW)


async def swept(store: Store, now: int = NOW, limit: int = 100) -> int:
    return await commit(store, lambda tx, c: sweep_orphans(tx, limit, c, now), now)


async def test_what_a_living_worker_holds_is_left_alone(store: Store) -> None:
    await alive(store, "w1", NOW + 10)
    await planned(store, new_delivery("dlv_1"), new_delivery("dlv_2"))
    first, _ = await claimed(store)
    await handed(store, first)
    assert await swept(store, NOW + 9) == 0
    assert await states(store) == {"claimed": 1, "handed": 1}


async def test_a_dead_workers_claims_are_planned_again(store: Store) -> None:
    await alive(store, "w1", NOW + 10)
    await planned(store, new_delivery())
    await claimed(store)
    assert await swept(store, NOW + 10) == 1
    now = await row(store)
    assert (now.state, now.generation, now.worker) == (S.PLANNED, 2, None)


async def test_what_a_dead_worker_was_sending_is_in_doubt_or_sent_again(store: Store) -> None:
    """N1: what could not be known is in doubt; a transactional message is sent again."""
    await planned(store, new_delivery("dlv_1"), new_delivery("dlv_2", promise="at_least_once"))
    await handed(store, *await claimed(store))
    assert await swept(store) == 2
    once, again = await row(store, "dlv_1"), await row(store, "dlv_2")
    assert (once.state, once.generation, once.resends) == (S.IN_DOUBT, 1, 0)
    assert (again.state, again.generation, again.resends) == (S.PLANNED, 2, 1)
    assert await swept(store) == 0


async def test_a_sweep_takes_no_more_than_it_is_told(store: Store) -> None:
    await planned(store, *(new_delivery(f"dlv_{n}") for n in range(5)))
    await claimed(store)
    assert [await swept(store, limit=3) for _ in range(3)] == [3, 2, 0]
    assert await states(store) == {"planned": 5}


async def test_what_nobody_serves_is_skipped_once_it_has_expired(store: Store) -> None:
    await planned(
        store,
        new_delivery("gone", channel="carrier_pigeon"),
        new_delivery("still_good", channel="carrier_pigeon", expires_at=NOW + 9 * HOUR),
        new_delivery("not_due", channel="sms", due_at=NOW + 8 * HOUR, expires_at=NOW + 9 * HOUR),
    )
    before = NOW + 2 * HOUR
    async with store.reading() as tx:
        keys = await find_expired(tx, before, 10)
    assert keys == [("default", "gone")]
    assert await commit(store, lambda tx, c: sweep_expired(tx, keys, before, c, NOW)) == 1
    now = await row(store, "gone")
    assert (now.state, now.reason) == (S.SKIPPED, "expired")
    assert await commit(store, lambda tx, c: sweep_expired(tx, keys, before, c, NOW)) == 0


async def test_an_empty_ledger_has_nothing_expired(store: Store) -> None:
    async with store.reading() as tx:
        assert await find_expired(tx, NOW, 10) == []
