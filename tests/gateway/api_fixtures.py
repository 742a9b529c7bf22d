"""The API on both stores in turn: `pytest_plugins = ["tests.gateway.api_fixtures"]`.

api         its broker is away
live_api    the same with a broker
"""

from collections.abc import AsyncIterator

import pytest

from angarium.config.settings import Settings
from angarium.core.bus.bus import Bus
from angarium.core.bus.link import Link
from angarium.core.bus.subjects import DECISIONS, FEEDBACK
from angarium.plugins.manager import Plugins, load_plugins
from tests.gateway.doors import Clock
from tests.gateway.seed import Api, open_api

NOWHERE = "nats://127.0.0.1:9"
"""The port of RFC 863: nothing listens there."""


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def plugins() -> Plugins:
    return load_plugins(())


@pytest.fixture
async def api(
    store_url: str, clock: Clock, settings: Settings, plugins: Plugins
) -> AsyncIterator[Api]:
    away = Bus(Link(NOWHERE, "test"))
    async with open_api(store_url, away, clock, settings, plugins) as api:
        yield api


@pytest.fixture
async def live_api(
    store_url: str, door_bus: Bus, clock: Clock, settings: Settings, plugins: Plugins
) -> AsyncIterator[Api]:
    async with open_api(store_url, door_bus, clock, settings, plugins) as api:
        for stream in (DECISIONS, FEEDBACK):
            api.after[stream] = (await door_bus.stream_state(stream)).last_sequence
        yield api
