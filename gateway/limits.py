"""How much the door lets in: of one body, of one key, and of everybody at once."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from angarium.core.workers.clock import Now
from angarium.gateway.problems import Problem, Refusal, retry_after

BODY_SECONDS: Final = 30.0
"""A body must have arrived by then; phones on bad lines need some, attackers want more."""
DRAINED_BYTES: Final = 16 * 1024 * 1024
"""A refused body up to this is still taken off the line: its sender shall read the refusal."""
DOOR_BYTES: Final = 64 * 1024 * 1024
"""Bodies of all requests that wait for the broker; beyond, the newest are sent away."""
UNDECLARED_BYTES: Final = 64 * 1024
"""What a body of unknown length counts for until it is there."""
CLOSE: Final = {"Connection": "close"}

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class ClientGone(Exception):
    """The connection ended before the body did; there is nobody to answer."""


async def read_body(
    receive: Receive, declared: int | None, most: int, seconds: float = BODY_SECONDS
) -> bytes:
    """The whole body: at most `most` bytes, within `seconds`. Raises Refusal or ClientGone.

    `declared` is the Content-Length: one over the limit is refused before anything is read.
    """
    if declared is not None and declared > most:
        raise _too_large(most, close=declared > DRAINED_BYTES)
    try:
        async with asyncio.timeout(seconds):
            return await _collect(receive, most)
    except TimeoutError:
        detail = f"the body must arrive within {seconds:.0f} seconds"
        raise Refusal(Problem.TOO_SLOW, detail, headers=CLOSE) from None


async def _collect(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            raise _too_large(most, close=True)
        if not message.get("more_body"):
            return b"".join((*parts, part)) if parts else part
        parts.append(part)


def _too_large(most: int, *, close: bool) -> Refusal:
    detail = f"a body may have {most} bytes"
    return Refusal(Problem.BODY_TOO_LARGE, detail, headers=CLOSE if close else None)


class Allowances:
    """Messages a second for each key, as a bucket that fills steadily and holds one second's worth.

    What a request costs is known only after it is read, so the bucket may go below nothing; then
    the key waits until it is full enough again. A request is thus admitted by one look-up.
    """

    def __init__(self, per_second: int, now: Now) -> None:
        self._per_second = per_second
        self._now = now
        self._buckets: dict[str, tuple[float, int]] = {}

    def check(self, key: str) -> None:
        """Refuse (429) while `key` has used more than its share."""
        if self._per_second and (missing := -self._level(key)) >= 0:
            seconds = int(missing / self._per_second) + 1
            detail = f"the key may send {self._per_second} messages a second"
            raise Refusal(Problem.TOO_MANY_REQUESTS, detail, headers=retry_after(seconds))

    def spend(self, key: str, count: int) -> None:
        """Take `count` messages off the bucket of `key`."""
        if self._per_second:
            self._buckets[key] = (self._level(key) - count, self._now())

    def _level(self, key: str) -> float:
        level, at = self._buckets.get(key, (float(self._per_second), 0))
        gained = max(0, self._now() - at) * self._per_second / 1000
        return min(float(self._per_second), level + gained)


class Room:
    """The bytes of all bodies inside the door: a slow broker must not fill our memory."""

    def __init__(self, most: int = DOOR_BYTES) -> None:
        self._most = most
        self.taken = 0

    @contextmanager
    def hold(self, declared: int | None) -> Generator[None]:
        """Keep room for one body while it is inside. Refuses (429) when there is none."""
        size = UNDECLARED_BYTES if declared is None else declared
        if self.taken + size > self._most and self.taken:
            detail = "too much is waiting for the broker"
            raise Refusal(Problem.TOO_MANY_REQUESTS, detail, headers=retry_after(1))
        self.taken += size
        try:
            yield
        finally:
            self.taken -= size
