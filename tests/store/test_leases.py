"""Leases and positions, on both stores."""

import asyncio

from angarium.core.store.leases import drop_lease, drop_old_leases, take_lease
from angarium.core.store.positions import advance, load_position
from angarium.core.store.protocol import Store


async def take(store: Store, holder: str, until: int, now: int, name: str = "job") -> bool:
    async with store.transaction() as tx:
        return await take_lease(tx, name, holder, until, now)


async def test_a_lease_has_one_holder_until_it_runs_out(store: Store) -> None:
    assert await take(store, "a", until=10, now=0)
    assert not await take(store, "b", until=19, now=9)
    assert await take(store, "a", until=15, now=9)
    assert not await take(store, "b", until=24, now=14)
    assert await take(store, "b", until=25, now=15)
    assert not await take(store, "a", until=26, now=16)


async def test_a_lease_given_back_is_free_at_once(store: Store) -> None:
    assert await take(store, "a", until=10, now=0)
    async with store.transaction() as tx:
        assert not await drop_lease(tx, "job", "b")
        assert await drop_lease(tx, "job", "a")
    assert await take(store, "b", until=10, now=1)


async def test_of_many_that_want_a_lease_one_gets_it(store: Store) -> None:
    got = await asyncio.gather(*(take(store, f"w{n}", until=10, now=0) for n in range(8)))
    assert got.count(True) == 1


async def test_old_leases_of_workers_are_forgotten_and_no_others(store: Store) -> None:
    for name in ("worker:old", "worker:new", "job"):
        await take(store, "a", until=20 if name == "worker:new" else 10, now=0, name=name)
    async with store.transaction() as tx:
        assert await drop_old_leases(tx, 15) == 1
    assert not await take(store, "b", until=30, now=5, name="job")


async def test_a_position_moves_only_from_where_it_stands(store: Store) -> None:
    async with store.transaction() as tx:
        assert await load_position(tx, "EVENTS", 0) == (0, "")
        assert await advance(tx, "EVENTS", 0, 0, 5, "e1")
        assert not await advance(tx, "EVENTS", 0, 0, 6, "e1")
        assert await advance(tx, "EVENTS", 0, 5, 9, "e1")
        assert await advance(tx, "EVENTS", 1, 0, 3, "e1")
        assert await load_position(tx, "EVENTS", 0) == (9, "e1")
        assert await load_position(tx, "EVENTS", 1) == (3, "e1")


async def test_a_new_stream_begins_at_nought_again(store: Store) -> None:
    async with store.transaction() as tx:
        assert await advance(tx, "EVENTS", 0, 0, 5, "e1")
        assert await advance(tx, "EVENTS", 0, 5, 0, "e2")
        assert await load_position(tx, "EVENTS", 0) == (0, "e2")
