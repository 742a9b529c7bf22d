"""How many messages are worth having ready for a provider beside those that it has."""

from typing import Final

AHEAD: Final = 250
"""Milliseconds: as many as it has dealt with in such a time."""
WINDOW: Final = 100
"""Milliseconds over which that is counted, at least."""


class Throughput:
    """Counts what a provider has dealt with; one that hangs, or has rested, is given nothing more.

    So what waits is on its way within a quarter of a second, and few messages are in doubt if the
    process is killed meanwhile.
    """

    def __init__(self) -> None:
        self._count = 0
        self._since = 0
        self._soon = 0

    def ended(self) -> None:
        """One more has been dealt with."""
        self._count += 1

    def soon(self, now: int) -> int:
        """How many it will deal with in `AHEAD`, if it goes on as of late; now: in ms."""
        past = now - self._since
        if past >= WINDOW or past < 0:
            self._soon = self._count * AHEAD // past if past > 0 else 0
            self._count, self._since = 0, now
        return self._soon
