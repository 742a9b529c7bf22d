"""How stand-ins for vendors that speak HTTP listen: on a free port of this machine."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def listening(
    app: web.Application, closing: Callable[[], None] = lambda: None
) -> AsyncGenerator[str, None]:
    """Give the URL without a path. `closing`: lets go of requests that get no answer."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        closing()
        await runner.cleanup()
