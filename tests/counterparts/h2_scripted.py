"""An HTTP/2 server that does as it is told, frame by frame; it keeps what it was sent."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    PingReceived,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import StreamClosedError
from h2.settings import SettingCodes, Settings

MAX_FRAME_BYTES = 16_384

Reply = Callable[["Session", int], None]


def frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    """A frame as it goes over the wire (RFC 9113 §4.1)."""
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


def goaway(last_stream: int, code: int = 0) -> bytes:
    return frame(7, 0, 0, last_stream.to_bytes(4, "big") + code.to_bytes(4, "big"))


def settings_frame(code: SettingCodes, value: int) -> bytes:
    return frame(4, 0, 0, int(code).to_bytes(2, "big") + value.to_bytes(4, "big"))


def answers(status: int, body: bytes = b"") -> Reply:
    """A whole answer."""

    def reply(session: "Session", stream: int) -> None:
        session.h2.send_headers(stream, [(":status", str(status))], end_stream=not body)
        for begin in range(0, len(body), MAX_FRAME_BYTES):
            end = begin + MAX_FRAME_BYTES
            session.h2.send_data(stream, body[begin:end], end_stream=end >= len(body))

    return reply


def says_nothing(_session: "Session", _stream: int) -> None:
    """The request was read; the client waits."""


@dataclass
class H2Scripted:
    """`begun` answers the head of a request, `reply` the whole of it."""

    port: int = 0
    reply: Reply = field(default_factory=lambda: answers(200))
    begun: Reply = says_nothing
    settings: dict[SettingCodes, int] = field(default_factory=dict[SettingCodes, int])
    mute: bool = False
    """Says nothing at all, not even its settings."""
    sessions: list["Session"] = field(default_factory=list["Session"])
    bodies: list[bytes] = field(default_factory=list[bytes])
    resets: list[int] = field(default_factory=list[int])
    pings: int = 0
    most_at_once: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever a request has been read; clear it to wait for the next."""


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: H2Scripted) -> None:
        self.server = server
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.open: dict[int, bytearray] = {}
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.server.sessions.append(self)
        self.h2.local_settings = Settings(client=False, initial_values=self.server.settings)
        if not self.server.mute:
            self.h2.initiate_connection()
            self.flush()

    def data_received(self, data: bytes) -> None:
        if self.server.mute:
            return
        for event in self.h2.receive_data(data):
            self._take(event)
        if not self.transport.is_closing():
            self.flush()

    def _take(self, event: Event) -> None:
        server = self.server
        match event:
            case RequestReceived():
                self.open[event.stream_id] = bytearray()
                server.most_at_once = max(server.most_at_once, len(self.open))
                server.begun(self, event.stream_id)
            case DataReceived():
                self.open[event.stream_id] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case StreamEnded():
                server.bodies.append(bytes(self.open[event.stream_id]))
                server.heard.set()
                with suppress(StreamClosedError):  # taken back in the same breath
                    server.reply(self, event.stream_id)
                self.open.pop(event.stream_id, None)
            case StreamReset():
                server.resets.append(event.stream_id)
                self.open.pop(event.stream_id, None)
            case PingReceived():
                server.pings += 1
            case _:
                pass

    def flush(self) -> None:
        """Send what h2 has to say."""
        self.transport.write(self.h2.data_to_send())

    def say(self, data: bytes) -> None:
        """Send these bytes, which h2 knows nothing of."""
        self.flush()
        self.transport.write(data)

    def cut(self) -> None:
        self.transport.abort()


@asynccontextmanager
async def h2_scripted() -> AsyncGenerator[H2Scripted, None]:
    """Listen on a free port, without TLS."""
    scripted = H2Scripted()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(scripted), "127.0.0.1", 0)
    scripted.port = server.sockets[0].getsockname()[1]
    try:
        yield scripted
    finally:
        server.close()
        for session in scripted.sessions:
            session.cut()
        await server.wait_closed()
