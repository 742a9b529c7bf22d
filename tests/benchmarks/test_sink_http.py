import asyncio
from pathlib import Path

import pytest

from benchmarks.sink_http import answer, open_sink, whole_request
from tests.benchmarks.sinks import listening

REQUEST = b"POST /sms HTTP/1.1\r\nHost: x\r\ncontent-length: 3\r\n\r\nabc"


def test_a_request_is_whole_when_its_body_is_there() -> None:
    ends = [whole_request(REQUEST[:length]) for length in range(len(REQUEST) + 1)]
    assert ends == [0] * len(REQUEST) + [len(REQUEST)]


@pytest.mark.parametrize(
    ("path", "begins"),
    [
        (b"/v1/projects/x/messages:send", b"HTTP/1.1 200 "),
        (b"/push/abc", b"HTTP/1.1 201 "),
        (b"/hook", b"HTTP/1.1 204 "),
        (b"/elsewhere", b"HTTP/1.1 404 "),
        (b"/silence", b""),
    ],
)
def test_the_path_says_what_is_answered(path: bytes, begins: bytes) -> None:
    assert answer(path).startswith(begins)
    assert bool(answer(path)) is bool(begins)


async def test_requests_are_answered_however_they_come(tmp_path: Path) -> None:
    async with listening(open_sink, tmp_path) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in (REQUEST + REQUEST[:30], REQUEST[30:]):
            writer.write(piece)
            assert await reader.readexactly(len(answer(b"/sms"))) == answer(b"/sms")
        writer.close()
