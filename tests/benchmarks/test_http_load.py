import asyncio
from pathlib import Path
from typing import Any

import pytest

from benchmarks.http_load import Tally, request, run

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Door(asyncio.Protocol):
    """Answers each request with the same pieces, in turns of the event loop of their own."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.bodies: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        assert b"Content-Length: 3" in head
        self.bodies.append(body)
        for piece in self.pieces:
            asyncio.get_running_loop().call_soon(self.transport.write, piece)


@pytest.mark.parametrize(
    ("pieces", "answers", "failures"),
    [
        ([ANSWER], True, False),
        ([ANSWER[:20], ANSWER[20:-1], ANSWER[-1:]], True, False),
        ([b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"], False, True),
    ],
)
async def test_whole_answers_are_counted_however_they_come(
    tmp_path: Path, pieces: list[bytes], answers: bool, failures: bool
) -> None:
    doors: list[Door] = []

    def open_door() -> Door:
        doors.append(Door(pieces))
        return doors[-1]

    bodies = tmp_path / "bodies"
    bodies.write_bytes(b"abc\ndef")
    server = await asyncio.get_running_loop().create_server(open_door, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        job = {"port": port, "path": "/x", "key": "k", "bodies": str(bodies)}
        found = await run({**job, "connections": 2, "warm": 0.0, "seconds": 2.0})
    assert bool(found["answers"]) is answers
    assert bool(found["failures"]) is failures
    assert len(doors) == 2
    assert {body for door in doors for body in door.bodies} == {b"abc", b"def"}


def test_a_request_names_its_length_and_its_key() -> None:
    text = request("/v1/track", "key", b"body").decode()
    assert "Content-Length: 4\r\n" in text
    assert "Authorization: Basic a2V5Og==\r\n" in text
    assert text.endswith("\r\n\r\nbody")


def test_what_ends_outside_the_measured_time_does_not_count() -> None:
    tally = Tally(10.0, 20.0)
    for ended in (9.9, 10.0, 19.9, 20.0):
        tally.note(ended - 0.5, ended, ok=True)
    summary = tally.summary()
    assert summary["answers"] == 2
    assert summary["p50_ms"] == pytest.approx(500.0)
