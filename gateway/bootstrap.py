"""The one place that puts the parts of the doors together."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, partial
from typing import Final, NamedTuple

from litestar.types import ASGIApp

from angarium.config.settings import Keys, Settings
from angarium.core.bus.bus import Bus
from angarium.core.delivery.links import Links
from angarium.core.store.keys import Kind, load_link_secret, save_key
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.workers.clock import Now, now
from angarium.gateway.admin import ADMIN_HANDLERS
from angarium.gateway.app import create_app
from angarium.gateway.isolation.callbacks import close_readers
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.keyring import Keyring
from angarium.gateway.live import end_streams
from angarium.gateway.metrics import Metrics
from angarium.gateway.parts import AllParts
from angarium.gateway.paths import keep_segments
from angarium.gateway.public import PUBLIC_HANDLERS

WORKSPACE: Final = "default"


class Gateway(NamedTuple):
    """The application, and what ends the answers that would never end by themselves."""

    app: ASGIApp
    end_streams: Callable[[], None]


@asynccontextmanager
async def build_gateway(settings: Settings, clock: Now = now) -> AsyncGenerator[Gateway]:
    """The application with every route, its store migrated and its streams made.

    Afterwards bus and store are closed. Raises StoreError, BusError, SettingsInvalid.
    """
    async with AsyncExitStack() as stack:
        parts = await _open(settings, clock, stack)
        app = create_app(parts, (*ADMIN_HANDLERS, *PUBLIC_HANDLERS))
        yield Gateway(keep_segments(app), partial(end_streams, app))


async def _open(settings: Settings, clock: Now, stack: AsyncExitStack) -> AllParts:
    store = await open_store(settings.database.url)
    stack.push_async_callback(store.close)
    await store.migrate()
    await _save_given_keys(store, settings.keys, clock())
    async with store.reading() as tx:
        secret = await load_link_secret(tx)
    bus = await Bus.connect(settings.nats.url, name="angarium gateway")
    stack.push_async_callback(bus.close)
    await bus.ensure_streams(
        partitions=settings.nats.partitions,
        max_bytes=settings.nats.max_bytes,
        replicas=settings.nats.replicas,
    )
    keyring = Keyring(store, clock)
    stack.push_async_callback(keyring.close)
    parts = AllParts(
        store=store,
        bus=bus,
        settings=settings,
        plugins=load_isolated(settings.plugins, sections=settings.channels),
        now=clock,
        keyring=keyring,
        links=Links(secret, settings.http.public_url),
        metrics=Metrics(),
        workspace=WORKSPACE,
        load_all=cache(partial(load_isolated, settings.plugins)),
    )
    stack.push_async_callback(close_readers, parts.callbacks)
    return parts


async def _save_given_keys(store: Store, keys: Keys, at: int) -> None:
    """Those of the settings (ANGARIUM_ADMIN_KEY, ANGARIUM_WRITE_KEY) are in force at once."""
    given: dict[Kind, str] = {"admin": keys.admin, "write": keys.write}

    async def work(tx: Transaction) -> None:
        for kind, text in given.items():
            if text:
                await save_key(tx, WORKSPACE, kind, text, name="from the settings", now=at)

    await transact(store, work)
