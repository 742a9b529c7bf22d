"""Fixtures for workers: see tests/parts/nats.py and offices.py."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.store.protocol import Store
from tests.parts.nats import bus, connect, nats_server
from tests.workers.offices import Office

__all__ = ["bus", "connect", "nats_server", "office"]


@pytest.fixture
async def office(store: Store, bus: Bus) -> AsyncIterator[Office]:
    office = Office(store, bus)
    publishing = asyncio.create_task(office.publisher.run())
    yield office
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)
