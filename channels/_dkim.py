"""DKIM signatures (RFC 6376, 8301, 8463), made in the process: relaxed/relaxed, RSA or Ed25519.

For a relay that does not sign. Both unsubscribe headers are covered, as RFC 8058 §3.1 asks; the
headers that a reader sees are signed once more than they occur, so that none can be added.
"""

import hashlib
import re
from base64 import b64encode
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LEAST_BITS: Final = 2048

_SIGNED: Final = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"cfbl-address",
)
_NOT_TWICE: Final = (b"from", b"to", b"subject", b"reply-to")
_FOLDED: Final = re.compile(rb"\r\n(?=[ \t])")
_SPACE: Final = re.compile(rb"[ \t]+")
_SPACE_AT_END: Final = re.compile(rb"[ \t]+(?=\r\n)")
_ROW: Final = 72


class Signer:
    """Signs the mail of one domain with one key."""

    def __init__(self, domain: str, selector: str, key: bytes) -> None:
        """`key`: a private key in PEM, without a password. Raises ValueError."""
        self._domain = domain
        self._selector = selector
        self._key = _load(key)

    def sign(self, message: bytes, at: int = 0) -> bytes:
        """The message with its signature before it. `at`: milliseconds; 0 leaves the time out.

        `message`: whole, lines ended by CRLF.
        """
        head, _, body = message.partition(b"\r\n\r\n")
        headers = _canonical_headers(head)
        names = [name for name in _SIGNED if name in headers]
        digest = b64encode(hashlib.sha256(_canonical_body(body)).digest()).decode("ascii")
        algorithm = "rsa" if isinstance(self._key, RSAPrivateKey) else "ed25519"
        begin = (
            f"DKIM-Signature: v=1; a={algorithm}-sha256; c=relaxed/relaxed;\r\n"
            f" d={self._domain}; s={self._selector};{f' t={at // 1000};' if at else ''}\r\n"
            f" h={_fold(b':'.join([*names, *_NOT_TWICE]).decode('ascii'))};\r\n"
            f" bh={digest};\r\n"
            " b="
        ).encode("ascii")
        [own] = _canonical_headers(begin).values()
        signed = b"".join(headers[name] + b"\r\n" for name in names) + own
        rows = b64encode(self._raw(signed))
        lines = [rows[at : at + _ROW] for at in range(0, len(rows), _ROW)]
        return begin + b"\r\n ".join(lines) + b"\r\n" + message

    def _raw(self, data: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(data, PKCS1v15(), SHA256())
        return self._key.sign(hashlib.sha256(data).digest())  # RFC 8463 §3


def _load(pem: bytes) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("must hold a private key in PEM without a password") from error
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("must be an RSA or Ed25519 key")
    if key.key_size < LEAST_BITS:
        raise ValueError(f"an RSA key needs at least {LEAST_BITS} bits")
    return key


def _canonical_headers(head: bytes) -> dict[bytes, bytes]:
    """By name; ours occur once each (RFC 6376 §3.4.2)."""
    headers: dict[bytes, bytes] = {}
    for line in _FOLDED.sub(b"", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        name = name.strip().lower()
        headers[name] = name + b":" + _SPACE.sub(b" ", value).strip()
    return headers


def _canonical_body(body: bytes) -> bytes:
    """RFC 6376 §3.4.4."""
    if b" " in body or b"\t" in body:
        body = _SPACE.sub(b" ", _SPACE_AT_END.sub(b"", body))
    body = body.rstrip(b"\r\n \t") if body.endswith((b"\r\n", b" ", b"\t")) else body
    return body + b"\r\n" if body else b""


def _fold(names: str) -> str:
    """In two lines, at a colon."""
    middle = names.find(":", len(names) // 2) + 1
    return f"{names[:middle]}\r\n  {names[middle:]}"
