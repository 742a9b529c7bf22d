"""Fixtures for workers: see offices.py."""

from collections.abc import AsyncIterator

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.store.protocol import Store
from tests.workers.offices import Office, open_office


@pytest.fixture
async def office(store: Store, bus: Bus) -> AsyncIterator[Office]:
    async with open_office(store, bus) as office:
        yield office


@pytest.fixture
async def shop(office: Office) -> Office:
    """An office with a campaign and somebody to send it to."""
    await office.campaign()
    await office.person()
    return office
