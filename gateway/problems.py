"""Everything that the API may refuse: one table, and the one shape in which it is said.

The shape is RFC 9457's, and beside it `code` and `message`: without these two, published Segment
clients take a refusal for a network failure and send again (docs/api.md).
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final

import msgspec

MEDIA_TYPE: Final = "application/problem+json"


class Problem(Enum):
    """A kind of refusal: status, title, remedy. Its code, the name in small letters, is stable."""

    # the request as such
    UNREADABLE_BODY = 400, "The body cannot be read", "Send one JSON object, encoded in UTF-8."
    BAD_REQUEST = 400, "The request is malformed", "Compare it with /schema."
    BROKEN_ENCODING = 400, "The body does not unpack", "Send what Content-Encoding says, whole."
    NOT_AUTHENTICATED = 401, "The key is missing or not valid", "Send a key that is in force."
    FORBIDDEN = 403, "The key may not do this", "Use a key that has the scope named here."
    NOT_FOUND = 404, "There is no such thing", "Look at the id, and at what was deleted."
    NO_SUCH_ROUTE = 404, "There is no such path", "The paths stand in /schema."
    METHOD_NOT_ALLOWED = 405, "The path does not take this method", "See the Allow header."
    TOO_SLOW = 408, "The body did not arrive in time", "Send it again over a better line."
    CONFLICT = 409, "Something else stands in the way", "Read it again, then decide."
    KEY_IN_USE = (
        409,
        "A request with this Idempotency-Key is still at work",
        "Wait for its answer, then repeat the request.",
    )
    PRECONDITION_FAILED = 412, "It was changed meanwhile", "Read it again, then change it."
    BODY_TOO_LARGE = 413, "The body is too large", "Send fewer messages at once."
    BATCH_TOO_LONG = 413, "The batch has too many messages", "Send fewer messages at once."
    UNKNOWN_ENCODING = 415, "The body's encoding is not known", "Send it plain or with gzip."
    EMPTY_BATCH = 422, "The batch has no messages", "Send at least one message in `batch`."
    INVALID = 422, "Some values are not valid", "Correct the fields listed under `errors`."
    MESSAGE_REFUSED = 422, "The message is not valid", "Correct the field named here."
    KEY_REUSED = (
        422,
        "This Idempotency-Key came with another body before",
        "Take a new key for a new request.",
    )
    TOO_MANY_REQUESTS = 429, "Too much at once", "Wait as long as Retry-After says."
    HEADERS_TOO_LARGE = 431, "The headers are too large", "Send fewer or shorter headers."
    # ourselves
    INTERNAL = 500, "This is our fault", "Repeat it; then report it with the request_id."
    UNAVAILABLE = 503, "It cannot be stored now", "Repeat it after as long as Retry-After says."
    NOT_READY = 503, "A part is not ready", "See `not_ready` for which, and its log for why."

    def __init__(self, status: int, title: str, remedy: str) -> None:
        self.status = status
        self.title = title
        self.remedy = remedy

    @property
    def code(self) -> str:
        """What clients may rely on."""
        return self.name.lower()


class FieldError(msgspec.Struct, frozen=True):
    """One wrong value: where (a JSON pointer into the body, or a parameter's name) and why."""

    pointer: str
    detail: str


class ProblemBody(msgspec.Struct, omit_defaults=True):
    """What a refusal looks like on the wire (RFC 9457, and `code` and `message`)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    message: str
    request_id: str
    errors: Sequence[FieldError]
    not_ready: Sequence[str] = ()


class Refusal(Exception):
    """Raised anywhere below a route to end the request with `problem`.

    `detail` says what was wrong this time, naming the field, never repeating its value. `code` is
    given where a finer code than the problem's own is known, such as that of a refused message.
    """

    def __init__(
        self,
        problem: Problem,
        detail: str = "",
        *,
        code: str = "",
        errors: Sequence[tuple[str, str]] = (),
        not_ready: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or problem.title)
        self.problem = problem
        self.detail = detail or problem.title
        self.code = code or problem.code
        self.errors = [FieldError(pointer, text) for pointer, text in errors]
        self.not_ready = not_ready
        self.headers: Mapping[str, str] = headers or {}

    def body(self, request_id: str) -> ProblemBody:
        """The answer's body."""
        problem = self.problem
        return ProblemBody(
            type=f"urn:angarium:problem:{problem.code}",
            title=problem.title,
            status=problem.status,
            detail=self.detail,
            code=self.code,
            message=f"{self.detail.rstrip('.')}. {problem.remedy}",
            request_id=request_id,
            errors=self.errors,
            not_ready=self.not_ready,
        )


def retry_after(seconds: int) -> dict[str, str]:
    """The header that tells clients when to come back: whole seconds, at least one."""
    return {"Retry-After": str(max(1, seconds))}


def to_pointer(path: str) -> str:
    """A JSON pointer (RFC 6901) from msgspec's `items[1].n`; "" is the whole body."""
    steps = path.replace("[...]", "").replace("[", ".").replace("]", "")
    return "".join(f"/{step}" for step in steps.split(".") if step)


def catalogue() -> list[dict[str, Any]]:
    """The table as data, for the page of error codes."""
    return [
        {"code": p.code, "status": p.status, "title": p.title, "remedy": p.remedy} for p in Problem
    ]
