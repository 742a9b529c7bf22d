"""What an answer of FCM means for the message.

Only an answer that names the token may cost a person their address: 400 INVALID_ARGUMENT comes for
a bad token and for a bad message alike. No reason repeats FCM's text, which may hold the token.
Source: Firebase's table of FCM error codes.
"""

from typing import Final

import msgspec

from angarium.channels._belief import REFUSED_SECONDS
from angarium.channels._http import Answer, retry_after
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure

BUSY_SECONDS: Final = 10.0
QUOTA_SECONDS: Final = 60.0
MISCONFIGURED_SECONDS: Final = 300.0

APPLE: Final = "THIRD_PARTY_AUTH_ERROR"
MISMATCH: Final = "SENDER_ID_MISMATCH"
QUOTA: Final = "QUOTA_EXCEEDED"
_DEAD: Final = {
    "UNREGISTERED": "the app is gone from this phone",
    MISMATCH: "the token is of another project",
}

Failure = TemporaryFailure | PermanentFailure | InDoubt


class Violation(msgspec.Struct):
    field: str = ""


class Detail(msgspec.Struct):
    error_code: str = msgspec.field(default="", name="errorCode")
    violations: list[Violation] = msgspec.field(
        default_factory=list[Violation], name="fieldViolations"
    )


class Error(msgspec.Struct):
    message: str = ""
    status: str = ""
    details: list[Detail] = msgspec.field(default_factory=list[Detail])

    @property
    def code(self) -> str:
        """FCM's own code, or the general one of Google's interfaces."""
        return next((one.error_code for one in self.details if one.error_code), self.status)

    @property
    def names_the_token(self) -> bool:
        fields = [one.field for detail in self.details for one in detail.violations]
        return "message.token" in fields or "registration token" in self.message.lower()


class _Refused(msgspec.Struct):
    error: Error


class _Sent(msgspec.Struct):
    name: str


def read_name(answer: Answer) -> str:
    """What FCM calls a message that it took. Raises InDoubt when the answer cannot be read."""
    try:
        return msgspec.json.decode(answer.body, type=_Sent).name
    except ValueError:
        raise InDoubt("push_fcm: an answer that cannot be read (200)") from None


def read_mismatch(answer: Answer) -> TemporaryFailure | None:
    """What it means if our project may be the wrong one; None: the answer does not say that."""
    if answer.status != 403 or _read(answer.body).code != MISMATCH:
        return None
    reason = f"push_fcm: the token is of another project (403 {MISMATCH}); check project"
    return TemporaryFailure(reason, REFUSED_SECONDS, pause=True)


def refuses_token(answer: Answer) -> bool:
    """Whether it does not take the access token."""
    return answer.status == 401 and _read(answer.body).code != APPLE


def read_failure(answer: Answer) -> Failure:
    """What any other answer than 200 means, if the project is the right one."""
    error = _read(answer.body)
    shown = f"{answer.status} {error.code}".strip() if error.code.isascii() else str(answer.status)
    shown = shown[:60]
    match answer.status:
        case 400 | 403 | 404 | 413:
            failure = _refused(answer.status, error, shown)
        case 401:
            failure = _unauthenticated(error, shown)
        case 429 | 500 | 503:
            failure = _not_now(answer, error, shown)
        case status if 300 <= status < 500:
            failure = _our_fault(f"this is not FCM's interface ({shown}); check url and project")
        case _:
            failure = InDoubt(f"push_fcm: an answer that says nothing of the message ({shown})")
    return failure


def _not_now(answer: Answer, error: Error, shown: str) -> TemporaryFailure:
    """FCM's own limit may be that of one phone; any other is the project's."""
    wait = retry_after(answer)
    if answer.status == 429:
        reason = f"push_fcm: too many messages ({shown})"
        return TemporaryFailure(reason, wait or QUOTA_SECONDS, pause=error.code != QUOTA)
    asks_all = answer.status == 503 and wait is not None
    reason = f"push_fcm: FCM is busy ({shown})"
    return TemporaryFailure(reason, wait or BUSY_SECONDS, pause=asks_all)


def _refused(status: int, error: Error, shown: str) -> Failure:
    if error.code in _DEAD:
        return PermanentFailure(f"push_fcm: {_DEAD[error.code]} ({shown})", address_dead=True)
    if status == 400 and error.names_the_token:
        return PermanentFailure(f"push_fcm: there is no such token ({shown})", address_dead=True)
    if status in (400, 413):
        return PermanentFailure(f"push_fcm: FCM does not take this message ({shown})")
    if status == 404:
        return _our_fault(f"there is no such project ({shown}); check project and url")
    return _our_fault(
        f"the service account may not send ({shown}); check project, the account's role, and that"
        " the FCM interface is switched on"
    )


def _unauthenticated(error: Error, shown: str) -> TemporaryFailure:
    if error.code == APPLE:  # of iOS only: Android's messages still go
        return TemporaryFailure(
            f"push_fcm: Apple refuses Firebase ({shown}); upload the APNs key in its console",
            MISCONFIGURED_SECONDS,
        )
    return TemporaryFailure(f"push_fcm: the access token was refused ({shown})")


def _our_fault(reason: str) -> TemporaryFailure:
    return TemporaryFailure(f"push_fcm: {reason}", MISCONFIGURED_SECONDS, pause=True)


def _read(body: bytes) -> Error:
    try:
        return msgspec.json.decode(body, type=_Refused).error
    except ValueError:
        return Error()
