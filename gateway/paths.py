"""Ids in paths: any text, percent-encoded, slashes included.

A server hands the path over decoded, so that `/v1/profiles/a%2Fb` looks like three segments below
`/v1`. `keep_segments` keeps such a segment in one piece for the router; handlers read the id from
the path as it was sent.
"""

from typing import Annotated, Any, Final
from urllib.parse import unquote_to_bytes

from litestar.enums import ScopeType
from litestar.params import PathParameter
from litestar.types import ASGIApp, Receive, Scope, Send

from angarium.gateway.problems import Problem, Refusal

Id = Annotated[str, PathParameter(description="Any text, percent-encoded; a slash as %2F.")]

STAND_IN: Final = "\N{DIVISION SLASH}"
"""What the router sees in place of an encoded slash."""


def keep_segments(app: ASGIApp) -> ASGIApp:
    """`app`, for which an encoded slash does not part segments."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope["raw_path"] if scope["type"] == ScopeType.HTTP else b""
        if b"%2f" in raw.lower():
            segments = (_decode(part) for part in raw.partition(b"?")[0].split(b"/"))
            path = "/".join(part.replace("/", STAND_IN) for part in segments)
            scope = {**scope, "path": path}  # type: ignore[assignment]  # a TypedDict loses its type when copied
        await app(scope, receive, send)

    return routed


def segment(scope: Any, index: int) -> str:
    """A segment of the path as the client meant it; 0 is the first one.

    Refuses with 404 what is not UTF-8, since nothing is named so.
    """
    raw: bytes = scope["raw_path"].partition(b"?")[0]
    try:
        return unquote_to_bytes(raw.split(b"/")[index + 1]).decode()
    except UnicodeDecodeError as error:
        raise Refusal(Problem.NOT_FOUND, "the id in the path is not UTF-8") from error


def _decode(part: bytes) -> str:
    return unquote_to_bytes(part).decode("utf-8", "replace")
