"""An SMTP server that takes every message and delivers none: for the demo and for crash drills.

    python -m angarium.gateway.mailcatcher --port 2525 --log mail.jsonl --fsync

Each message becomes one line of JSON in the log, before the final dot is answered: what the log
holds is what a real server would have taken, whether or not the sender lived to hear of it.
"""

import argparse
import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec

from angarium.core.workers.clock import now as clock_now

MAX_BYTES = 64 * 1024 * 1024
HEADERS = (
    "from", "to", "subject", "date", "message-id", "reply-to", "auto-submitted", "precedence",
    "list-unsubscribe", "list-unsubscribe-post", "content-type",
)  # fmt: skip
EXTENSIONS = (b"angarium mail catcher", b"PIPELINING", b"8BITMIME", b"SIZE %d" % MAX_BYTES)


class Caught(msgspec.Struct, omit_defaults=True):
    """One line of the log. `at`: when the final dot came, in milliseconds since 1970."""

    at: int
    message_id: str
    sender: str
    rcpt: list[str]
    size: int
    headers: dict[str, str]
    raw: str = ""


class MailCatcher:
    """Listens, and writes what it takes. Messages that come at once share one fsync."""

    def __init__(
        self,
        log: Path,
        *,
        now: Callable[[], int],
        fsync: bool = False,
        keep_raw: bool = False,
        delay: float = 0.0,
    ) -> None:
        """`delay`: seconds between writing a message down and answering its final dot."""
        self.now = now
        self.keep_raw = keep_raw
        self._log = log.open("ab")
        self._fsync = fsync
        self._delay = delay
        self._unwritten: list[tuple[bytes, Callable[[], None]]] = []
        self._server: asyncio.Server | None = None
        self.sessions: set[Session] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; give the port, which is chosen where 0 was asked for."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Session(self), host, port)
        return cast(int, self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for session in list(self.sessions):
            session.hang_up()
        if self._server is not None:
            await self._server.wait_closed()
        self._log.close()

    def take(self, caught: Caught, answer: Callable[[], None]) -> None:
        """Write the message down, then call `answer`."""
        if not self._unwritten:
            asyncio.get_running_loop().call_soon(self._write)
        self._unwritten.append((msgspec.json.encode(caught) + b"\n", answer))

    def _write(self) -> None:
        batch, self._unwritten = self._unwritten, []
        self._log.write(b"".join(line for line, _ in batch))
        self._log.flush()
        if self._fsync:
            os.fsync(self._log.fileno())
        for _, answer in batch:
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, answer)
            else:
                answer()


class Session(asyncio.Protocol):
    """One connection. Commands may be pipelined (RFC 2920)."""

    def __init__(self, catcher: MailCatcher) -> None:
        self._catcher = catcher
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._searched = 0
        self._in_data = False
        self._answering = False
        self._sender = ""
        self._recipients: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._catcher.sessions.add(self)
        self._say(b"220 angarium mail catcher")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._catcher.sessions.discard(self)

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > MAX_BYTES:
            self.hang_up()
        else:
            self._go_on()

    def _go_on(self) -> None:
        """Do what the buffer holds; wait while a message is being written down."""
        while not self._answering and self._transport is not None:
            end = b"\r\n.\r\n" if self._in_data else b"\r\n"
            at = self._buffer.find(end, self._searched)
            if at < 0:
                self._searched = max(0, len(self._buffer) - len(end) + 1)
                return
            piece = bytes(self._buffer[:at])
            del self._buffer[: at + len(end)]
            self._searched = 0
            if self._in_data:
                self._take(piece)
            else:
                self._obey(piece)

    def _obey(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb in (b"EHLO", b"HELO"):
            self._reset()
            self._say(*(b"250-" + word for word in EXTENSIONS[:-1]), b"250 " + EXTENSIONS[-1])
        elif verb == b"MAIL":
            self._reset()
            self._sender = _address(line)
            self._say(b"250 2.1.0 sender ok")
        elif verb == b"RCPT":
            self._recipients.append(_address(line))
            self._say(b"250 2.1.5 recipient ok")
        elif verb == b"DATA":
            self._begin_data()
        elif verb == b"QUIT":
            self._say(b"221 2.0.0 bye")
            if self._transport is not None:
                self._transport.close()
        elif verb in (b"RSET", b"NOOP"):
            self._reset()
            self._say(b"250 2.0.0 ok")
        else:
            self._say(b"502 5.5.1 not implemented")

    def _begin_data(self) -> None:
        if not self._recipients:
            self._say(b"503 5.5.1 no recipients")
            return
        self._in_data = True
        # The end is sought with the line break before its dot; an empty message has none.
        self._buffer[:0] = b"\r\n"
        self._say(b"354 end with a dot")

    def _take(self, data: bytes) -> None:
        raw = data.replace(b"\r\n..", b"\r\n.")[2:] + b"\r\n"
        headers = _read_headers(raw)
        caught = Caught(
            at=self._catcher.now(),
            message_id=headers.get("message-id", ""),
            sender=self._sender,
            rcpt=self._recipients,
            size=len(raw),
            headers=headers,
            raw=raw.decode("utf-8", "replace") if self._catcher.keep_raw else "",
        )
        self._reset()
        self._answering = True
        self._catcher.take(caught, self._answer)

    def _answer(self) -> None:
        self._answering = False
        self._say(b"250 2.0.0 ok, written down")
        self._go_on()

    def _reset(self) -> None:
        self._in_data = False
        self._sender, self._recipients = "", []

    def _say(self, *lines: bytes) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(line + b"\r\n" for line in lines))


def _address(line: bytes) -> str:
    return line.partition(b"<")[2].partition(b">")[0].decode("utf-8", "replace")


def _read_headers(raw: bytes) -> dict[str, str]:
    head = raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    lines = head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return {name.lower(): value.strip() for name, _, value in pairs if name.lower() in HEADERS}


async def catch(catcher: MailCatcher, host: str, port: int) -> None:
    """Run until SIGTERM or SIGINT."""
    chosen = await catcher.start(host, port)
    print(f"catching mail on {host}:{chosen}", flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await catcher.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="mailcatcher", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2525, help="0: choose a free one and say which")
    parser.add_argument("--log", type=Path, default=Path("mail.jsonl"))
    parser.add_argument("--fsync", action="store_true", help="sync the log before each answer")
    parser.add_argument("--raw", action="store_true", help="write whole messages, not only headers")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before the last answer")
    asked = parser.parse_args()
    catcher = MailCatcher(
        asked.log, now=clock_now, fsync=asked.fsync, keep_raw=asked.raw, delay=asked.delay
    )
    asyncio.run(catch(catcher, asked.host, asked.port))


if __name__ == "__main__":
    main()
