"""What a stream message holds: one message, or a batch with what its door said of it.

The HTTP door writes `{"receivedAt": ms, "requestId", "sentAt", "type", "trusted", "batch"}` with
the members as they came, or an array of those, for requests that came at the same time. Any service
may publish one message alone, a batch with the same, or an array of either.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from angarium.config.limits import BATCH_MESSAGES, JSON_DEPTH, MESSAGE_BYTES
from angarium.core.delivery.keys import make_id
from angarium.core.events.message import (
    Defaults,
    Message,
    MessageRefused,
    parse_message,
)
from angarium.core.events.times import DAY, parse_instant

ARRAY_BYTES: Final = 2**20
"""Each batch has a length of its own; all of it is one transaction."""


class Envelope(msgspec.Struct, rename="camel"):
    """The members that are not messages are those of `Defaults`."""

    batch: list[msgspec.Raw] | None = None
    received_at: int | None = None
    request_id: str | None = None
    sent_at: str | int | None = None
    type: str | None = None
    trusted: Any = None


class Origin(msgspec.Struct, frozen=True):
    """Where a stream message stands: that names messages whose senders gave them no id."""

    epoch: str
    sequence: int
    at: int

    def message_id(self, index: int) -> str:
        """The same on every redelivery."""
        return make_id("msg_", self.epoch, str(self.sequence), str(index))


_decode = msgspec.json.Decoder(Envelope).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode

Member = Message | tuple[str, MessageRefused]


def open_envelope(
    body: bytes, origin: Origin, *, most_bytes: int = MESSAGE_BYTES
) -> Iterator[Member]:
    """The messages in a stream message; a refused one comes as its id and the refusal."""
    index = 0
    try:
        for part in _parts(body):
            for member in _open_part(part, origin, index, most_bytes):
                yield member
                index += 1
    except MessageRefused as refused:
        yield origin.message_id(index), refused


def _parts(body: bytes) -> Sequence[bytes | msgspec.Raw]:
    """Raises MessageRefused where nothing of it can be read."""
    if body[:1] != b"[":
        return (body,)
    if len(body) > ARRAY_BYTES:
        reason = f"an array of batches may have {ARRAY_BYTES} bytes; this has {len(body)}"
        raise MessageRefused("batch_too_large", "", reason)
    parts: list[msgspec.Raw] = _read(_decode_array, body)
    _check_length(len(parts))
    return parts


def _open_part(
    body: bytes | msgspec.Raw, origin: Origin, first: int, most_bytes: int
) -> Iterator[Member]:
    """`first`: how many members of the stream message came before.

    Members without a time happened in their order: a millisecond apart, the last as it was
    received. Else chance would say which of two values for one attribute is the later.
    """
    try:
        envelope: Envelope = _read(_decode, body)
        members = [body] if envelope.batch is None else envelope.batch
        _check_length(len(members))
    except MessageRefused as refused:
        yield origin.message_id(first), refused
        return
    defaults = _defaults(envelope, origin)
    last = first + len(members) - 1
    for index, member in enumerate(members, first):
        try:
            message = parse_message(member, defaults, most_bytes=most_bytes)
        except MessageRefused as refused:
            yield origin.message_id(index), refused
            continue
        message.id = message.id or origin.message_id(index)
        if message.at == defaults.received_at:
            message.at -= last - index
        yield message


def _read(decode: Callable[[Any], Any], body: bytes | msgspec.Raw) -> Any:
    try:
        return decode(body)
    except RecursionError:
        reason = f"a message may have {JSON_DEPTH} levels; nothing of this was read"
        raise MessageRefused("too_deep", "", reason) from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise MessageRefused("not_json", "", "not a message in JSON") from None


def _check_length(count: int) -> None:
    if count > BATCH_MESSAGES:
        reason = f"a batch may have {BATCH_MESSAGES} messages; this has {count}"
        raise MessageRefused("batch_too_large", "batch", reason)


def _defaults(envelope: Envelope, origin: Origin) -> Defaults:
    if envelope.batch is None:
        return Defaults(origin.at)
    return Defaults(
        _received_at(envelope.received_at, origin.at),
        envelope.type,
        read_sent_at(envelope.sent_at),
        envelope.request_id,
        envelope.trusted is True,
    )


def _received_at(claimed: int | None, stored_at: int) -> int:
    """The door's word as far as it can be true: not after the stream has it, nor a day before."""
    if claimed is None or not stored_at - DAY <= claimed <= stored_at:
        return stored_at
    return claimed


def read_sent_at(value: str | int | None) -> int | None:
    """The instant of sending; a sender that cannot write one is believed without it."""
    if value is None or isinstance(value, int):
        return value
    try:
        return parse_instant(value)
    except ValueError:
        return None
