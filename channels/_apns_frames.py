"""Cut a stream of bytes into HTTP/2 frames (RFC 9113 §4.1).

The h2 library takes nothing any more after a GOAWAY (python-hyper/h2 #1181), though the server
still answers what it had taken. So frames are looked at here, and that kind is kept from it.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from h2.exceptions import FrameTooLargeError

HEADER_BYTES: Final = 9
MAX_BODY_BYTES: Final = 16_384
"""The largest that may be sent to us, since we never allow more (§4.2)."""

_GOAWAY: Final = 0x7


class GoAway(msgspec.Struct, frozen=True):
    """The server takes no more on this connection than what came up to `last_stream`."""

    last_stream: int


class FrameReader:
    """Keeps what is not a whole frame yet."""

    def __init__(self) -> None:
        self._held = bytearray()

    def read(self, data: bytes) -> Iterator[bytes | GoAway]:
        """Each whole frame; a GOAWAY as what it says. Raises ProtocolError for one too long."""
        self._held += data
        while len(self._held) >= HEADER_BYTES:
            body = int.from_bytes(self._held[:3], "big")
            end = HEADER_BYTES + body
            if body > MAX_BODY_BYTES:
                raise FrameTooLargeError(f"a frame of {body} bytes")
            if len(self._held) < end:
                return
            frame = bytes(self._held[:end])
            del self._held[:end]
            yield _read(frame, body)


def _read(frame: bytes, body: int) -> bytes | GoAway:
    if frame[3] != _GOAWAY or body < 8:
        return frame
    return GoAway(int.from_bytes(frame[9:13], "big") & 0x7FFF_FFFF)
