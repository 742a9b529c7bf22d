"""Instants at the edge: RFC 3339 outside, milliseconds inside."""

from typing import overload

from angarium.core.events.times import format_instant, parse_instant
from angarium.gateway.problems import Problem, Refusal


@overload
def instant(at: int) -> str: ...
@overload
def instant(at: int | None) -> str | None: ...
def instant(at: int | None) -> str | None:
    """How an instant is written in answers; None stays None."""
    return None if at is None else format_instant(at)


@overload
def read_instant(text: str, pointer: str) -> int: ...
@overload
def read_instant(text: str | None, pointer: str) -> int | None: ...
def read_instant(text: str | None, pointer: str) -> int | None:
    """The instant that a field or parameter holds; refuses with 422 what is none."""
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        detail = "write an RFC 3339 time like 2026-11-22T10:00:00Z"
        raise Refusal(
            Problem.INVALID, f"{pointer} is not a time", errors=[(pointer, detail)]
        ) from error
