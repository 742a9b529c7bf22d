"""Sinks of the benchmarks, in the process of a test."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def listening(
    open_sink: Callable[[Path], Awaitable[asyncio.Server]], folder: Path
) -> AsyncGenerator[int]:
    """Gives the port. All clients must have hung up by the end: it is waited for."""
    server = await open_sink(folder)
    # Asked before close(), or Python 3.11 does not wait for connections.
    closed = asyncio.create_task(server.wait_closed())
    await asyncio.sleep(0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await closed
