"""Takes every HTTP/2 request, as fast as it can: a stand-in for APNs. Run as a script.

Its argument is a folder, where it leaves the certificate to trust (certificate.pem); its port is
its first line of output. It reads frames (RFC 9113 §4.1), and of the headers not a letter: each
request is answered with 200.
"""

import asyncio
import ssl
import struct
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0x0, 0x1, 0x4, 0x6, 0x8
ACK = END_STREAM = 0x1
END_HEADERS = 0x4
STREAMS = 1_000
LARGEST = 2**31 - 1
OK = b"\x88"
"""`:status: 200`, by its place in the static table (RFC 7541 appendix A)."""


def frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    """One frame."""
    return struct.pack(">I", len(body))[1:] + struct.pack(">BBI", kind, flags, stream) + body


HELLO = frame(SETTINGS, 0, 0, struct.pack(">HIHI", 0x3, STREAMS, 0x4, LARGEST)) + frame(
    WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGEST - 65_535)
)
"""How many streams at once; and so much room that it need not be given again for long."""


def take_frames(data: bytearray) -> Iterator[tuple[int, int, int, bytes]]:
    """Take whole frames off the front: kind, flags, stream, body."""
    while len(data) >= HEAD_BYTES:
        end = HEAD_BYTES + int.from_bytes(data[:3])
        if len(data) < end:
            return
        stream = int.from_bytes(data[5:9]) & LARGEST
        found = (data[3], data[4], stream, bytes(data[HEAD_BYTES:end]))
        del data[:end]
        yield found


def answer(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    """What is to be said to one frame; mostly nothing."""
    if kind in (DATA, HEADERS) and flags & END_STREAM:
        return frame(HEADERS, END_HEADERS | END_STREAM, stream, OK)
    if kind == SETTINGS and not flags & ACK:
        return frame(SETTINGS, ACK, 0)
    if kind == PING and not flags & ACK:
        return frame(PING, ACK, 0, body)
    return b""


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._greeted = False
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(HELLO)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._greeted and len(self._data) >= len(PREFACE):
            del self._data[: len(PREFACE)]
            self._greeted = True
        if self._greeted:
            self._transport.write(b"".join(answer(*one) for one in take_frames(self._data)))


def make_certificate(folder: Path) -> None:
    """One for this machine, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sink")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))


async def open_sink(folder: Path) -> asyncio.Server:
    """Listen on a free port of this machine."""
    make_certificate(folder)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    tls.set_alpn_protocols(["h2"])
    loop = asyncio.get_running_loop()
    return await loop.create_server(Session, "127.0.0.1", 0, ssl=tls)


async def serve(folder: Path) -> None:
    server = await open_sink(folder)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
