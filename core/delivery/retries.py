"""When to try again what a provider did not take."""

from typing import Final
from zlib import crc32

import msgspec

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND


class Retry(msgspec.Struct, frozen=True):
    """Try again at `at` (ms)."""

    at: int


class GiveUp(msgspec.Struct, frozen=True):
    """Do not try again; `reason` is what the statistics count."""

    reason: str


class RetryPolicy(msgspec.Struct, frozen=True):
    """Waits of `first`, twice that, four times that, … up to `longest` (ms), `attempts` in all.

    The defaults span about an hour: 10 s, 20 s, 40 s, 80 s, 160 s, 320 s, 640 s, 15 min, 15 min.
    """

    attempts: int = 10
    first: int = 10 * SECOND
    longest: int = 15 * MINUTE

    def next_at(
        self,
        *,
        attempt: int,
        now: int,
        expires_at: int,
        retry_after: int | None = None,
        spread: float = 0.0,
    ) -> Retry | GiveUp:
        """What follows on the failure of the `attempt`-th attempt (1 is the first).

        retry_after: what the provider asked for (ms); it may lengthen the wait, never shorten it.
        spread: 0 to 1, a number of the delivery's own; it adds up to a fifth of the wait, so that
        what failed together does not come back together.
        """
        if attempt >= self.attempts:
            return GiveUp("retries_exhausted")
        wait = min(self.first << min(attempt - 1, 32), self.longest)
        wait = max(wait + int(wait * 0.2 * spread), retry_after or 0)
        at = now + wait
        return Retry(at) if at < expires_at else GiveUp("expired")


def spread_of(id: str) -> float:
    """A number from 0 to 1 that stays the same for an id, and is even over many."""
    return crc32(id.encode()) / 0xFFFFFFFF
