"""uvicorn's HTTP protocol with limits that it lacks: how large a head may be, how late a request.

Without them a client that sends one byte a minute holds a connection for ever, and one that never
ends a header fills the memory.
"""

import asyncio
import re
from secrets import token_hex
from typing import Any, ClassVar, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from angarium.gateway.problems import MEDIA_TYPE, Problem, Refusal
from angarium.gateway.request_ids import HEADER

HEAD_BYTES: Final = 16 * 1024
"""Request line and headers; browsers' cookies stay far below."""
HEADERS: Final = 100
ARRIVAL_SECONDS: Final = 30.0
"""A whole request must be here by then; phones on bad lines need some, attackers want more."""

_UPGRADE: Final = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
"""An offer to speak HTTP/2 (Java's client makes it): the parser would drop the request's body."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection. Refuses (431, 400) before any route is asked; closes what is too late."""

    arrival_seconds: ClassVar[float] = ARRIVAL_SECONDS
    _head_bytes = 0
    _in_head = False
    _idle = True
    _whole = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._await_rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        self._stop_waiting()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; see how much of a head has come without an end."""
        if self._idle and b"pgrade" in data:
            head, end, rest = data.partition(b"\r\n\r\n")
            data = _UPGRADE.sub(b"\r\nx-offer:", head) + end + rest
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(Problem.HEADERS_TOO_LARGE)
        if not self._whole:
            self._await_rest()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._head_bytes, self._in_head = 0, True
        self._idle = self._whole = False

    def on_headers_complete(self) -> None:
        """The head is here: a large one may have come in one piece."""
        self._in_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > HEAD_BYTES or len(self.headers) > HEADERS:
            self._refuse(Problem.HEADERS_TOO_LARGE)
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Part of a body, for a request that was not refused."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._idle = self._whole = True
        self._stop_waiting()
        if not self.transport.is_closing():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What the parser could not read, in the shape of every other refusal."""
        self._refuse(Problem.BAD_REQUEST)

    def _await_rest(self) -> None:
        if self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(self.arrival_seconds, self._be_late)

    def _be_late(self) -> None:
        if self.transport.is_closing():
            return
        if self._idle or (not self._in_head and self.cycle.response_started):
            self.transport.close()
        else:
            self._refuse(Problem.TOO_SLOW)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, problem: Problem) -> None:
        if self.transport.is_closing():
            return
        request_id = token_hex(10)
        body = msgspec.json.encode(Refusal(problem).body(request_id))
        head = (
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
            f"{HEADER.decode('ascii')}: {request_id}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[problem.status] + head.encode("ascii") + body)
        self.transport.close()
