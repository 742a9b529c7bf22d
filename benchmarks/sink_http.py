"""Takes every HTTP request, as fast as it can: a stand-in for vendors. Run as a script.

Its argument is a folder that it has no use for, its port its first line of output. What it answers
depends on where a path begins; after /silence it never does.
"""

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import uvloop

ANSWERS = {
    b"/token": (200, b'{"access_token":"bench","expires_in":3599,"token_type":"Bearer"}'),
    b"/v1/projects": (200, b'{"name":"projects/my-shop/messages/0:1500415314455276%31bd1c96"}'),
    b"/sms": (200, b'{"status":"queued","id":"5f0c6ab1-6f1d-2b7c"}'),
    b"/push": (201, b""),
    b"/hook": (204, b""),
}
"""By beginning of the path: status and body."""
SILENCE = b"/silence"
END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def answer(path: bytes) -> bytes:
    """All of an answer; b"": there is none."""
    if path.startswith(SILENCE):
        return b""
    status, body = next(
        (one for start, one in ANSWERS.items() if path.startswith(start)), (404, b"")
    )
    length = b"" if status == 204 else b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 %d Taken\r\nContent-Type: application/json\r\n%s\r\n%s" % (
        status,
        length,
        body,
    )


def whole_request(data: bytes | bytearray) -> int:
    """Where the first request in `data` ends; 0: more of it is to come."""
    head = data.find(END)
    if head < 0:
        return 0
    found = _LENGTH.search(data, 0, head)
    end = head + len(END) + (int(found[1]) if found else 0)
    return end if len(data) >= end else 0


class Door(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while end := whole_request(self._data):
            path = bytes(self._data[: self._data.index(b"\r\n")]).split(b" ")[1]
            del self._data[:end]
            self._transport.write(answer(path))


async def open_sink(_folder: Path) -> asyncio.Server:
    """Listen on a free port of this machine."""
    return await asyncio.get_running_loop().create_server(Door, "127.0.0.1", 0)


async def serve(folder: Path) -> None:
    server = await open_sink(folder)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
