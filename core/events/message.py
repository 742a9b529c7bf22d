"""Read one message in the Segment shape, from whichever door it came.

The HTTP door calls this before it publishes, so that its answer can list what was refused; the
core calls it on everything. Rules that need state (first type, quotas) are not here.
What published SDKs send, and what their differences are, is listed in docs/api.md.
"""

import unicodedata
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

from angarium.config.limits import (
    ANONYMOUS_ID_LENGTH,
    DEVICE_ID_LENGTH,
    EVENT_NAME_LENGTH,
    JSON_DEPTH,
    MESSAGE_BYTES,
    MESSAGE_ID_LENGTH,
    PREVIOUS_ANONYMOUS_IDS,
    USER_ID_LENGTH,
)
from angarium.core.events.depth import is_deep
from angarium.core.events.times import DAY, parse_instant

KINDS = frozenset({"track", "identify", "page", "screen", "group", "alias"})
PAGE_NAMES = {"page": "Page Viewed", "screen": "Screen Viewed"}
JOINING = frozenset({"identify", "alias"})
"""The kinds that say who somebody is."""
PUSH_SUBSCRIBED = "Push Subscribed"

EARLIEST = 946_684_800_000
"""2000-01-01: anything before it is a clock that was never set."""
FUTURE = 5 * 60_000
"""How far ahead of its receipt, in ms, an event may be; a later one is set back to it."""

SKEW = 5_000
"""Milliseconds between sending and receipt from which a wrong clock is corrected; less is the way
that the request took, and correcting it would put a session's messages out of order."""

MEANINGLESS_IDS = frozenset(
    {"null", "undefined", "none", "nil", "nan", "0", "-1", "true", "false", "anonymous"}
    | {"[object object]", "unknown", "guest"}
)
"""What broken clients send for everybody: taken as an id it would merge strangers."""

LONGEST_MEANINGLESS = max(map(len, MEANINGLESS_IDS))

RESERVED_IDS = ("merge:", "consent:", "reaction:")
"""How the ids of our own entries in the log begin: a sender that took one of these would keep the
entry from being written."""

Json = Mapping[str, Any]
Id = str | int | float | None


