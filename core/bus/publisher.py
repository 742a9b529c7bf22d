"""Publishing: durable when it returns, and many at once for the price of one.

While some messages are on their way the next ones gather. Those that join go as one message. A few
others go as plain messages, for each of which the server syncs its disk; many go together as one
atomic batch, for which it does so once.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from angarium.core.bus import wire
from angarium.core.bus.errors import (
    BatchSpoilt,
    BusError,
    BusFull,
    BusRefused,
    BusUnavailable,
    MessageTooLarge,
)
from angarium.core.bus.link import Link
from angarium.core.bus.streams import MAX_MESSAGE_BYTES, MOST_MESSAGES
from angarium.core.bus.subjects import stream_of
from angarium.core.bus.wire import Outgoing

FEW = 16
"""Up to so many single messages go at once but each for itself: a batch costs the server three
new files, which is as much as the syncs of twenty messages."""

JOINED_BYTES = 2**19
"""Up to so many bytes are joined: some thousand events, as many as one transaction takes."""

MOST_BYTES = 16 * 2**20
MOST_WAITING_BYTES = 64 * 2**20
MESSAGE_OVERHEAD = 1024
"""Room for subject and headers, in bytes, that is counted for each message."""


_ONE_FOR_ALL = (BusRefused, MessageTooLarge, BatchSpoilt)
"""Errors by which one message spoils a batch for all the others."""


class _Group:
    """Messages that one caller wants stored together."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.messages = messages
        self.size = sum(len(message.body) + MESSAGE_OVERHEAD for message in messages)
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(self, error: BusError | None) -> None:
        if self.outcome.done():
            return
        if error is None:
            self.outcome.set_result(None)
        else:
            self.outcome.set_exception(error)


class Publisher:
    """Gathers what is published at the same time, stream by stream."""

    def __init__(self, link: Link, *, most_waiting_bytes: int = MOST_WAITING_BYTES) -> None:
        self._link = link
        self._room = most_waiting_bytes
        self.stream_limit = MAX_MESSAGE_BYTES
        self._waiting_bytes = 0
        self._waiting: dict[str, deque[_Group]] = {}
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    @property
    def largest(self) -> int:
        """The largest body, in bytes, that can be published now."""
        return min(self._link.session.largest, self.stream_limit) - MESSAGE_OVERHEAD

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Store messages of one stream together: all of them when it returns, none when it raises
        BusFull, MessageTooLarge or BusRefused; with BusUnavailable nobody knows.

        A caller that is cancelled while it waits takes its messages back unless they were on
        their way already.
        """
        streams = {*map(stream_of, {message.subject for message in messages})}
        if len(streams) != 1 or len(messages) > MOST_MESSAGES:
            raise ValueError(f"publish 1 to {MOST_MESSAGES} messages of one stream at a time")
        if max(len(message.body) for message in messages) > self.largest:
            raise MessageTooLarge(f"a message has at most {self.largest} bytes")
        await self._wait_for(streams.pop(), _Group(messages))

    async def close(self) -> None:
        """Take no more, and give what is on its way the time for an answer."""
        self._closed = True
        if self._senders:
            await asyncio.wait(self._senders.values(), timeout=wire.STORE_SECONDS)

    async def _wait_for(self, stream: str, group: _Group) -> None:
        if self._closed:
            raise BusUnavailable("the bus is being closed")
        if self._waiting_bytes and self._waiting_bytes + group.size > self._room:
            raise BusFull("too much is waiting to be published; slow down")
        self._waiting_bytes += group.size
        try:
            self._waiting.setdefault(stream, deque()).append(group)
            if stream not in self._senders:
                self._senders[stream] = asyncio.create_task(self._send_all(stream))
            await group.outcome
        finally:
            self._waiting_bytes -= group.size

    async def _send_all(self, stream: str) -> None:
        waiting = self._waiting[stream]
        groups: list[_Group] = []
        try:
            while waiting:
                groups = _next_batch(waiting)
                if len(groups) <= FEW and all(map(_is_single, groups)):
                    await asyncio.gather(*(self._send([group]) for group in groups))
                else:
                    await self._send(groups)
        finally:
            # Nobody may wait for ever, whatever ended this.
            for group in (*groups, *waiting):
                group.settle(BusUnavailable("the publisher stopped"))
            waiting.clear()
            del self._senders[stream]

    async def _send(self, groups: list[_Group]) -> BusError | None:
        """Send groups in one go and settle them; the error of one alone is returned as well."""
        messages = [message for group in groups for message in group.messages]
        error = await self._outcome(wire.join(messages, JOINED_BYTES))
        if isinstance(error, _ONE_FOR_ALL) and len(groups) > 1:
            await self._send_apart(groups)
            return None
        if wire.is_duplicate(error):
            error = await self._one_by_one(groups[0].messages)
        for group in groups:
            group.settle(error)
        return error

    async def _send_apart(self, groups: list[_Group]) -> None:
        """Each group for itself, until the server answers no more."""
        for number, group in enumerate(groups):
            error = await self._send([group])
            if isinstance(error, BusUnavailable) and not isinstance(error, BatchSpoilt):
                for rest in groups[number:]:
                    rest.settle(error)
                return

    async def _one_by_one(self, messages: Sequence[Outgoing]) -> BusError | None:
        for message in messages:
            error = await self._outcome([message])
            if error is not None:
                return error
        return None

    async def _outcome(self, messages: Sequence[Outgoing]) -> BusError | None:
        try:
            await wire.store(self._link.session, messages)
        except BusError as error:
            return error
        return None


def _is_single(group: _Group) -> bool:
    """Whether it gains nothing by going together with others, if they are few."""
    return len(group.messages) == 1 and not group.messages[0].joins


def _next_batch(waiting: deque[_Group]) -> list[_Group]:
    """Take whole groups while they fit; those whose caller has gone are dropped."""
    taken: list[_Group] = []
    count = size = 0
    while waiting:
        group = waiting[0]
        count += len(group.messages)
        size += group.size
        if taken and (count > MOST_MESSAGES or size > MOST_BYTES):
            break
        waiting.popleft()
        if not group.outcome.done():
            taken.append(group)
    return taken
