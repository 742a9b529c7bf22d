"""What is said and heard on an SMTP connection once aiosmtplib has made it.

aiosmtplib takes one command at a time, and drops what a server says to several at once (RFC 2920).
So the transport that it has opened, secured and logged in on is read here.
"""

import asyncio
import re
from collections import deque
from typing import Final

import msgspec

MOST_BYTES: Final = 32 * 1024
"""Of a reply: no greeting comes near it."""
UNREADABLE: Final = -1

_LINE: Final = re.compile(rb"([1-9]\d\d)(?:([ -])(.*))?\r?", re.DOTALL)


class Reply(msgspec.Struct, frozen=True):
    """A server's word; of several lines, the texts of all. code: UNREADABLE for what is none."""

    code: int
    text: str


class Line(asyncio.Protocol):
    """Takes a transport over. A server that speaks unasked, "421 too slow" say, is left."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._unread = bytearray()
        self._texts: list[bytes] = []
        self._taken = 0
        self._outstanding = 0
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._full = False
        transport.set_write_buffer_limits(high=1, low=0)
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    def write(self, data: bytes, *, replies: int = 0) -> None:
        """`replies`: how many answers it asks for. Raises OSError where nothing can leave."""
        if not self.is_open:
            raise ConnectionResetError
        self._outstanding += replies
        self._transport.write(data)

    async def drain(self, seconds: float) -> None:
        """Return when all has left. Raises OSError; so do the time limits here."""
        while self._full and self.is_open:
            await self._wait(seconds)
        if not self.is_open:
            raise ConnectionResetError

    async def reply(self, seconds: float) -> Reply:
        """The next answer. Raises OSError: there is none."""
        while not self._replies:
            if not self.is_open:
                raise ConnectionResetError
            await self._wait(seconds)
        return self._replies.popleft()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._wake()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        *lines, rest = self._unread.split(b"\n")
        self._unread = rest
        for line in lines:
            self._take(bytes(line))
        if len(rest) > MOST_BYTES:
            self._take(bytes(rest))

    def connection_lost(self, exc: Exception | None) -> None:
        self._wake()

    def _take(self, line: bytes) -> None:
        match = _LINE.fullmatch(line)
        self._taken += len(line)
        if match is None or self._taken > MOST_BYTES:
            self._say(Reply(UNREADABLE, ""))
            self._transport.abort()
            return
        self._texts.append((match[3] or b"").strip())
        if match[2] != b"-":
            text = b"\n".join(self._texts).decode("utf-8", "replace")
            self._say(Reply(int(match[1]), text))

    def _say(self, reply: Reply) -> None:
        self._texts, self._taken = [], 0
        if self._outstanding == 0:
            self._transport.abort()
            return
        self._outstanding -= 1
        self._replies.append(reply)
        self._wake()

    async def _wait(self, seconds: float) -> None:
        """Until something has happened; one at a time."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
