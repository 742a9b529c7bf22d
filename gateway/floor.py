"""What the core's and the channels' workers stand on: store, bus, plugins, and the outbox."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import msgspec
import structlog

from angarium.config.settings import Settings
from angarium.core.bus.bus import Bus
from angarium.core.store.keys import load_link_secret
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from angarium.core.workers.clock import now
from angarium.core.workers.outbox import Publisher
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.process import settle_rubbish
from angarium.plugins.manager import Plugins

log: Any = structlog.get_logger()

SHARDS: Final = 16
"""Shares of the counters, so that processes do not queue on one row."""


class Floor(msgspec.Struct, frozen=True):
    """What every worker stands on."""

    settings: Settings
    store: Store
    bus: Bus
    publisher: Publisher
    plugins: Plugins
    secret: bytes
    shard: int


@asynccontextmanager
async def floor_of(settings: Settings, name: str) -> AsyncGenerator[Floor]:
    async with AsyncExitStack() as stack:
        store = await open_store(settings.database.url)
        stack.push_async_callback(store.close)
        await store.migrate()
        async with store.reading() as tx:
            secret = await load_link_secret(tx)
        bus = await Bus.connect(settings.nats.url, name=f"angarium {name}")
        stack.push_async_callback(bus.close)
        await ensure_streams(bus, settings)
        shard = os.getpid() % SHARDS
        publisher = Publisher(store, bus, now, shard)
        publishing = asyncio.create_task(publisher.run())
        stack.push_async_callback(_settle, publisher, publishing, settings.core.drain_seconds)
        plugins = load_isolated(settings.plugins, sections=settings.channels)
        floor = Floor(settings, store, bus, publisher, plugins, secret, shard)
        settle_rubbish()
        yield floor


async def ensure_streams(bus: Bus, settings: Settings) -> None:
    nats = settings.nats
    await bus.ensure_streams(
        partitions=nats.partitions, max_bytes=nats.max_bytes, replicas=nats.replicas
    )


async def _settle(publisher: Publisher, publishing: asyncio.Task[None], seconds: float) -> None:
    """Say what was committed; what cannot be said in time, the next process says."""
    try:
        async with asyncio.timeout(seconds):
            await publisher.settle()
    except TimeoutError:
        log.warning("outbox_left", seconds=seconds)
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)
