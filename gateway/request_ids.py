"""The name of one request: in its answer, in the log, and carried along with what it brought."""

import re
from collections.abc import Mapping
from secrets import token_hex
from typing import Any, Final

HEADER: Final = b"x-request-id"
_SAFE: Final = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,64}")
_PLACE: Final = "angarium_request_id"


def request_id_of(scope: Mapping[str, Any]) -> str:
    """The id of the request that `scope` describes: the client's own when it is safe to repeat.

    Made at the first call and the same ever after.
    """
    state: dict[str, Any] = scope["state"]
    found: str | None = state.get(_PLACE)
    if found is None:
        found = state[_PLACE] = _given(scope["headers"]) or token_hex(10)
    return found


def _given(headers: list[tuple[bytes, bytes]]) -> str:
    for name, value in headers:
        if name == HEADER:
            return value.decode("ascii") if _SAFE.fullmatch(value) else ""
    return ""
