"""Read what a message says of its device. Hostile shapes come back as problems (S2.12).

A token or subscription that cannot be used costs the message nothing else. Problems hold no value:
an address is a secret.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard
from urllib.parse import urlsplit

import msgspec

from angarium.config.limits import PUSH_ADDRESS_BYTES
from angarium.core.events.message import PUSH_SUBSCRIBED, Message, tie
from angarium.core.events.values import Problem
from angarium.core.people.devices import (
    PERMISSION_DENIED,
    PERMISSION_GRANTED,
    PUSH_EVENTS,
    PUSH_UNSUBSCRIBED,
    WEB,
    Word,
    read_type,
    said_of_app,
)

Report = Callable[[Problem], None]

TOKEN: Final = "context.device.token"
SUBSCRIPTION: Final = "properties.subscription"
POINT_BYTES: Final = 65
POINT_FORM: Final = 4
"""An uncompressed point of P-256 (RFC 8291 §2)."""
AUTH_BYTES: Final = 16
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")

_MEANINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    PUSH_UNSUBSCRIBED: {"address": ""},
    PERMISSION_DENIED: {"address": "", "permission": False},
    PERMISSION_GRANTED: {"permission": True},
}
_VISIBLE: Final = re.compile(r"[!-~]+")


def speaks_of_device(message: Message) -> bool:
    """Whether there is anything for `read_word` to read."""
    return message.device is not None or message.name in PUSH_EVENTS


def read_word(message: Message, report: Report) -> Word | None:
    """What the message says; None where it names no device that could be meant."""
    told = message.device.token if message.device is not None else None
    if message.device_id is None:
        if told or message.name in PUSH_EVENTS:
            reason = "a push address needs a context.device.id or an anonymousId"
            report(Problem("context.device.id", "no_device_id", reason, None))
        return None
    word = Word(message.at, tie(message.id), app=said_of_app(message))
    claimed = message.device.type if message.device is not None else None
    kind = read_type(claimed)
    if message.name in PUSH_EVENTS:
        return _of_event(message, word, kind, report)
    named = message.device_id != message.anonymous_id
    if not told and kind is None and word.app is None and not named:
        return None  # a model or a maker: that makes no device of every visitor
    address = _read_token(told, claimed, kind, report) if told else None
    return msgspec.structs.replace(word, type=kind, address=address)


def _of_event(message: Message, word: Word, kind: str | None, report: Report) -> Word:
    """Push events are a browser's, unless the device says that it is a phone."""
    if message.name != PUSH_SUBSCRIBED:
        return msgspec.structs.replace(word, type=kind or WEB, **_MEANINGS[message.name])
    address = read_subscription(message.subscription, SUBSCRIPTION, report)
    granted = True if address else None
    return msgspec.structs.replace(word, type=WEB, address=address, permission=granted)


def _read_token(token: str, claimed: str | None, kind: str | None, report: Report) -> str | None:
    if len(token.encode("utf-8", "surrogatepass")) > PUSH_ADDRESS_BYTES:
        reason = f"a token may have {PUSH_ADDRESS_BYTES} bytes"
        report(Problem(TOKEN, "token_too_long", reason, None))
        return None
    if kind == WEB:
        if token.startswith("{"):
            return read_subscription(token, TOKEN, report)
        reason = "a browser has no token; send its subscription as the event Push Subscribed"
        report(Problem(TOKEN, "bad_token", reason, None))
        return None
    if claimed and kind is None:
        reason = "a device with a token is of type android, ios or web"
        report(Problem("context.device.type", "unknown_device_type", reason, claimed))
        return None
    if not _VISIBLE.fullmatch(token) or token.startswith("{"):
        reason = "a token is the text that FCM or APNs gave the app, without spaces"
        report(Problem(TOKEN, "bad_token", reason, None))
        return None
    return token


def read_subscription(value: Any, field: str, report: Report) -> str | None:
    """A browser's subscription in its one form, JSON of endpoint, keys.p256dh and keys.auth."""
    try:
        return _subscription(value)
    except _Bad as bad:
        where = f"{field}.{bad.member}" if bad.member and field == SUBSCRIPTION else field
        report(Problem(where, "bad_subscription", str(bad), None))
        return None


class _Bad(ValueError):
    def __init__(self, member: str, reason: str) -> None:
        super().__init__(reason)
        self.member = member


def _subscription(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            value = None
    if not _is_object(value):
        raise _Bad("", "it is what PushSubscription.toJSON() gives: endpoint and keys")
    keys = value.get("keys")
    if not _is_object(keys):
        raise _Bad("keys", "keys holds p256dh and auth")
    endpoint = _endpoint(value.get("endpoint"))
    point = _key(keys.get("p256dh"), "p256dh", POINT_BYTES)
    if point[0] != POINT_FORM:
        raise _Bad("keys.p256dh", "p256dh is an uncompressed point, as browsers give it")
    _key(keys.get("auth"), "auth", AUTH_BYTES)
    kept = {"p256dh": keys["p256dh"], "auth": keys["auth"]}
    text = msgspec.json.encode({"endpoint": endpoint, "keys": kept}).decode()
    if len(text) > PUSH_ADDRESS_BYTES:
        raise _Bad("", f"a subscription may have {PUSH_ADDRESS_BYTES} bytes")
    return text


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _endpoint(value: Any) -> str:
    wrong = _Bad("endpoint", "endpoint is the https address that the browser gave")
    if not isinstance(value, str) or not _VISIBLE.fullmatch(value):
        raise wrong
    try:
        url = urlsplit(value)
        host, _ = url.hostname, url.port
    except ValueError:
        raise wrong from None
    plain = url.scheme == "http" and host in LOOPBACK
    if not host or url.username is not None or not (url.scheme == "https" or plain):
        raise wrong
    return value


def _key(value: Any, name: str, size: int) -> bytes:
    """Base64url, with or without padding."""
    wrong = _Bad(f"keys.{name}", f"{name} is {size} bytes in base64url, as browsers give it")
    if not isinstance(value, str) or len(value) > 2 * size:
        raise wrong
    try:
        data = base64.b64decode(value + "=" * (-len(value) % 4), "-_", validate=True)
    except (binascii.Error, ValueError):
        raise wrong from None
    if len(data) != size:
        raise wrong
    return data
