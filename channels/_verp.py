"""The return path of one message: it names the delivery, and nobody else can make it (VERP).

A bounce comes back to the address that the message was sent from. With the delivery's key and a
MAC in it, the bounce says which message it is about, and a forged one suppresses nobody.
"""

import hmac
import re
from base64 import b32encode
from collections.abc import Iterable
from typing import Final

from angarium.plugins.addresses import parse_email

PLACE: Final = "{id}"

_KEY: Final = re.compile(r"[a-z0-9_]{1,30}")
_TOKEN: Final = re.compile(
    r"(?<![a-z0-9_])([a-z0-9_]{1,30})\.([a-z2-7]{16})(?![a-z0-9])", re.A | re.I
)
_NOBODY: Final = "none"
_SAMPLE: Final = f"{'k' * 30}.{'m' * 16}"


class ReturnPath:
    """Addresses such as `bounce+<key>.<mac>@example.org`, of the pattern `bounce+{id}@…`."""

    def __init__(self, pattern: str, secret: bytes) -> None:
        """Raises ValueError for a pattern that makes no address."""
        if pattern.count(PLACE) != 1:
            raise ValueError(f"must hold {PLACE} once")
        parse_email(pattern.replace(PLACE, _SAMPLE))
        self._pattern = pattern
        self._secret = secret

    def address(self, key: str) -> str:
        """Of the message with this key; one that names nobody if the key is of no such kind."""
        named = _KEY.fullmatch(key)
        return self._pattern.replace(PLACE, f"{key}.{self._mac(key)}" if named else _NOBODY)

    def find(self, texts: Iterable[str]) -> str:
        """The key that genuine return paths in the texts name; "" for none, and for several.

        Read in either case, and inside what a forwarder wraps around an address.
        """
        keys = {
            match[1].lower()
            for text in texts
            for match in _TOKEN.finditer(text)
            if hmac.compare_digest(self._mac(match[1].lower()), match[2].lower())
        }
        return keys.pop() if len(keys) == 1 else ""

    def _mac(self, key: str) -> str:
        digest = hmac.digest(self._secret, b"return path\0" + key.encode(), "sha256")
        return b32encode(digest[:10]).decode("ascii").lower()
