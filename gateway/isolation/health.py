"""Tells the store how the plugins of this process fare, for `plugins list` and GET /v1/plugins."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog

from angarium.core.store.errors import StoreError
from angarium.core.store.plugins import PluginHealth, forget_health, save_health
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.workers.clock import Now
from angarium.gateway.isolation.keeper import Keeper
from angarium.gateway.isolation.listener import IsolatedListener
from angarium.gateway.isolation.provider import IsolatedProvider

log: Any = structlog.get_logger()

AGAIN_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.5
"""Between two writings, however often a plugin's state changes."""
HEARD: Final = 3 * 60_000
"""Milliseconds for which what a process told is believed."""
KEPT: Final = 24 * 3_600_000


def keepers_of(parts: Iterable[object]) -> list[Keeper]:
    """The keepers behind providers and listeners, each once."""
    keepers = [one.keeper for one in parts if isinstance(one, IsolatedProvider | IsolatedListener)]
    return list({id(keeper): keeper for keeper in keepers}.values())


@asynccontextmanager
async def telling(
    store: Store, process: str, keepers: Iterable[Keeper], now: Now
) -> AsyncGenerator[None]:
    """Tell of these plugins while the block lasts; at its end, end their processes."""
    watched = list(keepers)
    if not watched:
        yield
        return
    teller = _Teller(store, process, watched, now)
    task = asyncio.create_task(teller.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.gather(*(keeper.close() for keeper in watched))
        await teller.forget()


class _Teller:
    def __init__(self, store: Store, process: str, keepers: list[Keeper], now: Now) -> None:
        self._store = store
        self._process = process
        self._keepers = keepers
        self._now = now
        self._changed = asyncio.Event()
        for keeper in keepers:
            keeper.changed = self._changed.set

    async def run(self) -> None:
        """At every change, and every minute, until cancelled."""
        await self._write(self._tidy)
        while True:
            self._changed.clear()
            await self._write(self._save)
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def forget(self) -> None:
        """This process runs them no more."""
        await self._write(lambda tx: forget_health(tx, 0, self._told()))

    async def _save(self, tx: Transaction) -> None:
        for health in self._told():
            await save_health(tx, health)

    async def _tidy(self, tx: Transaction) -> None:
        await forget_health(tx, self._now() - KEPT)

    async def _write(self, work: Callable[[Transaction], Awaitable[object]]) -> None:
        try:
            await transact(self._store, work)
        except StoreError as error:
            log.warning("plugin_health_not_told", reason=str(error))

    def _told(self) -> list[PluginHealth]:
        return [
            PluginHealth(
                plugin=keeper.plugin,
                serves=keeper.serves,
                process=self._process,
                host=socket.gethostname(),
                pid=os.getpid(),
                state=keeper.state,
                failures=keeper.conduct.count,
                last=keeper.conduct.last,
                at=self._now(),
            )
            for keeper in self._keepers
        ]
