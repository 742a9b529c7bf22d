"""What Twilio's error codes and message statuses mean.

Twilio's texts are never repeated: they hold the number. Source: Twilio's error dictionary and the
table of message statuses (twilio.com/docs/api/errors, …/messaging/api/message-resource).
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from angarium.channels._http import Answer, retry_after
from angarium.plugins import Accepted, InDoubt, PermanentFailure, TemporaryFailure
from angarium.plugins.callback import Status

BUSY_SECONDS: Final = 10.0
MISCONFIGURED_SECONDS: Final = 300.0

Failure = TemporaryFailure | PermanentFailure | InDoubt

DEAD: Final[Mapping[int, str]] = {
    21211: "there is no such number",
    21214: "there is no such number",
    21217: "there is no such number",
    21614: "the number cannot receive text messages",
    21610: "the recipient has opted out",  # to whomever: suppressed, whoever sends for us later
    30005: "there is no such number",
    30006: "the number cannot receive text messages",
}
"""Nothing will arrive at this number."""
_MESSAGE: Final[Mapping[int, str]] = {
    21408: "the account may not send to this country",
    21602: "the text is empty",
    21612: "no way from this sender to this number",
    21617: "the text is too long",
    21619: "the text is empty",
}
_QUEUE_FULL: Final = frozenset({14107, 20429, 21611, 63038})

STATUSES: Final[Mapping[str, Status]] = {
    "sent": "accepted",
    "delivered": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
    "read": "opened",
}
"""What callbacks say; other words (queued, sending, …) say nothing that we do not know."""


class _Error(msgspec.Struct):
    code: int = 0


class _Message(msgspec.Struct):
    sid: str


def read_answer(answer: Answer) -> Accepted:
    """The answer to a message. Raises what it means where it was not taken."""
    if answer.status not in (200, 201):
        raise _failure(answer)
    try:
        message = msgspec.json.decode(answer.body, type=_Message)
    except (ValueError, RecursionError):
        message = _Message("")
    if not message.sid:
        raise InDoubt(f"sms_twilio: an answer that cannot be read ({answer.status})")
    return Accepted(provider_id=message.sid)


def read_code(text: str) -> tuple[str, bool]:
    """The reason that a callback's ErrorCode gives, and whether the address is dead."""
    if not (text.isascii() and text.isdigit()) or not int(text[:6]):
        return "", False
    code = int(text[:6])
    return f"sms_twilio: {DEAD.get(code, 'not delivered')} ({code})", code in DEAD


def _failure(answer: Answer) -> Failure:
    status, code = answer.status, _code(answer.body)
    shown = f"{status} {code}" if code else f"{status}"
    if status == 429 or code in _QUEUE_FULL:
        wait = retry_after(answer) or BUSY_SECONDS
        return TemporaryFailure(f"sms_twilio: too many messages ({shown})", wait, pause=True)
    if status >= 500 or status < 400:
        return InDoubt(f"sms_twilio: the server failed ({shown})")
    if code in DEAD:
        return PermanentFailure(f"sms_twilio: {DEAD[code]} ({shown})", address_dead=True)
    if code in _MESSAGE:
        return PermanentFailure(f"sms_twilio: {_MESSAGE[code]} ({shown})")
    reason = f"sms_twilio: refused ({shown}); check account, token and sender"
    return TemporaryFailure(reason, MISCONFIGURED_SECONDS, pause=True)


def _code(body: bytes) -> int:
    try:
        return msgspec.json.decode(body, type=_Error).code
    except (ValueError, RecursionError):
        return 0
