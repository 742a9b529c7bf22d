"""What Kavenegar's numbers mean: of an answer (`return.status`), and of a message (`status`).

The HTTP status repeats the first where the answer is Kavenegar's own. Its texts are never repeated:
some hold the number. Source: kavenegar.com/rest.html, both tables.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from angarium.channels._http import Answer, retry_after
from angarium.plugins import (
    Accepted,
    InDoubt,
    PermanentFailure,
    StatusUpdate,
    TemporaryFailure,
)
from angarium.plugins.callback import Status

PAUSES: Final[Mapping[str, float]] = {"busy": 30.0, "throttled": 60.0, "ours": 300.0}
"""Seconds to leave the provider alone, where the answer does not say how long."""
BLACKLISTED: Final = "sms_kavenegar: blacklisted"
"""The recipient refuses advertising lines: the number is alive, and other lines reach it."""

Kind = Literal["ours", "busy", "throttled", "dead", "message", "again"]

_MEANINGS: Final[Mapping[int, tuple[Kind, str]]] = {
    400: ("message", "parameters are missing"),
    401: ("ours", "the account is disabled"),
    402: ("again", "the operation failed"),
    403: ("ours", "the API key is not valid; check api_key"),
    404: ("ours", "no such method; check url"),
    405: ("ours", "no such method; check url"),
    406: ("message", "parameters are empty"),
    407: ("ours", "access is not allowed; check the account's addresses"),
    409: ("busy", "the server is busy"),
    411: ("dead", "the recipient's number is not valid"),
    412: ("ours", "the line is not valid; check sender"),
    413: ("message", "the text is empty or too long"),
    414: ("message", "the request is too large"),
    416: ("ours", "the account does not allow this server's address"),
    418: ("ours", "the account's credit is used up"),
    420: ("message", "the account may send no links"),
    422: ("message", "the text holds characters that are not taken"),
    426: ("ours", "the account lacks this service"),
    427: ("ours", "the line is not open to this account; check sender"),
    429: ("throttled", "too many requests"),
    451: ("throttled", "too many requests"),
    501: ("ours", "a test account sends to its owner only"),
}

_QUEUED: Final = frozenset({1, 2, 4, 5, 10, 11})
_UNSENT: Final[Mapping[int, str]] = {
    6: "sms_kavenegar: the line failed to send it",
    13: "sms_kavenegar: cancelled",
    14: BLACKLISTED,
}
_NO_SUCH_MESSAGE: Final = 100
_STATUSES: Final[Mapping[int, Status]] = {
    4: "accepted",
    5: "accepted",
    6: "failed",
    10: "delivered",
    11: "undelivered",
    13: "failed",
    14: "undelivered",
}

Failure = TemporaryFailure | PermanentFailure | InDoubt


class Entry(msgspec.Struct):
    messageid: int | str = ""
    status: int = 0


class Return(msgspec.Struct):
    status: int


class _Envelope(msgspec.Struct):
    result: Return = msgspec.field(name="return")
    entries: list[Entry] | None = None


def read_sent(answer: Answer) -> Accepted:
    """The answer to a message. Raises what it means otherwise."""
    envelope = _decode(answer)
    if envelope is None:
        raise _foreign(answer)
    if envelope.result.status != 200:
        raise _failure(envelope.result.status, answer)
    entry = next(iter(envelope.entries or ()), None)
    if entry is None or not entry.messageid or entry.status == _NO_SUCH_MESSAGE:
        raise InDoubt("sms_kavenegar: an answer without the message's number")
    return _accepted(entry)


def read_found(answer: Answer) -> Accepted | None:
    """The answer to what became of a message; None: not known. Raises PermanentFailure."""
    envelope = _decode(answer)
    if envelope is None or envelope.result.status != 200:
        return None
    entry = next(iter(envelope.entries or ()), None)
    if entry is None or not entry.messageid or entry.status not in _QUEUED | _UNSENT.keys():
        return None
    return _accepted(entry)


def read_status(id: str, status: str) -> Sequence[StatusUpdate]:
    """What a callback says of a message. Raises ValueError for what is no status."""
    if not id:
        raise ValueError("sms_kavenegar: a status without messageid")
    known = _STATUSES.get(int(status))
    if known is None:
        return ()
    reason = _UNSENT.get(int(status), "")
    return [StatusUpdate(status=known, provider_id=id, id=f"{id}/{int(status)}", reason=reason)]


def _accepted(entry: Entry) -> Accepted:
    if entry.status in _UNSENT:
        raise PermanentFailure(_UNSENT[entry.status])
    return Accepted(provider_id=str(entry.messageid))


def _failure(status: int, answer: Answer) -> Failure:
    if status >= 500 and status not in _MEANINGS:
        return InDoubt(f"sms_kavenegar: the server failed ({status})")
    kind, meaning = _MEANINGS.get(status, ("again", "refused"))
    reason = f"sms_kavenegar: {meaning} ({status})"
    if kind in ("dead", "message"):
        return PermanentFailure(reason, address_dead=kind == "dead")
    if kind == "again":
        return TemporaryFailure(reason, retry_after(answer))
    return TemporaryFailure(reason, retry_after(answer) or PAUSES[kind], pause=True)


def _foreign(answer: Answer) -> Failure:
    """What is not Kavenegar's answer, but of something before it, says little of the message."""
    if answer.status == 429:
        return _failure(429, answer)
    if 400 <= answer.status < 500:
        reason = f"sms_kavenegar: this is not Kavenegar's answer ({answer.status}); check url"
        return TemporaryFailure(reason, PAUSES["ours"], pause=True)
    return InDoubt(f"sms_kavenegar: an answer that cannot be read ({answer.status})")


def _decode(answer: Answer) -> _Envelope | None:
    try:
        return msgspec.json.decode(answer.body, type=_Envelope)
    except (ValueError, RecursionError):
        return None
