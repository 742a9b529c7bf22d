"""HTTP as it comes over the line: broken, endless and late requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec
import pytest
import uvicorn

from angarium.gateway.http_guard import HEAD_BYTES, HEADERS, GuardedProtocol
from angarium.gateway.serve import listen
from tests.gateway.doors import Door

TRACK = b'{"event":"A","userId":"u1"}'


class Line:
    """A bare connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, address: tuple[str, int]) -> "Line":
        return cls(*await asyncio.open_connection(*address))

    def send(self, *lines: bytes, body: bytes = b"") -> None:
        self.writer.write(b"\r\n".join((*lines, b"", b"")) + body)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *rest = head.strip().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split()[1]), headers, body

    async def closed(self) -> bool:
        try:
            return await self.reader.read() == b""
        except ConnectionResetError:
            return True

    async def aclose(self) -> None:
        self.writer.close()


@pytest.fixture
async def line(door: Door) -> AsyncIterator[Line]:
    line = await Line.open(door.address)
    yield line
    await line.aclose()


def check(answer: tuple[int, dict[str, str], bytes], status: int, code: str) -> None:
    found, headers, body = answer
    problem = msgspec.json.decode(body)
    assert (found, problem["status"], problem["code"]) == (status, status, code)
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert headers["x-request-id"] == problem["request_id"]
    assert problem["message"]


@pytest.mark.parametrize(
    "lines",
    [
        (b"nonsense",),
        (b"POST /v1/track HTTP/9.9", b"Host: x"),
        (b"POST /v1/track HTTP/1.1", b"Host: x", b"Content-Length: 1", b"Content-Length: 2"),
        (
            b"POST /v1/track HTTP/1.1",
            b"Host: x",
            b"Content-Length: 5",
            b"Transfer-Encoding: chunked",
        ),
        (b"POST /v1/track HTTP/1.1", b"Host: x", b"Content-Length: -1"),
        (b"POST /v1/track HTTP/1.1", b"Host: x", b"Content-Length: 1x"),
        (b"POST /v1/track HTTP/1.1", b"Host : x"),
        (b"POST /v1/track HTTP/1.1", b"Bad\x00: x"),
        (b"NONSENSE /v1/track HTTP/1.1", b"Host: x"),
    ],
)
async def test_what_is_not_http_is_refused_and_cut_off(
    line: Line, lines: tuple[bytes, ...]
) -> None:
    line.send(*lines)

    check(await line.answer(), 400, "bad_request")
    assert await line.closed()


@pytest.mark.parametrize(
    "lines",
    [
        [b"X-%d: y" % n for n in range(HEADERS)],
        [b"X: " + b"y" * HEAD_BYTES],
        [b"Cookie: " + b"y" * 5_000] * 4,
    ],
)
async def test_a_large_head_is_refused(line: Line, lines: list[bytes]) -> None:
    line.send(b"POST /v1/track HTTP/1.1", b"Host: x", *lines, b"Content-Length: 2", body=b"{}")

    check(await line.answer(), 431, "headers_too_large")
    assert await line.closed()


@pytest.mark.parametrize(
    "beginning", [b"POST /", b"POST / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\n"]
)
async def test_a_head_without_an_end_is_cut_off_at_the_limit(line: Line, beginning: bytes) -> None:
    line.writer.write(beginning)
    piece = b"x: y\r\n" * 200 if beginning.endswith(b"\r\n") else b"x" * 1_000
    for _ in range(HEAD_BYTES // len(piece) + 2):
        line.writer.write(piece)

    check(await line.answer(), 431, "headers_too_large")
    assert await line.closed()


async def test_a_large_body_in_the_same_packet_does_not_count_as_head(
    line: Line, door: Door
) -> None:
    body = b'{"event":"A","userId":"u1","x":"' + b"x" * 30_000 + b'"}'
    key = b"X-Write-Key: " + door.write_key.encode()
    for _ in range(2):
        line.send(
            b"POST /v1/track HTTP/1.1",
            b"Host: x",
            key,
            b"Content-Length: %d" % len(body),
            body=body,
        )
        assert (await line.answer())[0] == 200


async def test_a_body_that_is_refused_unread_leaves_the_line_usable(line: Line, door: Door) -> None:
    key = b"X-Write-Key: " + door.write_key.encode()
    size = 2 * 1024 * 1024
    line.send(b"POST /v1/batch HTTP/1.1", b"Host: x", key, b"Content-Length: %d" % size)
    status, headers, _ = await line.answer()
    assert (status, headers.get("connection")) == (413, None)

    line.writer.write(b" " * size)
    line.send(
        b"POST /v1/track HTTP/1.1", b"Host: x", key, b"Content-Length: %d" % len(TRACK), body=TRACK
    )
    assert (await line.answer())[0] == 200


async def test_an_offer_to_speak_http_2_is_passed_over(line: Line, door: Door) -> None:
    offer = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk")
    key = b"X-Write-Key: " + door.write_key.encode()
    for _ in range(2):
        size = b"Content-Length: %d" % len(TRACK)
        line.send(b"POST /v1/track HTTP/1.1", b"Host: x", key, *offer, size, body=TRACK)
        assert (await line.answer())[0] == 200


async def test_of_a_client_that_goes_away_in_a_body_nothing_is_stored(
    line: Line, door: Door
) -> None:
    key = b"X-Write-Key: " + door.write_key.encode()
    line.send(b"POST /v1/track HTTP/1.1", b"Host: x", key, b"Content-Length: 100", body=TRACK)
    await line.writer.drain()
    await line.aclose()

    assert (await door.post("/v1/track", TRACK)).status_code == 200
    await door.stored()
    assert await door.published() == 0


class HastyProtocol(GuardedProtocol):
    """Waits for requests as the real one does, only not so long."""

    arrival_seconds = 0.05


@pytest.fixture
async def hasty() -> AsyncIterator[tuple[str, int]]:
    """A server that reads no body and answers nothing until one came."""

    async def app(scope: object, receive: object, send: object) -> None:
        message = await receive()  # type: ignore[operator]  # bare ASGI
        while message.get("more_body"):
            message = await receive()  # type: ignore[operator]  # bare ASGI

    config = uvicorn.Config(
        app,
        http=HastyProtocol,
        lifespan="off",
        log_config=None,
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    listener = listen("127.0.0.1", 0)
    address: tuple[str, int] = listener.getsockname()
    task = asyncio.create_task(server.serve(sockets=[listener]))
    yield address
    server.should_exit = True
    await task


@pytest.mark.parametrize(
    "beginning",
    [
        b"POST",
        b"POST / HTTP/1.1\r\nHost: x\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
    ],
)
async def test_a_request_that_does_not_arrive_in_time_is_cut_off(
    hasty: tuple[str, int], beginning: bytes
) -> None:
    async with aclosing(await Line.open(hasty)) as line:
        line.writer.write(beginning)

        check(await line.answer(), 408, "too_slow")
        assert await line.closed()


async def test_a_line_on_which_nothing_comes_is_closed(hasty: tuple[str, int]) -> None:
    async with aclosing(await Line.open(hasty)) as line:
        assert await line.closed()
