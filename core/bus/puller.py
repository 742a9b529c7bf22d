"""Reading a stream in order, from a position that the reader keeps.

The reader's own position, written in the transaction that holds the effects, is the only truth;
the server keeps none for us. So the consumer is a throw-away thing, made again where the last
delivered message left off whenever the connection, the server or the order is lost.
"""

import asyncio
from collections import deque
from typing import Self

import structlog

from angarium.core.bus import api, subjects
from angarium.core.bus.errors import BusError, BusRefused, BusUnavailable, StreamReset
from angarium.core.bus.feed import Feed, Received
from angarium.core.bus.link import Link
from angarium.core.bus.session import Session
from angarium.core.bus.trim import trim

HEARTBEAT_SECONDS = 5.0
PAUSE_SECONDS = 0.2
TRIM_SECONDS = 1.0
BUFFER_BYTES = 32 * 2**20

log = structlog.get_logger()


class Puller:
    """An async context manager; `get` gives what has come, in the stream's order, without gaps."""

    def __init__(
        self,
        link: Link,
        stream: str,
        *,
        after: int,
        subject_filter: str | None = None,
        batch: int = 500,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._link = link
        self._stream = stream
        self._filter = subject_filter
        self._batch = batch
        self._heartbeat = heartbeat
        self._last = after
        self._epoch: str | None = None
        self._buffer: deque[Received] = deque()
        self._buffered_bytes = 0
        self._arrived = asyncio.Event()
        self._stirred = asyncio.Event()
        self._failure: BusError | None = None
        self._acked = 0
        self._to_trim = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._feed()), asyncio.create_task(self._trim())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._failure = self._failure or BusUnavailable("the puller was closed")
        self._arrived.set()

    async def get(self, most: int) -> list[Received]:
        """Wait for at least one message; return all that have come, up to `most`, oldest first.

        Never lingers to fill up, and loses nothing when cancelled. Outages only make it wait.
        Raises StreamReset, after everything that had come, when the stream is another one than
        before or ends before the position that was to be read from, and BusUnavailable when the
        bus or the puller has been closed.
        """
        while not self._buffer:
            if self._failure is not None:
                raise self._failure
            self._arrived.clear()
            await self._arrived.wait()
        take = self._buffer.popleft
        taken = [take() for _ in range(min(most, len(self._buffer)))]
        self._buffered_bytes -= sum(len(received.body) for received in taken)
        self._stirred.set()
        return taken

    async def ack(self, sequence: int) -> None:
        """Tell that everything up to `sequence` is dealt with and committed.

        Progress only: reading goes on from the reader's own position, never from here. What is
        acked may be dropped from the stream once that is more than half full.
        """
        self._acked = max(self._acked, sequence)
        self._to_trim.set()

    async def _feed(self) -> None:
        while self._failure is None:
            try:
                await self._feed_once()
            except StreamReset as error:
                self._failure = error
            except BusError as error:
                if self._link.closed:
                    self._failure = error
                    break
                log.warning("bus_feed_failed", stream=self._stream, reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
        self._arrived.set()

    async def _feed_once(self) -> None:
        session = await self._link.next_session()
        await self._check_stream(session)
        feed = Feed(
            session,
            self._stream,
            batch=self._batch,
            heartbeat=self._heartbeat,
            deliver=self._take_in,
            stir=self._stirred.set,
        )
        try:
            await feed.open(self._last + 1, self._filter)
            await self._keep_asking(feed)
        finally:
            await feed.close()
        log.info("bus_feed_ended", stream=self._stream, reason=feed.trouble)

    async def _keep_asking(self, feed: Feed) -> None:
        while feed.trouble is None:
            self._stirred.clear()
            while self._is_hungry(feed):
                await feed.ask()
            try:
                async with asyncio.timeout(2 * self._heartbeat):
                    await self._stirred.wait()
            except TimeoutError:
                if feed.wanted > 0 and not feed.heard:
                    log.warning("bus_feed_silent", stream=self._stream)
                    return
                feed.heard = False

    def _is_hungry(self, feed: Feed) -> bool:
        return (
            feed.trouble is None
            and feed.wanted <= self._batch
            and len(self._buffer) < 2 * self._batch
            and self._buffered_bytes < BUFFER_BYTES
        )

    def _take_in(self, received: Received) -> None:
        self._last = received.sequence
        self._buffer.append(received)
        self._buffered_bytes += len(received.body)
        self._arrived.set()

    async def _check_stream(self, session: Session) -> None:
        try:
            state = await api.stream_state(session, self._stream)
        except BusRefused as error:
            if error.code == api.STREAM_NOT_FOUND:
                raise StreamReset(f"the stream {self._stream} is gone") from error
            raise
        if self._epoch not in (None, state.epoch):
            raise StreamReset(f"the stream {self._stream} was made anew at {state.epoch}")
        if state.last_sequence < self._last:
            raise StreamReset(
                f"the stream {self._stream} ends at {state.last_sequence}, before the position "
                f"{self._last} that was reached in it: its store was restored or wiped"
            )
        if state.stored_as == subjects.stored_subject(self._stream, 1):
            self._filter = None  # of a single partition: everything is in it
        if self._filter is None and state.first_sequence > self._last + 1:
            lost = state.first_sequence - self._last - 1
            log.warning("bus_messages_gone_unread", stream=self._stream, count=lost)
        self._epoch = state.epoch

    async def _trim(self) -> None:
        while True:
            await self._to_trim.wait()
            self._to_trim.clear()
            try:
                await trim(self._link.session, self._stream, self._acked, self._filter)
            except BusError as error:
                log.debug("bus_trim_failed", stream=self._stream, reason=str(error))
            await asyncio.sleep(TRIM_SECONDS)
