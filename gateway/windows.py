"""The buckets of a chart: the last 12 hours, week or month, up to now (S0.7)."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from angarium.core.events.times import SECOND

Window = Literal["12h", "7d", "30d"]

SLOT: Final = 30 * 60 * SECOND
"""Occurrences are counted by the half hour."""
HALF_HOURS: Final = 24
QUARTERS: Final = 28
DAYS: Final = 30


def bucket_starts(window: Window, now: int, zone: ZoneInfo) -> list[int]:
    """Where each bucket begins (ms), oldest first; the last one holds `now` and still grows.

    12h: 24 half hours. 7d: 28 quarters of a day, 30d: 30 days, as clocks in `zone` show them.
    """
    if window == "12h":
        last = now - now % SLOT
        return [last - SLOT * back for back in reversed(range(HALF_HOURS))]
    local = datetime.fromtimestamp(now / 1000, tz=zone)
    step, count, hour = timedelta(days=1), DAYS, 0
    if window == "7d":
        step, count, hour = timedelta(hours=6), QUARTERS, local.hour - local.hour % 6
    last_start = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    # Arithmetic within one zone keeps to its clocks: a day of 23 hours is one step.
    return [int((last_start - step * back).timestamp() * 1000) for back in reversed(range(count))]


def sum_slots(starts: Sequence[int], slots: Sequence[tuple[int, int]]) -> list[int]:
    """Occurrences in each bucket; `slots` are (half hour counted from 1970, occurrences)."""
    sums = [0] * len(starts)
    for slot, count in slots:
        index = bisect_right(starts, slot * SLOT) - 1
        if index >= 0:
            sums[index] += count
    return sums


def first_slot(starts: Sequence[int]) -> int:
    """The first half hour that begins inside the window."""
    return -(-starts[0] // SLOT)
