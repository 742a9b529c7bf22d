"""Let browsers send events from other origins: the CORS protocol, on the ingest routes only.

No cookie and no credential of the browser ever counts here, so none is allowed to come along.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from angarium.gateway.wire import Pairs

MAX_AGE: Final = b"86400"
METHODS: Final = b"POST, GET, OPTIONS"
EXPOSED: Final = b"Retry-After, X-Request-Id"
USUAL_HEADERS: Final = b"authorization, content-type"


class Cors:
    """Answers for the `origins` that may send; `*` is any."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._any = "*" in origins
        self._origins = frozenset(
            origin.rstrip("/").encode("ascii", "ignore") for origin in origins
        )

    def headers(self, request: Mapping[bytes, bytes]) -> Pairs:
        """What every answer carries so that a page of an allowed origin may read it."""
        origin = request.get(b"origin")
        if origin is None:
            return []
        if not (self._any or origin in self._origins):
            return [(b"vary", b"Origin")]
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", EXPOSED),
            (b"vary", b"Origin"),
        ]

    def preflight(self, request: Mapping[bytes, bytes]) -> Pairs:
        """The answer to OPTIONS: whatever headers are asked for are allowed, for a day."""
        headers = self.headers(request)
        if len(headers) > 1:
            asked = request.get(b"access-control-request-headers", USUAL_HEADERS)
            headers += [
                (b"access-control-allow-methods", METHODS),
                (b"access-control-allow-headers", asked),
                (b"access-control-max-age", MAX_AGE),
            ]
        return headers
