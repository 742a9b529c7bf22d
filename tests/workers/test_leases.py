"""Holding a lease, on both stores."""

import asyncio

from angarium.core.store.leases import list_leases, take_lease
from angarium.core.store.protocol import Store
from angarium.core.workers.leases import Lease
from tests.delivery.examples import NOW


def lease(store: Store, holder: str, now: int = NOW, length: int = 60) -> Lease:
    return Lease(store, "job", holder, length, lambda: now)


async def test_a_lease_is_held_in_the_block_and_free_after_it(store: Store) -> None:
    async with lease(store, "a"):
        assert not await lease(store, "b").take()
    assert await lease(store, "b").take()


async def test_whoever_waits_gets_it_when_the_other_ends(store: Store) -> None:
    async def hold(holder: str) -> str:
        async with lease(store, holder):
            return holder

    async with lease(store, "a"):
        waiting = asyncio.create_task(hold("b"))
        await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting == "b"


async def test_it_is_renewed_for_as_long_as_it_is_held(store: Store) -> None:
    clock = [NOW]
    mine = Lease(store, "job", "a", 60, lambda: clock[0])
    async with mine:
        clock[0] = NOW + 50
        taken = False
        while not taken:  # until a renewal has gone by: then it ends at NOW + 110
            await asyncio.sleep(0.01)
            taken = await _ends_after(store, NOW + 100)
        assert not mine.lost.is_set()


async def test_who_loses_it_is_told(store: Store) -> None:
    clock = [NOW]
    mine = Lease(store, "job", "a", 60, lambda: clock[0])
    async with mine:
        async with store.transaction() as tx:  # as if it had been paused for longer than the lease
            assert await take_lease(tx, "job", "b", NOW + 10_000, NOW + 60)
        clock[0] = NOW + 60
        await mine.lost.wait()


async def _ends_after(store: Store, at: int) -> bool:
    async with store.reading() as tx:
        return any(until > at for _, _, until in await list_leases(tx))
