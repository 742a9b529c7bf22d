"""Do a transaction again when others were in its way."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from angarium.core.store.errors import Contention
from angarium.core.store.protocol import Store, Transaction

T = TypeVar("T")

ATTEMPTS = 6
FIRST_SECONDS = 0.02
"""The longest wait before the second attempt; it doubles each time, to 0.3 s before the last."""


async def transact(
    store: Store,
    work: Callable[[Transaction], Awaitable[T]],
    *,
    attempts: int = ATTEMPTS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
) -> T:
    """Run `work` in a transaction, again after Contention, at most `attempts` times in all.

    `work` may run several times: it must change nothing but the database. The last Contention is
    raised as it is. `jitter` gives 0 … 1, the part of the wait to take (two rivals part ways).
    """
    for attempt in range(attempts - 1):
        try:
            async with store.transaction() as tx:
                return await work(tx)
        except Contention:
            await sleep(FIRST_SECONDS * 2**attempt * jitter())
    async with store.transaction() as tx:
        return await work(tx)
