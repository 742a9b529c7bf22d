"""What an answer of APNs means for the message.

By the reason in its body (Apple, "Handling notification responses from APNs"): the status alone
does not tell a dead token from a wrong setting of ours.
"""

from typing import Final

import msgspec

from angarium.channels._belief import REFUSED_SECONDS
from angarium.channels._http import Answer, retry_after
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure

BUSY_SECONDS: Final = 10.0
SAME_PHONE_SECONDS: Final = 60.0
MISCONFIGURED_SECONDS: Final = 300.0

EXPIRED: Final = "ExpiredProviderToken"

_DEAD: Final = {
    "BadDeviceToken": "there is no such token here; tokens of debug builds need Apple's sandbox",
    "DeviceTokenNotForTopic": "the token is of another app",
    "ExpiredToken": "the token has expired",
    "Unregistered": "the app is gone from this phone",
}
_MISPLACED: Final = {
    "BadDeviceToken": "check url: tokens of debug builds need Apple's sandbox, others need not",
    "DeviceTokenNotForTopic": "check topic",
}
_OTHER_ENVIRONMENT: Final = "check url: the key is of the other environment"
_OUR_FAULT: Final = {
    "BadCertificate": "check key, key_id and team_id",
    "BadCertificateEnvironment": "check url: sandbox or production",
    "BadEnvironmentKeyIdInToken": _OTHER_ENVIRONMENT,
    "BadEnvironmentKeyInToken": _OTHER_ENVIRONMENT,  # what it really says
    "BadPath": "check url",
    "BadTopic": "check topic",
    "Forbidden": "check key, key_id and team_id",
    "InvalidProviderToken": "check key, key_id, team_id and this machine's clock",
    "MissingProviderToken": "check key, key_id and team_id",
    "MissingTopic": "check topic",
    "TooManyProviderTokenUpdates": "another sender makes tokens with this key too often",
    "TopicDisallowed": "check topic, and that the key is good for it",
    "UnrelatedKeyIdInToken": "check key_id: one connection takes the keys of one team only",
}
_BUSY: Final = (429, 500, 503)
_IDLE: Final = "IdleTimeout"
"""It did not get the request whole in time."""

Failure = TemporaryFailure | PermanentFailure | InDoubt


class _Body(msgspec.Struct):
    reason: str = ""


class _Gone(msgspec.Struct):
    timestamp: int | None = None


def read_reason(answer: Answer) -> str:
    """Apple's word for what is wrong; "": none was given."""
    try:
        reason = msgspec.json.decode(answer.body, type=_Body).reason
    except ValueError:
        return ""
    return reason[:60] if reason.isascii() and reason.isalnum() else ""


def _gone_since(answer: Answer) -> int | None:
    """Since when the app is gone from the phone, in ms; None: it does not say."""
    try:
        return msgspec.json.decode(answer.body, type=_Gone).timestamp
    except ValueError:
        return None


def read_misplaced(answer: Answer) -> TemporaryFailure | None:
    """What it means if our url or topic may be the wrong one; None: it does not say that."""
    reason = read_reason(answer)
    if answer.status != 400 or reason not in _MISPLACED:
        return None
    why = f"push_apns: the token is not known here ({answer.status} {reason}); {_MISPLACED[reason]}"
    return TemporaryFailure(why, REFUSED_SECONDS, pause=True)


def read_failure(answer: Answer) -> Failure:
    """What any other answer than 200 means, if url and topic are right.

    ExpiredProviderToken is the caller's to renew.
    """
    reason = read_reason(answer)
    shown = f"{answer.status} {reason}".strip()
    if answer.status == 410 or reason in _DEAD:
        why = _DEAD.get(reason, _DEAD["Unregistered"])
        since = _gone_since(answer)
        return PermanentFailure(f"push_apns: {why} ({shown})", address_dead=True, dead_since=since)
    if reason in _OUR_FAULT or answer.status == 403:
        what = _OUR_FAULT.get(reason, "see [channels.push_apns]")
        return TemporaryFailure(
            f"push_apns: APNs refuses us ({shown}); {what}", MISCONFIGURED_SECONDS, pause=True
        )
    if answer.status in _BUSY or reason == _IDLE:
        return _not_now(answer, shown)
    if 400 <= answer.status < 500:
        return PermanentFailure(f"push_apns: APNs does not take this message ({shown})")
    return InDoubt(f"push_apns: an answer that says nothing of the message ({shown})")


def _not_now(answer: Answer, shown: str) -> TemporaryFailure:
    wait = retry_after(answer)
    if answer.status == 429:
        reason = f"push_apns: too many messages to this phone ({shown})"
        return TemporaryFailure(reason, wait or SAME_PHONE_SECONDS)
    asks_all = answer.status == 503 and wait is not None
    reason = f"push_apns: APNs is busy ({shown})"
    return TemporaryFailure(reason, wait or BUSY_SECONDS, pause=asks_all)
