"""The cryptography of web push: encrypted bodies (RFC 8188, 8291) and signed senders (RFC 8292)."""

import os
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from angarium.channels._jwt import sign_jwt

CURVE: Final = ec.SECP256R1()
POINT_BYTES: Final = 65
SCALAR_BYTES: Final = 32
AUTH_BYTES: Final = 16
SALT_BYTES: Final = 16

RECORD_BYTES: Final = 4096
"""One record holds the whole message (RFC 8291 §4)."""
OVERHEAD_BYTES: Final = SALT_BYTES + 4 + 1 + POINT_BYTES + 1 + 16
"""What encryption adds: salt, record size, key length, key, delimiter, tag."""

LAST_RECORD: Final = b"\x02"

HALF_LIFE_MS: Final = 6 * 60 * 60 * 1000
"""A header serves for this long, and is good for twice as long: servers' clocks differ."""
MOST_HEADERS: Final = 256


def encode(data: bytes) -> str:
    """base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Bytes of base64url; the plain alphabet and padding are taken too. Raises ValueError."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    return a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)


def read_point(data: bytes) -> ec.EllipticCurvePublicKey:
    """An uncompressed point of P-256. Raises ValueError where it is none, or not on the curve."""
    if len(data) != POINT_BYTES or data[0] != 4:
        raise ValueError(f"is not an uncompressed point of {POINT_BYTES} bytes")
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, data)


def write_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Its uncompressed form."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def read_private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """A private key of P-256 as 32 bytes in base64url. Raises ValueError, without the text."""
    try:
        data = decode(text)
        if len(data) == SCALAR_BYTES:
            return ec.derive_private_key(int.from_bytes(data), CURVE)
    except ValueError:
        pass
    raise ValueError(f"is not a private key of P-256: {SCALAR_BYTES} bytes in base64url")


def make_private_key() -> str:
    """A new private key, as `read_private_key` takes it."""
    number = ec.generate_private_key(CURVE).private_numbers().private_value
    return encode(number.to_bytes(SCALAR_BYTES))


def public_key(private_key: str) -> str:
    """The public key of `private_key`, as browsers take it. Raises ValueError."""
    return encode(write_point(read_private_key(private_key).public_key()))


def encrypt(
    plaintext: bytes,
    receiver: ec.EllipticCurvePublicKey,
    auth: bytes,
    *,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body that only the browser behind `receiver` and `auth` can read (RFC 8291 §3.4).

    `plaintext` must fit one record. Each message has a key pair and a salt of its own: give them
    in tests only.
    """
    sender = sender or ec.generate_private_key(CURVE)
    salt = salt or os.urandom(SALT_BYTES)
    own, theirs = write_point(sender.public_key()), write_point(receiver)
    shared = sender.exchange(ec.ECDH(), receiver)
    secret = _derive(shared, auth, b"WebPush: info\0" + theirs + own, 32)
    key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + RECORD_BYTES.to_bytes(4) + bytes((len(own),)) + own
    return header + AESGCM(key).encrypt(nonce, plaintext + LAST_RECORD, None)


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


class Vapid:
    """Says who sends (RFC 8292): a header for each push service, signed rarely."""

    def __init__(self, private_key: str, contact: str) -> None:
        self._key = read_private_key(private_key)
        self._contact = contact
        self._public = encode(write_point(self._key.public_key()))
        self._headers: dict[str, tuple[int, str]] = {}

    def header(self, origin: str, now: int) -> str:
        """The value of Authorization for the push service at `origin`; `now` in ms."""
        made_at, header = self._headers.get(origin, (0, ""))
        if not header or abs(now - made_at) >= HALF_LIFE_MS:
            header = f"vapid t={self._sign(origin, now)}, k={self._public}"
            self._keep(origin, now, header)
        return header

    def _keep(self, origin: str, now: int, header: str) -> None:
        self._headers.pop(origin, None)
        if len(self._headers) >= MOST_HEADERS:
            del self._headers[next(iter(self._headers))]
        self._headers[origin] = now, header

    def _sign(self, origin: str, now: int) -> str:
        expires_at = (now + 2 * HALF_LIFE_MS) // 1000
        claims = {"aud": origin, "exp": expires_at, "sub": self._contact}
        return sign_jwt({"typ": "JWT", "alg": "ES256"}, claims, self._es256)

    def _es256(self, signed: bytes) -> bytes:
        """The two numbers one after the other (RFC 7518 §3.4) instead of in DER."""
        r, s = utils.decode_dss_signature(self._key.sign(signed, ec.ECDSA(SHA256())))
        return r.to_bytes(SCALAR_BYTES) + s.to_bytes(SCALAR_BYTES)
