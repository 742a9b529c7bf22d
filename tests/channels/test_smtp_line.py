"""Replies as they may come: in pieces, several at once, of many lines, unasked, or none at all."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from angarium.channels._smtp_line import MOST_BYTES, UNREADABLE, Line, Reply


@asynccontextmanager
async def connected() -> AsyncGenerator[tuple[Line, asyncio.StreamWriter]]:
    """Our end of a connection, and the server's."""
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accepted.put(writer)

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
        told = await accepted.get()
        try:
            yield Line(transport), told
        finally:
            transport.abort()
            told.close()


THREE = b"250-first\r\n250-\r\n250 last\r\n354 go\n550\r\n"
HEARD = [Reply(250, "first\n\nlast"), Reply(354, "go"), Reply(550, "")]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_replies_are_told_apart_however_they_are_cut(size: int) -> None:
    async with connected() as (line, server):
        line.write(b"A\r\nB\r\nC\r\n", replies=3)
        for at in range(0, len(THREE), size):
            server.write(THREE[at : at + size])
            await server.drain()
            await asyncio.sleep(0)

        assert [await line.reply(5) for _ in HEARD] == HEARD
        assert line.is_open


@pytest.mark.parametrize(
    "said", [b"what?\r\n", b"25\r\n", b"250~ok\r\n", b"x" * (MOST_BYTES + 1), b"250-x\r\n" * 9_000]
)
async def test_what_is_no_reply_ends_the_connection(said: bytes) -> None:
    async with connected() as (line, server):
        line.write(b"A\r\nB\r\n", replies=2)
        server.write(said)

        assert (await line.reply(5)).code == UNREADABLE
        with pytest.raises(ConnectionResetError):
            await line.reply(5)
        with pytest.raises(ConnectionResetError):
            line.write(b"C\r\n", replies=1)


async def test_a_reply_that_came_before_the_end_is_heard() -> None:
    async with connected() as (line, server):
        line.write(b"A\r\nB\r\n", replies=2)
        server.write(b"250 ok\r\n250 cut")
        server.close()

        assert await line.reply(5) == Reply(250, "ok")
        with pytest.raises(ConnectionResetError):
            await line.reply(5)


async def test_who_speaks_unasked_is_left() -> None:
    async with connected() as (line, server):
        line.write(b"x" * 50_000_000)  # it cannot all leave, so there is something to wait for
        server.write(b"421 too slow\r\n")
        with pytest.raises(ConnectionResetError):
            await line.drain(5)

        assert not line.is_open


async def test_silence_has_an_end() -> None:
    async with connected() as (line, _):
        line.write(b"A\r\n", replies=1)
        with pytest.raises(TimeoutError):
            await line.reply(0.01)