class MessageRefused(ValueError):
    """It is not stored; `code` is stable, `field` is where, `reason` says the remedy."""

    def __init__(self, code: str, field: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.field = field
        self.reason = reason


class Device(msgspec.Struct, frozen=True):
    """The device that a message came from; `token` is its push address."""

    id: Id = None
    type: str | None = None
    token: str | None = None


class Context(msgspec.Struct, rename="camel"):
    """The few members of Segment's `context` that mean something here."""

    device: Device | None = None
    traits: dict[str, Any] | None = None
    locale: str | None = None
    timezone: str | None = None
    previous_anonymous_ids: list[Id] | None = None


class Operations(msgspec.Struct, frozen=True):
    """Changes to attributes other than setting them (S2.8)."""

    unset: list[str] = []
    increment: dict[str, int | float] = {}
    add: dict[str, Any] = {}
    remove: dict[str, Any] = {}


class Wire(msgspec.Struct, rename="camel"):
    """A message as it comes."""

    type: str | None = None
    message_id: str | int | None = None
    user_id: Id = None
    anonymous_id: Id = None
    previous_id: Id = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    timestamp: str | int | float | None = None
    original_timestamp: str | int | float | None = None
    sent_at: str | int | float | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    operations: Operations | None = None
    context: Context | None = None


class Defaults(msgspec.Struct, frozen=True):
    """What the envelope says of all its messages; instants in ms."""

    received_at: int
    type: str | None = None
    sent_at: int | None = None
    request_id: str | None = None
    trusted: bool = False


class Message(msgspec.Struct):
    """A message that may be stored. `id` is "" where the sender gave none.

    trusted: said of an alias that came with the right to join two known people.
    """

    id: str
    kind: str
    name: str
    user_id: str | None
    anonymous_id: str | None
    at: int
    received_at: int
    properties: dict[str, Any]
    traits: dict[str, Any]
    operations: Operations | None = None
    hints: dict[str, str] = {}
    device: Device | None = None
    device_id: str | None = None
    previous_ids: tuple[str, ...] = ()
    request_id: str | None = None
    trusted: bool = False
    subscription: Any = None
    """Of `Push Subscribed`: an address, so it never stands among the properties."""

    @property
    def known(self) -> bool:
        """Whether it was said by somebody logged in."""
        return self.user_id is not None


_decode = msgspec.json.Decoder(Wire).decode


def tie(message_id: str) -> int:
    """Decides between two values of the same instant; the same on every machine."""
    return zlib.crc32(message_id.encode("utf-8", "surrogatepass"))


def refuse(code: str, field: str, reason: str) -> NoReturn:
    raise MessageRefused(code, field, reason)


def parse_message(
    raw: bytes | msgspec.Raw, defaults: Defaults, *, most_bytes: int = MESSAGE_BYTES
) -> Message:
    """The message that `raw` (JSON) holds. Raises MessageRefused; takes time linear in its size."""
    text = bytes(raw)
    size = len(text)
    if size > most_bytes:
        refuse("message_too_large", "", f"a message may have {most_bytes} bytes; this has {size}")
    if is_deep(text):
        refuse("too_deep", "", f"a message may have {JSON_DEPTH} levels; this has more")
    wire = _read(text)
    if b"\\" in text and b"\\u0000" in text:
        refuse("null_character", "", "the character U+0000 cannot be stored; remove it")
    kind = wire.type or defaults.type or ""
    if kind not in KINDS:
        refuse("unknown_type", "type", "type is one of " + ", ".join(sorted(KINDS)))
    user_id = read_id(wire.user_id, "userId", USER_ID_LENGTH)
    anonymous_id = read_id(wire.anonymous_id, "anonymousId", ANONYMOUS_ID_LENGTH)
    if user_id is None and anonymous_id is None:
        refuse("no_id", "userId", "a message needs a userId or an anonymousId")
    message = Message(
        _message_id(wire.message_id),
        kind,
        _name(wire, kind),
        user_id,
        anonymous_id,
        _instant(wire, defaults),
        defaults.received_at,
        _properties(wire, kind),
        {},
        device_id=anonymous_id,
        request_id=defaults.request_id,
    )
    if wire.context is not None or kind in JOINING:
        _add_context(message, wire)
        message.trusted = defaults.trusted and kind == "alias"
    if message.name == PUSH_SUBSCRIBED:
        message.subscription = message.properties.pop("subscription", None)
    return message


def _read(raw: bytes) -> Wire:
    try:
        return _decode(raw)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at ")
        field = path.strip("`").removeprefix("$").removeprefix(".")
        raise MessageRefused("wrong_type", field, text) from error
    except RecursionError as error:
        raise MessageRefused("too_deep", "", "the message is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageRefused("not_json", "", "the message is not valid JSON") from error


def read_id(value: Id, field: str, letters: int) -> str | None:
    """An id in its one form (a string, NFC); None where there is none. Raises MessageRefused."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        value = str(int(value)) if value == int(value) else str(value)
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    if len(value) > letters:
        refuse("id_too_long", field, f"{field} may have {letters} characters")
    if not value.isprintable() and any(unicodedata.category(c) == "Cc" for c in value):
        refuse("bad_id", field, f"{field} has control characters")
    word = value.strip()
    if len(word) <= LONGEST_MEANINGLESS and (not word or word.lower() in MEANINGLESS_IDS):
        refuse("meaningless_id", field, f"{field} names nobody; leave it out if there is none")
    return value


def _message_id(value: str | int | None) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    if len(text) > MESSAGE_ID_LENGTH:
        letters = MESSAGE_ID_LENGTH
        refuse("message_id_too_long", "messageId", f"messageId may have {letters} characters")
    if ":" in text and text.startswith(RESERVED_IDS):
        begun = ", ".join(RESERVED_IDS)
        refuse("reserved_message_id", "messageId", f"messageId may not begin with {begun}")
    return text


def _name(wire: Wire, kind: str) -> str:
    if kind != "track":
        return PAGE_NAMES.get(kind, "")
    name = (wire.event or "").strip()
    if not name:
        refuse("no_event_name", "event", "a track message needs the name of its event")
    if len(name) > EVENT_NAME_LENGTH:
        refuse("event_name_too_long", "event", f"event may have {EVENT_NAME_LENGTH} characters")
    if not name.isprintable() and any(unicodedata.category(c) == "Cc" for c in name):
        refuse("bad_event_name", "event", "event has control characters")
    return name


def _instant(wire: Wire, defaults: Defaults) -> int:
    """S0.8: the sender's time, corrected by the error of its clock; by default the receipt's."""
    received_at = defaults.received_at
    claimed = wire.timestamp if wire.timestamp is not None else wire.original_timestamp
    if claimed is None or claimed == "":
        return received_at
    at = _moment(claimed, "timestamp")
    sent_at = defaults.sent_at
    if wire.sent_at:
        sent_at = _moment(wire.sent_at, "sentAt")
    if sent_at is not None and at <= sent_at + DAY and abs(received_at - sent_at) >= SKEW:
        at += received_at - sent_at
    if at < EARLIEST:
        refuse("timestamp_out_of_range", "timestamp", "timestamp lies before the year 2000")
    return received_at if at > received_at + FUTURE else at


def _moment(value: str | float, field: str) -> int:
    if not isinstance(value, str):
        return int(value) if value > 100_000_000_000 else int(value * 1000)
    try:
        return parse_instant(value)
    except ValueError:
        refuse("bad_timestamp", field, f"{field} is not an RFC 3339 time like 2026-11-22T10:00:00Z")


def _properties(wire: Wire, kind: str) -> dict[str, Any]:
    properties = wire.properties or {}
    if kind in PAGE_NAMES:
        named = {"name": wire.name, "category": wire.category}
        return {k: v for k, v in named.items() if v} | properties
    return properties


def _add_context(message: Message, wire: Wire) -> None:
    context = wire.context or Context()
    if context.device is not None:
        message.device = context.device
        device_id = read_id(context.device.id, "context.device.id", DEVICE_ID_LENGTH)
        message.device_id = device_id or message.anonymous_id
    if message.kind == "alias":
        previous = read_id(wire.previous_id, "previousId", ANONYMOUS_ID_LENGTH)
        if previous is None or message.user_id is None:
            refuse("no_id", "previousId", "alias needs a previousId and a userId")
        message.previous_ids = (previous,)
    elif message.kind == "identify":
        _add_identity(message, wire, context)


def _add_identity(message: Message, wire: Wire, context: Context) -> None:
    message.operations = wire.operations
    message.traits = (context.traits or {}) | (wire.traits or {})
    hints = {"locale": context.locale, "timezone": context.timezone}
    message.hints = {name: value for name, value in hints.items() if value}
    if context.previous_anonymous_ids and message.user_id is not None:
        message.previous_ids = _previous(context.previous_anonymous_ids)


def _previous(values: list[Id]) -> tuple[str, ...]:
    ids = [read_id(v, "context.previousAnonymousIds", ANONYMOUS_ID_LENGTH) for v in values]
    return tuple(i for i in dict.fromkeys(ids) if i is not None)[:PREVIOUS_ANONYMOUS_IDS]
