"""Lists: how many rows an answer holds, and the cursor that leads to the next ones.

A cursor is the sort key of the last row seen, so that rows which come or go meanwhile neither
repeat nor hide others. It is bound to its list and its filters by a checksum: a damaged or foreign
one is refused. It holds no secret and opens nothing, since every query keeps to the caller's
workspace.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import Annotated, Final, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from angarium.gateway.problems import Problem, Refusal

MOST: Final = 100
USUAL: Final = 50
CURSOR_LETTERS: Final = 2_000
_CHECK_BYTES: Final = 8

Limit = Annotated[
    int,
    QueryParameter(
        ge=1, le=MOST, description=f"Rows of one answer, 1 to {MOST}; {USUAL} if not given."
    ),
]
Cursor = Annotated[
    str | None,
    QueryParameter(
        description="The `next_cursor` of the answer before, unchanged, with its filters."
    ),
]

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T]):
    """A part of a list; `next_cursor` is null at its end."""

    data: Sequence[T]
    next_cursor: str | None = None


def make_cursor(place: Sequence[int | str], *names: str | None) -> str:
    """The text that stands for `place`; `names`: the list's name, and its filters."""
    payload = msgspec.json.encode(list(place))
    return _pack(_check(payload, names) + payload)


def read_cursor(text: str | None, kind: type[T], start: T, *names: str | None) -> T:
    """The place that a cursor of the same list stands for; `start` where there is none.

    kind: the tuple type of the place. Refuses with 422 what `make_cursor` did not make.
    """
    if text is None:
        return start
    payload = _unpack(text)
    if payload[:_CHECK_BYTES] != _check(payload[_CHECK_BYTES:], names):
        raise _refused()
    try:
        return msgspec.json.decode(payload[_CHECK_BYTES:], type=kind)
    except msgspec.DecodeError as error:
        raise _refused() from error


def check_choice(name: str, value: str | None, choices: Collection[str]) -> None:
    """Refuse with 422 a filter that names nothing there is; None is no filter."""
    if value is not None and value not in choices:
        detail = "use one of: " + ", ".join(choices)
        raise Refusal(Problem.INVALID, f"{name} is not known", errors=[(name, detail)])


def _pack(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _unpack(text: str) -> bytes:
    if len(text) > CURSOR_LETTERS or not text.isascii():
        raise _refused()
    try:
        content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise _refused() from error
    if _pack(content) != text:  # the decoder passes over letters that it does not know
        raise _refused()
    return content


def _check(payload: bytes, names: Sequence[str | None]) -> bytes:
    return blake2b(
        payload, digest_size=_CHECK_BYTES, key=blake2b(msgspec.json.encode(names)).digest()
    ).digest()


def _refused() -> Refusal:
    detail = (
        "take next_cursor from the answer before, with the same path and filters, or leave it out"
    )
    return Refusal(Problem.INVALID, "cursor is not one of this list", errors=[("cursor", detail)])
