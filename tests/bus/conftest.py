"""Fixtures for the bus: see tests/parts/nats.py."""

from collections.abc import AsyncIterator

import pytest

from angarium.core.bus.link import Link
from tests.parts.nats import NatsServer, bus, connect, nats_server

__all__ = ["bus", "connect", "link", "nats_server"]


@pytest.fixture
async def link(nats_server: NatsServer) -> AsyncIterator[Link]:
    link = Link(nats_server.url, "test")
    await link.open(5)
    yield link
    await link.close()
