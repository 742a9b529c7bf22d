"""Take the body of an ingest request apart into its members, as the raw bytes that came.

Of two members of an object with the same name the last one counts, here as in the core.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

import msgspec

from angarium.core.events.times import parse_instant
from angarium.gateway.problems import Problem, Refusal

Members = Sequence[bytes | msgspec.Raw]

BOM: Final = b"\xef\xbb\xbf"
KEY: Final = b'"writeKey"'
LOST: Final = b""
"""Stands for a member that is not JSON."""
SENT_AT_LETTERS: Final = 64


class Submission(msgspec.Struct, frozen=True):
    """The members of one body; when it was sent and its key, "" where it does not say."""

    members: Members
    sent_at: str = ""
    key: str = ""


Split = Callable[[bytes], Submission]


class _Batch(msgspec.Struct, rename="camel"):
    batch: list[msgspec.Raw]
    write_key: Any = None
    sent_at: Any = None


_decode_batch = msgspec.json.Decoder(_Batch).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def unreadable(reason: str) -> Refusal:
    """The refusal of a body that is not what the path takes; `reason` repeats nothing of it."""
    return Refusal(Problem.UNREADABLE_BODY, reason)


def split_batch(body: bytes) -> Submission:
    """Take `{"batch": […], "sentAt", "writeKey"}` apart. Raises Refusal (400)."""
    body = _text(body)
    try:
        batch = _decode_batch(body)
    except RecursionError:
        raise unreadable("it is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise unreadable(str(error)) from error
    except msgspec.DecodeError as error:
        return _salvage(body, error)
    key = batch.write_key if isinstance(batch.write_key, str) else ""
    members: Members = batch.batch
    if body.count(KEY) > bool(key):
        members = [_without_key(bytes(member))[0] for member in members]
    return Submission(members, read_sent_at(batch.sent_at), key)


def split_single(body: bytes) -> Submission:
    """Take a body that is one message, readable or not. Raises Refusal (400) unless it is UTF-8."""
    message, key = _without_key(_text(body))
    return Submission([message], key=key)


def read_sent_at(value: Any) -> str:
    """`value` where it is an instant, else "": a broken clock must not lose a batch."""
    if not isinstance(value, str) or not 0 < len(value) <= SENT_AT_LETTERS:
        return ""
    try:
        parse_instant(value)
    except ValueError:
        return ""
    return value


def _text(body: bytes) -> bytes:
    """Raises Refusal unless `body` is UTF-8; without the mark that some editors put before it."""
    try:
        body.decode()
    except UnicodeDecodeError:
        raise unreadable("it is not encoded in UTF-8") from None
    return body.removeprefix(BOM)


def _without_key(member: bytes) -> tuple[bytes, str]:
    """`member` without its `writeKey`, and that key. Only then is it written anew."""
    if KEY not in member:
        return member, ""
    try:
        parts = _decode_members(member)
        key = msgspec.json.decode(parts.pop("writeKey", b'""'))
    except (msgspec.DecodeError, RecursionError):
        return member, ""  # whoever reads it refuses it
    return _encode(parts), key if isinstance(key, str) else ""


def _salvage(body: bytes, cause: msgspec.DecodeError) -> Submission:
    """Half of a surrogate pair spoils the strict reading of a whole batch: lose that member alone.

    Browsers write it as \\ud83d when a text was cut in the middle of an emoji.
    """
    try:
        if b"\\ud" not in body.lower():
            raise cause
        document = json.loads(body, parse_constant=_no_constant)
        batch: list[Any] = msgspec.convert(document["batch"], list[Any])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise unreadable(str(cause)) from cause
    key = document.get("writeKey")
    members = [_without_key(_encode_or_lose(member))[0] for member in batch]
    sent_at = read_sent_at(document.get("sentAt"))
    return Submission(members, sent_at, key if isinstance(key, str) else "")


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _encode_or_lose(member: Any) -> bytes:
    try:
        return _encode(member)
    except (UnicodeEncodeError, OverflowError, RecursionError):
        return LOST
