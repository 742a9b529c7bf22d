"""An HTTP server that does as it is told, byte by byte; it keeps what it was sent."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


def says(status: int, body: bytes = b"", **headers: str) -> Reply:
    """A whole answer; `Retry_After="3"` is the header Retry-After."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return says_raw("\r\n".join([*lines, "", ""]).encode() + body)


def says_raw(data: bytes, *, hang_up: bool = False) -> Reply:
    """These bytes, and perhaps the end of the connection."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if hang_up:
            writer.close()

    return reply


async def says_nothing(_writer: asyncio.StreamWriter) -> None:
    """The request was read; the client waits."""


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    """The request was read; the connection is cut."""
    writer.transport.abort()


@dataclass
class Heard:
    """A request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]


@dataclass
class HttpScripted:
    """`reply` answers every request, until a test puts another in its place."""

    port: int = 0
    reply: Reply = field(default_factory=lambda: says(200, b"ok"))
    heard: list[Heard] = field(default_factory=list[Heard])
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                self.heard.append(await _read(reader))
                self.arrived.set()
                await self.reply(writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Heard:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in rest)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Heard(line, headers, body)


@asynccontextmanager
async def http_scripted(tls: ssl.SSLContext | None = None) -> AsyncGenerator[HttpScripted, None]:
    """Listens on loopback until the end of the block."""
    scripted = HttpScripted()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await scripted.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    scripted.port = server.sockets[0].getsockname()[1]
    try:
        yield scripted
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
