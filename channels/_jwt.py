"""Signed statements of who we are (RFC 7515, compact form), as push services ask for them."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping

import msgspec


def sign_jwt(
    header: Mapping[str, object], claims: Mapping[str, object], sign: Callable[[bytes], bytes]
) -> str:
    """`sign` gives the signature of what comes before it, as the algorithm writes it."""
    signed = b".".join(_part(msgspec.json.encode(part)) for part in (header, claims))
    return b".".join([signed, _part(sign(signed))]).decode("ascii")


def _part(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
