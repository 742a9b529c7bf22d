"""Hearing wake-ups: plain NATS messages that no stream keeps."""

import asyncio
from collections import deque
from typing import Self

from angarium.core.bus.errors import BusError
from angarium.core.bus.library import Msg
from angarium.core.bus.link import Link

FLUSH_SECONDS = 5.0
MOST_WAITING = 1000
"""How many wake-ups wait for a slow listener; older ones are dropped, a later one says the same."""


class Listener:
    """An async context manager and async iterator over the bodies of wake-ups.

    After a lost connection it listens again by itself; what was sent meanwhile is lost, as a
    wake-up may be. Waiting for the next one may be cancelled without harm. The iteration ends
    when the bus is closed.
    """

    def __init__(self, link: Link, subject: str, queue: str) -> None:
        self._link = link
        self._subject = subject
        self._queue = queue
        self._bodies: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._arrived = asyncio.Event()
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen())
        waiting = asyncio.ensure_future(self._listening.wait())
        await asyncio.wait((waiting, self._task), return_when="FIRST_COMPLETED")
        waiting.cancel()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._bodies:
            if self._link.closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._bodies.popleft()

    async def _listen(self) -> None:
        try:
            await self._keep_listening()
        finally:
            self._arrived.set()

    async def _keep_listening(self) -> None:
        while not self._link.closed:
            try:
                session = await self._link.next_session()
                subscription = await session.subscribe(self._subject, self._on_msg, self._queue)
            except BusError:
                continue
            try:
                await session.flush(FLUSH_SECONDS)
                self._listening.set()
                await asyncio.shield(session.lost)
            except BusError:
                continue
            finally:
                await session.unsubscribe(subscription)

    async def _on_msg(self, msg: Msg) -> None:
        self._bodies.append(msg.data)
        self._arrived.set()
