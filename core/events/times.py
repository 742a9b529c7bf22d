"""Instants and durations as they stand in messages and definitions.

Inside, an instant is an int of milliseconds since 1970 UTC and a duration an int of milliseconds.
Outside they are RFC 3339 and ISO 8601 (weeks, days, hours, minutes, seconds; a sign allowed).
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,10})M)?"
    r"(?:(?P<seconds>\d{1,10}(?:\.\d{1,3})?)S)?)?",
    re.ASCII,
)


def parse_instant(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 date-time; a bare date is its midnight in UTC.

    A time without an offset is read as UTC, as Segment's older SDKs write it. A leap second is
    read as the second before it. Raises ValueError.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(text.replace(":60", ":59", 1))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        since = moment - EPOCH
    except OverflowError as error:
        raise ValueError(str(error)) from error
    return since.days * DAY + since.seconds * SECOND + since.microseconds // 1_000


def format_instant(at: int) -> str:
    """RFC 3339 in UTC with milliseconds: `2026-11-22T10:00:00.000Z`."""
    moment = EPOCH + at * MILLISECOND
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_duration(text: str) -> int:
    """Milliseconds of an ISO 8601 duration such as `PT30M`, `P1D`, `-P30D`.

    Months and years are refused: they have no fixed length. Raises ValueError.
    """
    found = _DURATION.fullmatch(text)
    if found is None or text.lstrip("+-") in ("P", "PT"):
        raise ValueError("a duration looks like PT30M, P1D or P1DT12H")
    part = {
        name: float(value) for name, value in found.groupdict().items() if name != "sign" and value
    }
    seconds = (
        part.get("weeks", 0) * 604_800
        + part.get("days", 0) * 86_400
        + part.get("hours", 0) * 3_600
        + part.get("minutes", 0) * 60
        + part.get("seconds", 0)
    )
    return round(seconds * SECOND) * (-1 if found["sign"] == "-" else 1)


@lru_cache(maxsize=1_000)
def find_zone(name: str) -> ZoneInfo | None:
    """The time zone of an IANA name, or None: people's attributes hold all sorts of things."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
