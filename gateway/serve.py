"""Listen, serve, stop in order: take nothing new, finish what was taken, let go of the parts."""

import asyncio
import contextlib
import math
import socket
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Final

import structlog
import uvicorn
from litestar.types import ASGIApp

from angarium.config.settings import Http, Settings
from angarium.gateway.bootstrap import build_gateway
from angarium.gateway.http_guard import GuardedProtocol
from angarium.gateway.process import settle_rubbish

log = structlog.get_logger()

BACKLOG: Final = 2048
"""Connections waiting to be accepted: simple clients open one for each event of a burst."""
IDLE_SECONDS: Final = 30
"""How long a connection without a request is kept; browsers and SDKs come again within this."""


async def serve(settings: Settings) -> None:
    """Serve the doors until cancelled; then finish requests that have begun, at most
    `http.drain_seconds` long. A second cancelling hastens. Raises OSError when the port is taken.
    """
    with contextlib.closing(listen(settings.http.host, settings.http.port)) as listener:
        host, port = listener.getsockname()[:2]
        async with build_gateway(settings) as gateway:
            settle_rubbish()
            ready = partial(log.info, "listening", host=host, port=port)
            await run_server(
                gateway.app, listener, settings.http, ready=ready, stopping=gateway.end_streams
            )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port`, 0: a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


async def run_server(
    app: ASGIApp,
    listener: socket.socket,
    http: Http,
    *,
    ready: Callable[[], None],
    stopping: Callable[[], None] | None = None,
) -> None:
    """Serve `app` until cancelled, then end in order.

    `ready` is called once it answers; `stopping` before it waits for answers that have begun.
    """
    server = _Server(_config(app, http), ready)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        if stopping is not None:
            stopping()
        server.should_exit = True
        await serving
        raise


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # Signals belong to the process (gateway/process.py), which cancels us.
        yield


def _config(app: Any, http: Http) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=GuardedProtocol,
        ws="none",
        loop="none",
        lifespan="on",
        backlog=BACKLOG,
        access_log=False,
        log_config=None,
        log_level="error",  # each line of nonsense that a stranger sends would be a warning
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=math.ceil(http.drain_seconds),
        proxy_headers=bool(http.trusted_proxies),
        forwarded_allow_ips=list(http.trusted_proxies),
    )
