"""The client as SDKs are: what was not taken for now is sent again, what is wrong is told."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest

from angarium.gateway.demo.client import Client, DemoFailed, segment

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n" + b'{"success":true}'
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"
INVALID = (
    b'{"title": "Some values are not valid", "detail": "",'
    b' "errors": [{"pointer": "/name", "detail": "is missing"}]}'
)


class Server:
    """A web server that gives the answers it was told, and keeps what it was asked."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.asked: list[tuple[bytes, bytes]] = []
        self._answers = iter(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [
                    int(line.partition(b":")[2])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ]
                self.asked.append((head, await reader.readexactly(sum(lengths))))
                writer.write(next(self._answers))
        except asyncio.IncompleteReadError:
            writer.close()


@asynccontextmanager
async def talking(*answers: bytes) -> AsyncIterator[tuple[Server, Client]]:
    told = Server(answers)
    listener = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        client = Client(f"http://127.0.0.1:{port}", "wk", "ak")
        try:
            yield told, client
        finally:
            client.close()


async def test_a_batch_is_sent_packed_with_the_write_key_as_user() -> None:
    async with talking(OK) as (server, client):
        assert await client.send({"batch": [{"type": "page"}]}) == []

    [(head, body)] = server.asked
    assert head.startswith(b"POST /v1/batch HTTP/1.1\r\n")
    assert b"Authorization: Basic d2s6\r\n" in head
    assert msgspec.json.decode(gzip.decompress(body)) == {"batch": [{"type": "page"}]}


async def test_what_was_not_taken_for_now_is_sent_again_unchanged() -> None:
    async with talking(BUSY, BUSY, OK) as (server, client):
        await client.send({"batch": []})

    assert len(server.asked) == 3
    assert len(set(server.asked)) == 1


async def test_a_repeated_post_carries_the_same_idempotency_key() -> None:
    async with talking(BUSY, OK) as (server, client):
        await client.post("/v1/campaigns", {"name": "x"})

    assert len(set(server.asked)) == 1
    assert b"Idempotency-Key: " in server.asked[0][0]


async def test_a_refusal_is_told_with_its_reason() -> None:
    answer = b"HTTP/1.1 422 X\r\nContent-Length: %d\r\n\r\n%b" % (len(INVALID), INVALID)
    async with talking(answer) as (_, client):
        with pytest.raises(DemoFailed, match="422: Some values are not valid; /name: is missing"):
            await client.post("/v1/campaigns", {})


async def test_who_is_not_there_is_none() -> None:
    async with talking(NOT_FOUND) as (server, client):
        assert await client.find("/v1/profiles/" + segment("a/b")) is None

    assert server.asked[0][0].startswith(b"GET /v1/profiles/a%2Fb ")


async def test_an_instance_that_is_not_there_is_named(unused_tcp_port: int) -> None:
    client = Client(f"http://127.0.0.1:{unused_tcp_port}", pause=0)

    with pytest.raises(DemoFailed, match=r"does not answer GET /v1/events"):
        await client.get("/v1/events")


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://a", "http://", ""])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(DemoFailed, match="write it like http://"):
        Client(url)


@pytest.fixture
async def unused_tcp_port() -> int:
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with listener:
        port: int = listener.sockets[0].getsockname()[1]
    return port
