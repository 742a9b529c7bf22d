"""Once a second: take back what dead workers held, skip what nobody serves, publish leftovers."""

import asyncio
from typing import Any

import structlog

from angarium.config.limits import HELD_DEATHS_DAYS
from angarium.core.store.changes import Changes
from angarium.core.store.errors import Contention, StoreUnavailable
from angarium.core.store.idempotency import forget_old
from angarium.core.store.leases import drop_old_leases
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.sweeps import find_expired, sweep_expired, sweep_orphans
from angarium.core.store.tolls import forget_held_deaths
from angarium.core.workers.clock import Now
from angarium.core.workers.crash import crash_point
from angarium.core.workers.heard import forget_heard
from angarium.core.workers.old_addresses import BEGINNING, forget_left_addresses
from angarium.core.workers.outbox import Publisher

log: Any = structlog.get_logger()

EVERY_SECONDS = 1.0
ROWS_AT_ONCE = 500
UNSERVED_EVERY = 30
"""Rounds between two looks for rows that nobody claims: those are rare, and slow to find."""
UNSERVED_AFTER = 60_000
"""Milliseconds past due and expired after which a row counts as served by nobody."""
HELD_DEATHS_KEPT = HELD_DEATHS_DAYS * 86_400_000
LEASES_KEPT = 3_600_000
"""Milliseconds for which a dead worker's lease stays, for whoever looks what happened."""


class Sweeper:
    """Any number of processes may run one: rows are locked, and a second one finds nothing."""

    def __init__(self, store: Store, publisher: Publisher, now: Now) -> None:
        self._store = store
        self._publisher = publisher
        self._now = now
        self._address = BEGINNING

    async def run(self) -> None:
        """Sweep until cancelled."""
        round_ = 0
        while True:
            try:
                await self.sweep(unserved=round_ % UNSERVED_EVERY == 0)
            except (Contention, StoreUnavailable) as error:
                log.warning("sweep_failed", reason=str(error))
            round_ += 1
            await asyncio.sleep(EVERY_SECONDS)

    async def sweep(self, *, unserved: bool = True) -> int:
        """Once; how many rows were moved. `unserved`: look for those that nobody claims, too."""
        moved = await self._orphans()
        if unserved:
            moved += await self._unserved()
            await self._left_addresses()
        await self._publisher.sweep()
        return moved

    async def _orphans(self) -> int:
        total = 0
        while moved := await self._publisher.commit(self._sweep_orphans):
            crash_point("sweep.orphans")
            log.info("deliveries_swept", count=moved)
            total += moved
        return total

    async def _sweep_orphans(self, tx: Transaction, changes: Changes) -> int:
        return await sweep_orphans(tx, ROWS_AT_ONCE, changes, self._now())

    async def _unserved(self) -> int:
        before = self._now() - UNSERVED_AFTER
        async with self._store.reading() as tx:
            keys = await find_expired(tx, before, ROWS_AT_ONCE)

        async def work(tx: Transaction, changes: Changes) -> int:
            now = self._now()
            await drop_old_leases(tx, now - LEASES_KEPT)
            await forget_old(tx, now)
            await forget_heard(tx, now)
            await forget_held_deaths(tx, now - HELD_DEATHS_KEPT)
            return await sweep_expired(tx, keys, before, changes, now)

        return await self._publisher.commit(work)

    async def _left_addresses(self) -> None:
        async def work(tx: Transaction, changes: Changes) -> tuple[tuple[str, str], int]:
            return await forget_left_addresses(tx, self._address, self._now())

        self._address, count = await self._publisher.commit(work)
        if count:
            log.info("left_addresses_forgotten", count=count)
