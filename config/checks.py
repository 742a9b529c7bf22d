"""What a setting's bounds cannot say: checks of its text."""

import re
from collections.abc import Sequence
from ipaddress import ip_network
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_CAP = re.compile(r"[1-9]\d{0,3} per P(?:(\d{1,2})D|T(\d{1,3})H|T(\d{1,4})M)", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)

CAP_MINUTES_MOST = 31 * 24 * 60


def are_caps(texts: Sequence[str]) -> bool:
    """Whether each is a number of messages and a time of at most 31 days, as `3 per P1D`."""
    for text in texts:
        found = _CAP.fullmatch(text)
        if found is None:
            return False
        days, hours, minutes = (int(part or 0) for part in found.groups())
        if not 1 <= (days * 24 + hours) * 60 + minutes <= CAP_MINUTES_MOST:
            return False
    return True


def are_quiet_hours(text: str) -> bool:
    """Whether it is a span of a day as 22:00-08:00, or nothing."""
    begin, _, end = text.partition("-")
    return not text or (begin != end and bool(_TIME.fullmatch(begin) and _TIME.fullmatch(end)))


def is_time_zone(name: str) -> bool:
    """Whether this machine's time zone data has it."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def are_networks(texts: Sequence[str]) -> bool:
    """Whether each is an IP address or a network, as 10.0.0.0/8."""
    try:
        return all(ip_network(text, strict=False) for text in texts)
    except ValueError:
        return False
