"""Unpacking bodies: which encodings, how far, and what is broken."""

import gzip
import zlib

import pytest

from angarium.gateway.inflate import inflate
from angarium.gateway.problems import Refusal

TEXT = b'{"batch": []}' * 100
BARE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
DEFLATED_BARE = BARE.compress(TEXT) + BARE.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"", TEXT),
        (b"identity", TEXT),
        (b"gzip", gzip.compress(TEXT, mtime=0)),
        (b" GZIP ", gzip.compress(TEXT, mtime=0)),
        (b"x-gzip", gzip.compress(TEXT, mtime=0)),
        (b"deflate", zlib.compress(TEXT)),
        (b"deflate", DEFLATED_BARE),
    ],
)
def test_the_encodings_of_published_sdks_are_unpacked(encoding: bytes, body: bytes) -> None:
    assert inflate(body, encoding, len(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        (b"br", TEXT, 415),
        (b"zstd", TEXT, 415),
        (b"gzip, gzip", TEXT, 415),
        (b"gzip", TEXT, 400),
        (b"gzip", b"", 400),
        (b"gzip", gzip.compress(TEXT, mtime=0)[:-1], 400),
        (b"gzip", gzip.compress(TEXT, mtime=0) + b"x", 400),
        (b"gzip", gzip.compress(TEXT, mtime=0) + gzip.compress(TEXT, mtime=0), 400),
        (b"gzip", zlib.compress(TEXT), 400),
        (b"deflate", b"x", 400),
        (b"deflate", zlib.compress(TEXT)[:-4] + b"\0\0\0\0", 400),
        (b"gzip", gzip.compress(TEXT + b" ", mtime=0), 413),
        (b"gzip", gzip.compress(bytes(50_000_000), mtime=0), 413),
    ],
)
def test_what_does_not_unpack_or_grows_too_large_is_refused(
    encoding: bytes, body: bytes, status: int
) -> None:
    with pytest.raises(Refusal) as refused:
        inflate(body, encoding, len(TEXT))

    assert refused.value.problem.status == status
