"""From whatever a route raised to the one shape of a refusal.

A `Refusal` says it itself. Litestar's own exceptions, and those of the store and the bus, are
translated by the first matching line of a table; what is left is our fault, and is logged without
its words, which may hold somebody's data.
"""

import re
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
    SerializationException,
    ValidationException,
)
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE

from angarium.core.bus.errors import BusFull, BusUnavailable, MessageTooLarge
from angarium.core.store.errors import Contention, Refused, StoreUnavailable
from angarium.gateway.problems import MEDIA_TYPE, Problem, Refusal, retry_after, to_pointer
from angarium.gateway.request_ids import request_id_of

log = structlog.get_logger()

AGAIN_SECONDS: Final = 2
"""After how long to come back when the store or the bus is away."""
FULL_SECONDS: Final = 5
"""The same when the stream has no room: it is freed by workers or an operator."""
DEEPEST_FRAMES: Final = 6

WHOLE: Final = ""
"""The JSON pointer of all of a body."""
IN_BODY: Final = re.compile(r" - at `\$\.data((?:\.|\[).*)?`\Z")
"""How msgspec names a place in the argument `data`, as which handlers are given the body."""
ABSENT: Final = repr("data")
"""What Litestar says of a body that is not there."""
NO_OBJECT: Final = re.compile(r"Expected `object`, got ")


def _invalid(error: Exception) -> Refusal:
    wrong = cast("list[dict[str, str]]", getattr(error, "extra", None) or [])
    errors = [(_pointer(one, error.__cause__), one["message"]) for one in wrong]
    absent = (WHOLE, ABSENT) in errors
    if absent or any(pointer == WHOLE and NO_OBJECT.match(text) for pointer, text in errors):
        detail = "there is no body" if absent else "the body is not an object"
        return Refusal(Problem.UNREADABLE_BODY, detail, errors=[(WHOLE, "it has to be an object")])
    return Refusal(Problem.INVALID, errors=errors)


def _pointer(wrong: Mapping[str, str], cause: BaseException | None) -> str:
    key = wrong.get("key", "")
    if wrong.get("source") != "body":
        return key
    found = IN_BODY.search(str(cause))
    if found is not None:
        return to_pointer(found[1] or WHOLE)
    return WHOLE if key == "data" else to_pointer(key)


def _other(error: Exception) -> Refusal:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == HTTP_413_REQUEST_ENTITY_TOO_LARGE:
        return Refusal(Problem.BODY_TOO_LARGE)
    if isinstance(error.__cause__, SerializationException):
        return Refusal(Problem.UNREADABLE_BODY)
    return Refusal(Problem.BAD_REQUEST if status < 500 else Problem.INTERNAL)


def _not_allowed(error: Exception) -> Refusal:
    headers = cast("Mapping[str, str]", getattr(error, "headers", None) or {})
    return Refusal(Problem.METHOD_NOT_ALLOWED, headers={"Allow": headers.get("allow", "")})


def _full(_: Exception) -> Refusal:
    return Refusal(Problem.UNAVAILABLE, "the stream is full", headers=retry_after(FULL_SECONDS))


def _unavailable(_: Exception) -> Refusal:
    return Refusal(Problem.UNAVAILABLE, headers=retry_after(AGAIN_SECONDS))


TRANSLATIONS: Final[tuple[tuple[type[Exception], Callable[[Exception], Refusal]], ...]] = (
    (ValidationException, _invalid),
    (MethodNotAllowedException, _not_allowed),
    (NotFoundException, lambda _: Refusal(Problem.NO_SUCH_ROUTE)),
    (NotAuthorizedException, lambda _: Refusal(Problem.NOT_AUTHENTICATED)),
    (PermissionDeniedException, lambda _: Refusal(Problem.FORBIDDEN)),
    (HTTPException, _other),
    (msgspec.DecodeError, lambda _: Refusal(Problem.UNREADABLE_BODY)),
    (RecursionError, lambda _: Refusal(Problem.UNREADABLE_BODY)),
    (Refused, lambda _: Refusal(Problem.INVALID, "a value cannot be stored")),
    (StoreUnavailable, _unavailable),
    (Contention, _unavailable),
    (MessageTooLarge, lambda _: Refusal(Problem.BODY_TOO_LARGE)),
    (BusFull, _full),
    (BusUnavailable, _unavailable),
)


def to_refusal(error: Exception) -> Refusal:
    """What to answer where `error` ended a request."""
    if isinstance(error, Refusal):
        return error
    for kind, translate in TRANSLATIONS:
        if isinstance(error, kind):
            return translate(error)
    return Refusal(Problem.INTERNAL)


def where(error: BaseException) -> list[str]:
    """The innermost places that `error` came through, without its words and without values."""
    frames = traceback.extract_tb(error.__traceback__)[-DEEPEST_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def explain(error: Exception, scope: Mapping[str, Any]) -> Refusal:
    """`to_refusal`, and what is our fault is logged."""
    refusal = to_refusal(error)
    if refusal.problem is Problem.INTERNAL:
        log.error(
            "request_failed",
            request_id=request_id_of(scope),
            route=scope.get("path_template"),
            error=type(error).__name__,
            where=where(error),
        )
    return refusal


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The refusal as a response."""
    scope = cast("Mapping[str, Any]", request.scope)
    refusal = explain(error, scope)
    return Response(
        msgspec.json.encode(refusal.body(request_id_of(scope))),
        status_code=refusal.problem.status,
        media_type=MEDIA_TYPE,
        headers=dict(refusal.headers),
    )
