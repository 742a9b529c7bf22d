"""One HTTP/2 connection to APNs, with many requests on their way at once."""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.struct import Header

from angarium.channels._apns_exchange import Ending, Exchange, StreamEvent
from angarium.channels._apns_frames import FrameReader, GoAway
from angarium.channels._apns_heartbeat import Heartbeat
from angarium.channels._http import Answer
from angarium.plugins import TemporaryFailure

MAX_AT_ONCE: Final = 1000
MAX_STREAMS: Final = 2**30 - 1
"""On one connection, ever: each takes an odd number of 31 bits."""
PONG_SECONDS: Final = 10.0
REMEMBERED: Final = 64
"""Texts of headers: room for those that stay, while those of single messages pass through."""
_PING: Final = b"angarium"


class RememberingCoder(HuffmanEncoder):
    """Huffman's code for headers, in Python a third of a message's time: most of them are the same
    every time, and the provider token is the longest."""

    def __init__(self) -> None:
        super().__init__(REQUEST_CODES, REQUEST_CODES_LENGTH)
        self._known = lru_cache(REMEMBERED)(super().encode)

    def encode(self, bytes_to_encode: bytes | None) -> bytes:
        return self._known(bytes_to_encode)


def _create_h2() -> H2Connection:
    # Our headers have lower-case names and no spaces around values: nothing needs to be normalized.
    h2 = H2Connection(H2Configuration(client_side=True, normalize_outbound_headers=False))
    h2.encoder.huffman_coder = RememberingCoder()
    return h2


