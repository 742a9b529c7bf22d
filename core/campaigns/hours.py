"""Active hours: the times of day, by weekday, in which a campaign may send (S1.9).

Open is what a clock on the wall says: in the hour that a change to winter time repeats, a span is
open twice; of a span that begins in the hour skipped in spring, the rest is open, if any.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from angarium.core.events.times import EPOCH, MILLISECOND, find_zone

PERSON = "person"
"""The zone that stands for each person's own."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
SEARCHED_DAYS = 22
"""A weekly span may vanish in a change of the clocks, not in three weeks running."""

Span = tuple[int, int]
"""Minutes from midnight; the end is not part of it and may be 1440."""


class ActiveHours(msgspec.Struct, frozen=True):
    """Spans of each weekday, Monday first, sorted and apart; at least one day has some.

    zone: an IANA name, or `person`.
    """

    zone: str
    spans: tuple[tuple[Span, ...], ...]


def zone_of(hours: ActiveHours, attributes: Mapping[str, object], default: str) -> str:
    """The zone that counts for one person; `default` where they have none, or a wrong one."""
    if hours.zone != PERSON:
        return hours.zone
    own = attributes.get("timezone")
    return own if isinstance(own, str) and find_zone(own) is not None else default


def next_open(hours: ActiveHours, zone_name: str, at: int) -> int:
    """The first open instant (ms) at or after `at`: `at` itself where that is open.

    A zone of which nothing is known counts as UTC.
    """
    zone = find_zone(zone_name) or ZoneInfo("UTC")
    if _is_open(hours, zone, at):
        return at
    today = _local(zone, at).date()
    for days in range(SEARCHED_DAYS):
        for moment in _openings(hours, zone, today + timedelta(days=days)):
            if moment > at and _is_open(hours, zone, moment):
                return moment
    return at + SEARCHED_DAYS * DAY_MINUTES * 60_000


def _local(zone: ZoneInfo, at: int) -> datetime:
    return (EPOCH + at * MILLISECOND).astimezone(zone)


def _is_open(hours: ActiveHours, zone: ZoneInfo, at: int) -> bool:
    local = _local(zone, at)
    minute = local.hour * 60 + local.minute
    return any(start <= minute < end for start, end in hours.spans[local.weekday()])


def _openings(hours: ActiveHours, zone: ZoneInfo, day: date) -> list[int]:
    """The instants of a day at which the state may turn to open, in order."""
    if not hours.spans[day.weekday()]:
        return []
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    moments = {
        _instant(midnight + timedelta(minutes=start), fold)
        for start, _ in hours.spans[day.weekday()]
        for fold in (0, 1)
    }
    begins = min(_instant(midnight, fold) for fold in (0, 1))
    ends = max(_instant(midnight + timedelta(days=1), fold) for fold in (0, 1))
    if _local(zone, begins).utcoffset() != _local(zone, ends).utcoffset():
        moments.add(_change(zone, begins, ends))
    return sorted(moments)


def _instant(wall: datetime, fold: int) -> int:
    return (wall.replace(fold=fold).astimezone(UTC) - EPOCH) // MILLISECOND


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """The first instant, to the second, of the offset in force at `after`."""
    low, high = before // 1000, after // 1000
    offset = _local(zone, after).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if _local(zone, middle * 1000).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high * 1000
