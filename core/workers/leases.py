"""Holding a lease for as long as a worker works."""

import asyncio
from typing import Self

import structlog

from angarium.core.store.errors import Contention, StoreUnavailable
from angarium.core.store.leases import drop_lease, take_lease
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.workers.clock import Now

log = structlog.get_logger()

POLL_SECONDS = 0.5


class Lease:
    """An async context manager: waits until the lease is ours, then renews it until the end.

    It is renewed every third of its length. When it could not be, `lost` is set: what depends on
    holding it alone must stop. What is done under it stays safe by fences of its own.
    """

    def __init__(self, store: Store, name: str, holder: str, length: int, now: Now) -> None:
        """`length` in ms. `holder` is unique to this run of this process."""
        self.name = name
        self.lost = asyncio.Event()
        self._store = store
        self._holder = holder
        self._length = length
        self._now = now
        self._until = 0
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        while not await self.take():  # noqa: ASYNC110 - what it waits for is in the database
            await asyncio.sleep(POLL_SECONDS)
        self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        await self.drop()

    async def take(self) -> bool:
        """Take or lengthen it now; False: another holds it, or the store is away."""
        now = self._now()
        until = now + self._length

        async def work(tx: Transaction) -> bool:
            return await take_lease(tx, self.name, self._holder, until, now)

        try:
            taken = await transact(self._store, work)
        except (StoreUnavailable, Contention) as error:
            log.warning("lease_not_renewed", lease=self.name, reason=str(error))
            return False
        if taken:
            self._until = until
        return taken

    async def drop(self) -> None:
        """Give it back, so that another need not wait for its end."""

        async def work(tx: Transaction) -> bool:
            return await drop_lease(tx, self.name, self._holder)

        try:
            await transact(self._store, work)
        except (StoreUnavailable, Contention) as error:
            log.warning("lease_not_dropped", lease=self.name, reason=str(error))

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._length / 3000)
            if not await self.take() and self._now() >= self._until:
                self.lost.set()
