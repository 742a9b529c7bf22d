"""An SMTP server that misbehaves to order, at any phase of a session."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

DROP = b"(drop)"
"""Close the connection instead of answering."""
RESET = b"(reset)"
"""Break it off, so that the other side sees a reset."""
SILENCE = b"(silence)"
"""Never answer."""
LATER = b"(later)"
"""Answer as a good server does, but only with the answer to the next command."""
GOOD: Mapping[str, bytes] = {
    "connect": b"220 scripted",
    "EHLO": b"250-scripted\r\n250 ENHANCEDSTATUSCODES",
    "HELO": b"250 scripted",
    "MAIL": b"250 ok",
    "RCPT": b"250 ok",
    "DATA": b"354 go on",
    "dot": b"250 2.0.0 Ok: queued as GOOD1",
    "RSET": b"250 ok",
    "QUIT": b"221 bye",
    "NOOP": b"250 ok",
}


class Ended(Exception):
    """The script says that this connection is over."""


@dataclass
class ScriptedSmtp:
    """`script` holds the answers that differ from GOOD, on the first `connections` connections.

    Besides the commands, phases are "connect", "dot" (after the final one) and "body" (a part of
    the message has come).
    """

    script: Mapping[str, bytes]
    connections: int = 1
    port: int = 0
    commands: list[str] = field(default_factory=list[str])
    bodies: list[bytes] = field(default_factory=list[bytes])
    connected: int = 0
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it has come to where it says nothing more."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a connection has ended."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected += 1
        number = self.connected

        def answer_to(phase: str) -> bytes:
            script: Mapping[str, bytes] = self.script if number <= self.connections else {}
            return script.get(phase, GOOD.get(phase, b"502 what?"))

        try:
            await self._talk(answer_to, reader, writer)
        except (Ended, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self.left.set()

    async def _talk(
        self,
        answer_to: Callable[[str], bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        await self._answer(answer_to("connect"), writer)
        kept = b""
        while line := await reader.readline():
            command = line.decode("latin-1").strip()
            self.commands.append(command)
            verb = command[:4].upper()
            if answer_to(verb) == LATER:
                kept += GOOD[verb] + b"\r\n"
                continue
            await self._answer(kept + answer_to(verb), writer)
            kept = b""
            if verb == "DATA" and answer_to("DATA").startswith(b"354"):
                await self._read_body(answer_to, reader, writer)
            if verb == "QUIT":
                return

    async def _read_body(
        self,
        answer_to: Callable[[str], bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if answer_to("body") in (DROP, RESET):
            await reader.readexactly(1000)
            await self._answer(answer_to("body"), writer)
        self.bodies.append(await reader.readuntil(b"\r\n.\r\n"))
        self.commands.append(".")
        await self._answer(answer_to("dot"), writer)

    async def _answer(self, answer: bytes, writer: asyncio.StreamWriter) -> None:
        if answer == SILENCE:
            self.silent.set()
            await asyncio.Event().wait()
        if answer == RESET:
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if answer in (DROP, RESET):
            raise Ended
        writer.write(answer + b"\r\n")
        await writer.drain()


@asynccontextmanager
async def scripted_smtp(
    script: Mapping[str, bytes], *, connections: int = 1
) -> AsyncGenerator[ScriptedSmtp, None]:
    """Listen on a free port."""
    scripted = ScriptedSmtp(script, connections)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError):  # at the end of the test
            await scripted.serve(reader, writer)

    # A small buffer, so that a long message cannot leave the sender before it is read.
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    listening.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(serve, sock=listening, limit=64 * 1024 * 1024)
    scripted.port = server.sockets[0].getsockname()[1]
    try:
        yield scripted
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
