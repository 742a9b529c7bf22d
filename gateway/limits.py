"""How much the door lets in: of one body, of one key, and of everybody at once."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from angarium.core.workers.clock import Now
from angarium.gateway.problems import Problem, Refusal, retry_after

DRAINED_BYTES: Final = 16 * 1024 * 1024
"""A refused body up to this is still taken off the line: its sender shall read the refusal."""
DOOR_BYTES: Final = 48 * 1024 * 1024
"""Bodies of all requests that wait for the broker; beyond, the newest are sent away, unread. Below
what the bus itself lets wait, since that is found out only after all the work."""
UNDECLARED_BYTES: Final = 64 * 1024
"""What a body of unknown length counts for until it is there."""
CLOSE: Final = {"Connection": "close"}
BUCKETS: Final = 10_000
"""Of how many keys or addresses it is remembered how much they used."""

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class ClientGone(Exception):
    """The connection ended before the body did; there is nobody to answer."""


async def read_body(receive: Receive, declared: int | None, most: int) -> bytes:
    """The whole body, at most `most` bytes. Raises Refusal (413) or ClientGone.

    `declared` is the Content-Length: one over the limit is refused before anything is read. How
    long a body may take is the server's business (http_guard.py).
    """
    if declared is not None and declared > most:
        raise _too_large(most, close=declared > DRAINED_BYTES)
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
    """So many a second for each key, as a bucket that fills steadily and holds one second's worth.

    What a request costs is known only after it is read, so the bucket may go below nothing; then
    the key waits until it is full enough again. A request is thus admitted by one look-up.
    """

    def __init__(self, per_second: int, now: Now, detail: str = "") -> None:
        """`per_second` 0: no limit. `detail`: what a refusal says."""
        self._per_second = per_second
        self._now = now
        self._detail = detail or f"the key may send {per_second} messages a second"
        self._buckets: dict[str, tuple[float, int]] = {}

    def check(self, key: str) -> None:
        """Refuse (429) while `key` has used more than its share."""
        if self._per_second and (missing := -self._level(key)) >= 0:
            seconds = int(missing / self._per_second) + 1
            raise Refusal(Problem.TOO_MANY_REQUESTS, self._detail, headers=retry_after(seconds))

    def spend(self, key: str, count: int) -> None:
        """Take `count` off the bucket of `key`."""
        if self._per_second:
            self._buckets[key] = (self._level(key) - count, self._now())
            if len(self._buckets) > BUCKETS:
                self._forget()

    @property
    def remembered(self) -> int:
        """Of how many something is remembered."""
        return len(self._buckets)

    def _forget(self) -> None:
        """Forget full buckets, which are as good as none; or all, rather than fill the memory."""
        kept = {k: v for k, v in self._buckets.items() if self._level(k) < self._per_second}
        self._buckets = kept if len(kept) < BUCKETS // 2 else {}

    def _level(self, key: str) -> float:
        level, at = self._buckets.get(key, (float(self._per_second), 0))
        gained = max(0, self._now() - at) * self._per_second / 1000
        return min(float(self._per_second), level + gained)


class Room:
    """The bytes of all bodies inside the door: a slow broker must not fill our memory."""

    def __init__(self, most: int = DOOR_BYTES) -> None:
        self._most = most
        self.taken = 0

    def take(self, declared: int | None) -> int:
        """Keep room for one body; says how much, to `give` back later. May refuse (429)."""
        size = UNDECLARED_BYTES if declared is None else declared
        if self.taken + size > self._most and self.taken:
            detail = "too much is waiting for the broker"
            raise Refusal(Problem.TOO_MANY_REQUESTS, detail, headers=retry_after(1))
        self.taken += size
        return size

    def give(self, size: int) -> None:
        """The body has left."""
        self.taken -= size
