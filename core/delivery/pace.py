"""How many messages a second a provider is given, by all processes together.

Messages are slots on one line of time, `1 / per_second` apart. Whoever takes some moves the end of
what is taken, `spent_until`; what lies before now minus a short burst is gone. So however many
processes take, and however their clocks differ, slots are given out once.
"""

from typing import Final

import msgspec

MORE: Final = 0.05
"""Of the rate: what may go at once beside the one whose turn it is, if none went for a while.

It comes on top of the rate in the second that follows, so that no second has more than 5 % too many
(G10). Without it, whoever looks later than a slot begins would lose what was left of it.
"""
AHEAD: Final = 60_000_000
"""Microseconds; a line of time further ahead was written by a clock that has been set back."""


class Pace(msgspec.Struct, frozen=True):
    """spent_until: slots before it are taken (µs). paused_until: it asked for a pause (ms)."""

    spent_until: int = 0
    paused_until: int = 0

    def room(self, per_second: float, now: int) -> int:
        """How many messages may go now (ms)."""
        free = now * 1000 - self._start(per_second, now)
        return max(0, free // slot(per_second))

    def spend(self, count: int, per_second: float, now: int) -> "Pace":
        """After so many slots are taken; fewer than none: they are given back."""
        spent = self._start(per_second, now) + count * slot(per_second)
        return Pace(spent, self.paused_until)

    def free_at(self, count: int, per_second: float, now: int) -> int:
        """When one more may go after the next `count` (ms)."""
        return -(-(self._start(per_second, now) + (count + 1) * slot(per_second)) // 1000)

    def _start(self, per_second: float, now: int) -> int:
        length = slot(per_second)
        spent = self.spent_until
        if spent > now * 1000 + AHEAD + length:
            spent = now * 1000
        return max(spent, now * 1000 - burst(per_second) * length)


def slot(per_second: float) -> int:
    """Microseconds between two messages."""
    return max(1, round(1_000_000 / per_second))


def burst(per_second: float) -> int:
    """How many messages may go at once after a rest."""
    return 1 + int(per_second * MORE)
