"""A browser's subscription, which is anybody's text, and the push services that we call."""

import re
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from yarl import URL

from angarium.channels._base_url import parse_base_url
from angarium.channels._guard import check_url, is_public
from angarium.channels._web_push_crypto import AUTH_BYTES, decode, read_point

KNOWN_SERVICES: Final = (
    "fcm.googleapis.com",  # Chrome and what is built on it
    "jmt17.google.com",  # Chromium as Linux distributions build it
    "updates.push.services.mozilla.com",
    "*.push.services.mozilla.com",
    "*.notify.windows.com",  # Edge
    "web.push.apple.com",
    "*.push.apple.com",
)
ADDRESS_LETTERS: Final = 4096
ENDPOINT_LETTERS: Final = 2048
KEY_LETTERS: Final = 128

_HTTPS: Final = frozenset({443})
_VISIBLE: Final = re.compile(r"[!-~]+")
_PATTERN: Final = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*")


class NotAllowed(ValueError):
    """An endpoint that may be genuine, and that the settings do not let us call."""


class Subscription(msgspec.Struct, frozen=True):
    """Where to send, and for whose eyes (RFC 8291 §2)."""

    endpoint: URL
    receiver: ec.EllipticCurvePublicKey
    auth: bytes


class _Keys(msgspec.Struct):
    p256dh: str
    auth: str


class _Json(msgspec.Struct):
    endpoint: str
    keys: _Keys


_decode: Final = msgspec.json.Decoder(_Json).decode


def read_subscription(text: str) -> Subscription:
    """The browser's own JSON: endpoint, keys.p256dh, keys.auth; other members mean nothing.

    Raises ValueError that says what is wrong, without the text.
    """
    if len(text) > ADDRESS_LETTERS:
        raise ValueError(f"it is longer than {ADDRESS_LETTERS} characters")
    try:
        found = _decode(text)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON with endpoint, keys.p256dh and keys.auth") from None
    return Subscription(
        endpoint=_endpoint(found.endpoint),
        receiver=_read("p256dh", found.keys.p256dh, read_point),
        auth=_read("auth", found.keys.auth, _auth),
    )


def _endpoint(text: str) -> URL:
    try:
        if len(text) > ENDPOINT_LETTERS or not _VISIBLE.fullmatch(text):
            raise ValueError
        url = URL(text, encoded=True)  # it is the push service's: not a letter of it is ours
        if not url.raw_host or url.scheme not in ("https", "http") or url.port is None:
            raise ValueError
        if url.raw_user is not None or url.raw_password is not None:
            raise ValueError
    except ValueError:
        raise ValueError("its endpoint is no address of a push service") from None
    return url.with_fragment(None)


def _auth(data: bytes) -> bytes:
    if len(data) != AUTH_BYTES:
        raise ValueError(f"is not {AUTH_BYTES} bytes long")
    return data


def _read(name: str, text: str, read: Any) -> Any:
    try:
        if len(text) > KEY_LETTERS:
            raise ValueError("is too long")
        return read(decode(text))
    except ValueError:
        raise ValueError(f"its key {name} is not one that a browser makes") from None


class Services:
    """The push services that may be called: the known ones, and what the operator adds.

    `more`, separated by commas: host names (`push.example.org`, `*.push.example.org`), which are
    called by https on its usual port at a public address; or origins (`https://10.0.0.5:8443`),
    which are called wherever they lead; plain http on this machine only. Raises ValueError.
    """

    def __init__(self, more: str = "") -> None:
        added = [part.strip().lower() for part in more.split(",") if part.strip()]
        patterns = [*KNOWN_SERVICES, *(part for part in added if "://" not in part)]
        for pattern in patterns:
            if not _PATTERN.fullmatch(pattern):
                raise ValueError(f"{pattern!r} is no host name; write push.example.org")
        self._hosts = frozenset(one for one in patterns if not one.startswith("*."))
        self._suffixes = tuple(one[1:] for one in patterns if one.startswith("*."))
        self._origins = frozenset(_origin(part) for part in added if "://" in part)

    def is_named(self, endpoint: URL) -> bool:
        """Whether the operator named this very origin: then it may lead anywhere.

        False: it is a known service, to be called at a public address. Raises NotAllowed.
        """
        if str(endpoint.origin()) in self._origins:
            return True
        host = endpoint.raw_host or ""
        if host not in self._hosts and not host.endswith(self._suffixes):
            raise NotAllowed("its push service is not known: add it to push_services")
        try:
            check_url(str(endpoint), is_public, ports=_HTTPS)
        except ValueError as error:
            raise NotAllowed(f"its endpoint {error}") from None
        return False


def _origin(text: str) -> str:
    try:
        url = URL(parse_base_url(text))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None
    if url.path not in ("", "/") or "*" in (url.raw_host or ""):
        raise ValueError(f"{text!r} is no origin; write https://push.example.org:8443")
    return str(url.origin())
