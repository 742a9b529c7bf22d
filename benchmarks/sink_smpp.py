"""Takes every SMPP message, as fast as it can: a stand-in for a service centre. Run as a script.

Its argument is a folder that it has no use for, its port its first line of output.
"""

import asyncio
import struct
import sys
from pathlib import Path
from typing import Any

import uvloop

HEAD = struct.Struct(">IIII")
"""Length, command, status, sequence number (SMPP 3.4 §3.2)."""
ANSWERS = {
    0x00000001: b"sink\0",  # bind_receiver
    0x00000002: b"sink\0",  # bind_transmitter
    0x00000009: b"sink\0",  # bind_transceiver
    0x00000004: b"5f0c6ab16f1d2b7c\0",  # submit_sm
    0x00000015: b"",  # enquire_link
    0x00000006: b"",  # unbind
}
"""What follows the head of the answer to each command."""
RESPONSE = 0x80000000


def answer(command: int, sequence: int) -> bytes:
    """The whole answer; b"" to what needs none."""
    body = ANSWERS.get(command)
    if body is None:
        return b""
    return HEAD.pack(HEAD.size + len(body), command | RESPONSE, 0, sequence) + body


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        answers: list[bytes] = []
        while len(self._data) >= HEAD.size:
            length, command, _, sequence = HEAD.unpack_from(self._data)
            if len(self._data) < length:
                break
            del self._data[:length]
            answers.append(answer(command, sequence))
        self._transport.write(b"".join(answers))


async def open_sink(_folder: Path) -> asyncio.Server:
    """Listen on a free port of this machine."""
    return await asyncio.get_running_loop().create_server(Session, "127.0.0.1", 0)


async def serve(folder: Path) -> None:
    server = await open_sink(folder)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
