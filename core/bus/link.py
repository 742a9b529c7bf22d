"""One lasting link to NATS, made of connections that come and go.

A lost connection is never repaired: it is thrown away and a fresh one made. So nothing that was
half sent on the old one is played again on the new one, no error of the server closes the link
for good, and whoever holds a subscription makes it anew on the next session.
"""

import asyncio

import structlog

from angarium.core.bus.errors import BusUnavailable
from angarium.core.bus.session import DirectClient, Session

CONNECT_SECONDS = 3.0
PING_SECONDS = 10
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
WATCH_SECONDS = 0.5

log = structlog.get_logger()


class Link:
    """Keeps a session open for as long as it lives."""

    def __init__(self, url: str, name: str) -> None:
        self._servers = [part.strip() for part in url.split(",") if part.strip()]
        self._name = name
        self._session: Session | None = None
        self._changed = asyncio.Condition()
        self._closing = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def open(self, limit: float) -> None:
        """Connect; raises BusUnavailable if that does not succeed within `limit` seconds."""
        self._keeper = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(limit):
                await self.next_session()
        except TimeoutError:
            await self.close()
            raise BusUnavailable(
                f"no connection to NATS within {limit:g} s; is nats.url right, and its token?"
            ) from None

    @property
    def connected(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._session is not None and not self._session.lost.done()

    @property
    def closed(self) -> bool:
        """Whether the link was closed on purpose."""
        return self._closing.is_set()

    @property
    def session(self) -> Session:
        """The session of this moment; raises BusUnavailable if there is none."""
        if self._session is None or self._session.lost.done():
            raise BusUnavailable("there is no connection to NATS at the moment")
        return self._session

    async def next_session(self) -> Session:
        """The session of this moment, or the next one as soon as there is one."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.connected or self.closed)
        return self.session

    async def close(self) -> None:
        """End the link; everything that waits on it is told."""
        self._closing.set()
        if self._keeper is not None:
            await self._keeper
        async with self._changed:
            self._changed.notify_all()

    async def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._closing.is_set():
            session = await self._connect()
            if session is None:
                await self._rest(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            pause = FIRST_PAUSE_SECONDS
            await self._hold(session)

    async def _hold(self, session: Session) -> None:
        async with self._changed:
            self._session = session
            self._changed.notify_all()
        closing = asyncio.ensure_future(self._closing.wait())
        # The client does not tell of every end, hence the look at it every half second.
        while not (session.lost.done() or session.closed or self._closing.is_set()):
            await asyncio.wait(
                (session.lost, closing), timeout=WATCH_SECONDS, return_when="FIRST_COMPLETED"
            )
        closing.cancel()
        if not self._closing.is_set():
            log.warning("bus_connection_lost")
        session.end()
        await session.close()

    async def _connect(self) -> Session | None:
        client = DirectClient()
        session = Session(client)

        async def on_error(error: Exception) -> None:
            log.debug("bus_connection_error", error=type(error).__name__)

        async def on_end() -> None:
            session.end()

        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect(
                    servers=self._servers,
                    name=self._name,
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=2,
                    ping_interval=PING_SECONDS,
                    flush_timeout=CONNECT_SECONDS,
                    error_cb=on_error,
                    disconnected_cb=on_end,
                    closed_cb=on_end,
                )
        except Exception as error:  # of many kinds; the next attempt follows whatever it was
            log.debug("bus_connect_failed", error=type(error).__name__)
            await session.close()
            return None
        return session

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return
