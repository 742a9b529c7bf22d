"""Unpack a body that came compressed, and no further than it may grow."""

import zlib
from collections.abc import Mapping
from typing import Final

from angarium.gateway.problems import Problem, Refusal

PLAIN: Final = frozenset({b"", b"identity"})
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_BARE: Final = -zlib.MAX_WBITS
_WINDOWS: Final[Mapping[bytes, int]] = {b"gzip": _GZIP, b"x-gzip": _GZIP, b"deflate": _ZLIB}


def inflate(body: bytes, encoding: bytes, most: int) -> bytes:
    """`body` without its Content-Encoding (gzip or deflate), at most `most` bytes of it.

    Never holds more than `most` + 1 bytes of output, however small the input. Refuses an unknown
    encoding (415), a larger result (413), and what does not unpack to its end (400).
    """
    encoding = encoding.strip().lower()
    if encoding in PLAIN:
        return body
    window = _WINDOWS.get(encoding)
    if window is None:
        raise Refusal(Problem.UNKNOWN_ENCODING)
    if window == _ZLIB and not _has_zlib_header(body):
        window = _BARE
    unpacker = zlib.decompressobj(window)
    try:
        plain = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise Refusal(Problem.BROKEN_ENCODING) from error
    if len(plain) > most:
        raise Refusal(Problem.BODY_TOO_LARGE, f"the body may unpack to {most} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise Refusal(Problem.BROKEN_ENCODING)
    return plain


def _has_zlib_header(body: bytes) -> bool:
    """RFC 1950; some clients send `deflate` without it."""
    return len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
