"""Keep one or two connections to APNs open, and find a place on them for each request."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from hpack.struct import Header

from angarium.channels._apns_connection import Connection
from angarium.channels._http import Answer
from angarium.plugins import TemporaryFailure

Connect = Callable[[Callable[[], None]], Awaitable[Connection]]
"""Opens a connection, which calls what it is given whenever `free` has changed."""


class Pool:
    """At most `size` connections; another is opened when none has a place, by one task for all."""

    def __init__(self, connect: Connect, *, size: int, answer_seconds: float) -> None:
        self._connect = connect
        self._size = size
        self._answer_seconds = answer_seconds
        self._connections: list[Connection] = []
        self._opening: asyncio.Task[None] | None = None
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._closed = False

    async def exchange(self, headers: Sequence[Header], body: bytes) -> Answer:
        """As Connection.exchange; waits for a place first."""
        try:
            connection = await self._find()
        except asyncio.CancelledError:
            raise TemporaryFailure("push_apns: cut off before the message was sent") from None
        return await connection.exchange(headers, body, seconds=self._answer_seconds)

    async def close(self) -> None:
        """Hang up. What is asked afterwards fails as not sent."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        for connection in list(self._connections):
            await connection.close()
        self._wake()

    async def _find(self) -> Connection:
        while not self._closed:
            best = max(self._connections, key=lambda one: one.free, default=None)
            if best is not None and best.free:
                return best
            if sum(one.usable for one in self._connections) < self._size:
                await self._open()
            else:
                await self._wait()
        raise TemporaryFailure("push_apns: is closed")

    async def _open(self) -> None:
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._add())
            self._opening.add_done_callback(self._settle)
        try:
            await asyncio.shield(self._opening)
        except TemporaryFailure as failure:  # shared by all who wait: each raises its own
            raise TemporaryFailure(
                failure.reason, failure.retry_after, pause=failure.pause
            ) from None

    async def _add(self) -> None:
        connection = await self._connect(self._wake)
        self._connections = [one for one in self._connections if not one.closed.is_set()]
        self._connections.append(connection)

    def _settle(self, task: asyncio.Task[None]) -> None:
        self._opening = None
        if not task.cancelled():
            task.exception()  # those who waited have it; if nobody does any more, so be it

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._wake()  # the place that was meant for this one
            raise

    def _wake(self) -> None:
        """Let as many look again as there are places; all, if a connection must be opened."""
        places = sum(one.free for one in self._connections)
        wanted = sum(one.usable for one in self._connections) < self._size
        while self._waiters and (wanted or self._closed or places > 0):
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                places -= 1
