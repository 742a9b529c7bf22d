"""A real nats-server for a test, and a bus on it: `pytest_plugins = ["tests.parts.nats"]`.

nats_server     a running server with an empty store of its own
bus             a connected bus on it, with all streams made (4 partitions)
connect         makes further buses on the same server, as other processes have them
"""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.bus.embedded import EmbeddedServer

PARTITIONS = 4


class NatsServer:
    """A server that a test may kill and start again on the same port and store."""

    def __init__(self, folder: Path) -> None:
        self.embedded = EmbeddedServer(folder)

    @property
    def url(self) -> str:
        return self.embedded.url

    async def start(self) -> None:
        await self.embedded.start()

    async def kill(self) -> None:
        """Kill -9; returns when the process is gone."""
        if self.embedded.pid is not None:
            os.kill(self.embedded.pid, signal.SIGKILL)
            await self.embedded.stop()

    async def restart(self) -> None:
        """Kill -9 and start again."""
        await self.kill()
        await self.start()


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path / "broker")
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
async def connect(nats_server: NatsServer) -> AsyncIterator[Callable[[], Awaitable[Bus]]]:
    async with AsyncExitStack() as buses:

        async def connect() -> Bus:
            bus = await Bus.connect(nats_server.url, name="test")
            buses.push_async_callback(bus.close)
            return bus

        yield connect


@pytest.fixture
async def bus(connect: Callable[[], Awaitable[Bus]]) -> Bus:
    bus = await connect()
    await bus.ensure_streams(partitions=PARTITIONS)
    return bus
