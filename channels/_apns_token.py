"""The token by which APNs knows us: signed by a key of the team, and kept for 40 minutes.

Apple refuses a token older than an hour, and whoever makes a new one more often than every twenty
minutes.
"""

from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from angarium.channels._jwt import sign_jwt

RENEW_AFTER: Final = 40 * 60_000
SOONEST: Final = 20 * 60_000
"""Milliseconds of a token's life before which no other is made."""


class ProviderToken:
    """The current token of one key. Its clock is the time of the messages, in milliseconds."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, *, key_id: str, team_id: str) -> None:
        self._key = key
        self._key_id = key_id
        self._team_id = team_id
        self._text = ""
        self._issued = 0
        self._refused = False

    def text(self, now: int) -> str:
        """The token to send with; a new one when it is time."""
        if not self._text or abs(now - self._issued) >= self._life:
            self._issued = now
            self._refused = False
            header = {"alg": "ES256", "kid": self._key_id}
            claims = {"iss": self._team_id, "iat": now // 1000}
            self._text = sign_jwt(header, claims, self._sign)
        return self._text

    def refuse(self, text: str) -> None:
        """APNs calls it expired: make another as soon as that is allowed."""
        if text == self._text:
            self._refused = True

    def wait(self, now: int) -> float:
        """Seconds until a message may go with a token that was not refused."""
        if not self._refused:
            return 0.0
        return max(0, SOONEST - abs(now - self._issued)) / 1000

    @property
    def _life(self) -> int:
        return SOONEST if self._refused else RENEW_AFTER

    def _sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def parse_key(data: bytes) -> ec.EllipticCurvePrivateKey:
    """Read the .p8 file that Apple gives. Raises ValueError, which repeats nothing of it."""
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError):
        raise ValueError("must be the private key (.p8) that Apple gave, in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError("must be a key on the curve P-256, as Apple gives them")
    return key
