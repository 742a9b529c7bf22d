"""Fixtures for workers: see offices.py."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.store.protocol import Store
from tests.workers.offices import Office


@pytest.fixture
async def office(store: Store, bus: Bus) -> AsyncIterator[Office]:
    office = Office(store, bus)
    publishing = asyncio.create_task(office.publisher.run())
    yield office
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)


@pytest.fixture
async def shop(office: Office) -> Office:
    """An office with a campaign and somebody to send it to."""
    await office.campaign()
    await office.person()
    return office