class Connection(asyncio.Protocol):
    """Made by `loop.create_connection`; `ready` ends when the server has sent its settings.

    `changed` is called when more (or, for good, no more) requests may go over it.
    """

    def __init__(
        self,
        changed: Callable[[], None],
        *,
        ping_seconds: float,
        pong_seconds: float = PONG_SECONDS,
        most_streams: int = MAX_STREAMS,
    ) -> None:
        self._changed = changed
        self._frames = FrameReader()
        self._h2 = _create_h2()
        self._exchanges: dict[int, Exchange] = {}
        self._fresh: list[Exchange] = []
        self._transport: asyncio.Transport | None = None
        self._heartbeat = Heartbeat(
            self._ping, self.abort, seconds=ping_seconds, answer_seconds=pong_seconds
        )
        self._full = False
        self._draining = False
        self._writing = False
        self._streams_left = most_streams
        self.ready = asyncio.Event()
        self.closed = asyncio.Event()

    @property
    def usable(self) -> bool:
        """Whether requests may be begun on it, now or later."""
        if self._transport is None or self._transport.is_closing() or self._draining:
            return False
        return self.ready.is_set()

    @property
    def free(self) -> int:
        """How many more requests may be begun on it now."""
        if not self.usable or self._full:
            return 0
        allowed = min(MAX_AT_ONCE, self._h2.remote_settings.max_concurrent_streams)
        return max(0, allowed - len(self._exchanges))

    async def exchange(self, headers: Sequence[Header], body: bytes, *, seconds: float) -> Answer:
        """Send a request, and wait for the answer. There must be a `free` place, and a body.

        Raises TemporaryFailure if the message was surely not taken, else InDoubt.
        """
        exchange = self._begin(headers, body)
        try:
            async with asyncio.timeout(seconds):
                ending = await exchange.ending
        except TimeoutError:
            self._drain()  # it may be dead: whatever comes now goes over another
            raise exchange.failure("no answer in time") from None
        except asyncio.CancelledError:
            failure = exchange.failure("cut off")
            if isinstance(failure, TemporaryFailure):
                raise failure from None
            raise
        finally:
            self._give_up(exchange)
        if isinstance(ending, Answer):
            return ending
        raise ending

    def abort(self) -> None:
        """End it at once; what is on its way fails."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """End it at once, and return when it has ended."""
        self.abort()
        if self._transport is not None:
            await self.closed.wait()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        unwanted_push = {SettingCodes.ENABLE_PUSH: 0}
        self._h2.local_settings = Settings(client=True, initial_values=unwanted_push)
        self._h2.initiate_connection()
        self._write()
        self._heartbeat.answered()

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._frames.read(data):
                if isinstance(frame, GoAway):
                    self._go_away(frame)
                else:
                    for event in self._h2.receive_data(frame):
                        self._take(event)
        except (ProtocolError, KeyError, ValueError):  # the last two: a status that is none
            self._write()  # tells the server what was wrong
            self.abort()
        else:
            self._write()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._changed()

    def connection_lost(self, exc: Exception | None) -> None:
        self._heartbeat.stop()
        self.closed.set()
        self.ready.set()
        for exchange in list(self._exchanges.values()):
            self._settle(exchange, exchange.failure("the connection was lost"))
        self._changed()

    # The requests.

    def _begin(self, headers: Sequence[Header], body: bytes) -> Exchange:
        exchange = Exchange(self._h2.get_next_available_stream_id(), body)
        self._streams_left -= 1
        if not self._streams_left:
            self._draining = True
        self._h2.send_headers(exchange.stream, headers)
        self._exchanges[exchange.stream] = exchange
        self._fresh.append(exchange)
        self._push(exchange)
        self._write_soon()
        return exchange

    def _push(self, exchange: Exchange) -> None:
        """Send as much of the body as the server's windows allow."""
        while exchange.unsent:
            window = self._h2.local_flow_control_window(exchange.stream)
            size = min(window, self._h2.max_outbound_frame_size)
            if size <= 0:
                return
            chunk, exchange.unsent = exchange.unsent[:size], exchange.unsent[size:]
            self._h2.send_data(exchange.stream, chunk, end_stream=not exchange.unsent)

    def _push_all(self) -> None:
        for exchange in self._exchanges.values():
            self._push(exchange)

    def _settle(self, exchange: Exchange, ending: Ending) -> None:
        if not exchange.ending.done():
            exchange.ending.set_result(ending)
        self._forget(exchange)

    def _give_up(self, exchange: Exchange) -> None:
        """Nobody waits any more; the server is told, if it might still answer."""
        if exchange.stream in self._exchanges:
            self._h2.reset_stream(exchange.stream, ErrorCodes.CANCEL)
            self._write()
            self._forget(exchange)

    def _forget(self, exchange: Exchange) -> None:
        if self._exchanges.pop(exchange.stream, None) is not None:
            self._part_if_done()
            self._changed()

    # What the server says.

    def _take(self, event: Event) -> None:
        match event:
            case ResponseReceived() | DataReceived() | StreamEnded() | StreamReset():
                self._take_of_stream(event)
            case RemoteSettingsChanged():
                self.ready.set()
                self._push_all()
                self._changed()
            case WindowUpdated():
                self._push_all()
            case PingAckReceived():
                self._heartbeat.answered()
            case _:
                pass

    def _take_of_stream(self, event: StreamEvent) -> None:
        if isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        exchange = self._exchanges.get(event.stream_id)
        if exchange is None:
            return  # nobody waits for it any more
        ending = exchange.take(event)
        if ending is None:
            return
        if exchange.unsent and isinstance(ending, Answer):  # answered before it had all
            self._h2.reset_stream(exchange.stream, ErrorCodes.CANCEL)
        self._settle(exchange, ending)

    def _go_away(self, said: GoAway) -> None:
        self._drain()
        for exchange in list(self._exchanges.values()):
            if exchange.stream > said.last_stream:
                self._settle(
                    exchange, TemporaryFailure("push_apns: the server went away before it")
                )

    def _drain(self) -> None:
        """Begin nothing more; hang up when all that was begun has ended."""
        self._draining = True
        self._part_if_done()
        self._changed()

    def _part_if_done(self) -> None:
        if self._draining and not self._exchanges and self._transport is not None:
            # Nothing is awaited any more; nor is TLS's goodbye, which some servers never say.
            self._transport.abort()

    def _ping(self) -> None:
        self._h2.ping(_PING)
        self._write()

    def _write_soon(self) -> None:
        """Write once for all requests that begin in this turn of the loop: writes are dear."""
        if not self._writing:
            self._writing = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        self._writing = False
        data = self._h2.data_to_send()
        if not data or self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        for exchange in self._fresh:
            exchange.written = True
        self._fresh.clear()
