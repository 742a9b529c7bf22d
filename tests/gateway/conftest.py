"""Fixtures of the doors.

door        an HTTP server on a free port, with a store, a broker and keys; all tests share it
open_door   opens one for a single test, with other settings, another bus or further handlers
clock       what the doors take for the time; a test may set it
"""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from litestar.types import ControllerRouterHandler

from angarium.config.settings import Settings
from angarium.core.bus.bus import Bus
from angarium.core.bus.embedded import EmbeddedServer
from angarium.core.bus.subjects import EVENTS
from angarium.core.store.open import open_store
from angarium.core.store.open import sqlite_url as url_of
from tests.gateway.doors import NOON, Clock, Door, run_door

OpenDoor = Callable[..., Awaitable[Door]]


@pytest.fixture(scope="session")
def one_clock() -> Clock:
    return Clock()


@pytest.fixture
def clock(one_clock: Clock) -> Clock:
    one_clock.at = NOON
    return one_clock


@pytest.fixture(scope="session")
async def door_bus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bus]:
    server = EmbeddedServer(tmp_path_factory.mktemp("broker"))
    bus = await Bus.connect(await server.start(), name="test")
    await bus.ensure_streams(partitions=1)
    yield bus
    await bus.close()
    await server.stop()


@pytest.fixture(scope="session")
async def one_door(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, door_bus: Bus, one_clock: Clock
) -> AsyncIterator[Door]:
    path = tmp_path_factory.mktemp("door") / "angarium.db"
    shutil.copy(sqlite_template, path)
    store = await open_store(url_of(path))
    async with run_door(Settings(), door_bus, store, one_clock) as door:
        yield door
    await store.close()


@pytest.fixture
async def door(one_door: Door, clock: Clock) -> Door:
    one_door.after = (await one_door.parts.bus.stream_state(EVENTS)).last_sequence
    return one_door


@pytest.fixture
async def open_door(sqlite_url: str, door_bus: Bus, clock: Clock) -> AsyncIterator[OpenDoor]:
    async with AsyncExitStack() as stack:

        async def open_door(
            settings: Settings | None = None,
            *,
            bus: Bus | None = None,
            handlers: Sequence[ControllerRouterHandler] = (),
        ) -> Door:
            store = await open_store(sqlite_url)
            stack.push_async_callback(store.close)
            running = run_door(settings or Settings(), bus or door_bus, store, clock, handlers)
            return await stack.enter_async_context(running)

        yield open_door
