"""What the operator asks of every message, whatever campaign or service wants it sent.

Quiet hours in the person's own day, and frequency caps: so many messages in so long. Both hold a
message rather than drop it. A class of message that they do not name passes, and is counted.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from angarium.core.campaigns.hours import DAY_MINUTES, DAYS, PERSON, ActiveHours, Span
from angarium.core.events.times import DAY, MINUTE, parse_duration

MARKETING: Final = "marketing"

_TIME: Final = r"([01]\d|2[0-3]):([0-5]\d)"
_QUIET: Final = re.compile(f"{_TIME}-{_TIME}", re.ASCII)
_CAP: Final = re.compile(r"(\d{1,4}) per (\S{3,20})", re.ASCII)


class Cap(msgspec.Struct, frozen=True):
    """At most `most` messages for each person in `within` ms; class_: only of it ("": of any)."""

    most: int
    within: int
    class_: str = ""


class Received(msgspec.Struct, frozen=True, order=True):
    """A message that somebody was sent: when (ms), and of which class."""

    at: int
    class_: str


class MessageRules(msgspec.Struct, frozen=True):
    """The rules of an instance.

    open_hours: when messages may go, None: always. caps: of a class, or of all messages together.
    classes: those that quiet hours and the caps of all messages hold. patience: how late, in ms, a
    message that may be held so is still sent where its campaign does not say. app_open: how long,
    in ms, an app counts as open after its device was heard of.
    """

    open_hours: ActiveHours | None = None
    caps: tuple[Cap, ...] = ()
    classes: frozenset[str] = frozenset({MARKETING})
    patience: int = DAY
    app_open: int = 10 * MINUTE

    def hours_of(self, class_: str) -> ActiveHours | None:
        """When a message of this class may go; None: always."""
        return self.open_hours if class_ in self.classes else None

    def caps_of(self, class_: str) -> tuple[Cap, ...]:
        """The caps that hold a message of this class."""
        if not self.caps:
            return ()
        held = class_ in self.classes
        return tuple(cap for cap in self.caps if cap.class_ == class_ or (held and not cap.class_))

    def lateness(self, class_: str, usual: int) -> int:
        """How late, in ms, a message may go out; `usual`: where no rule holds it."""
        held = self.hours_of(class_) is not None or self.caps_of(class_)
        return max(usual, self.patience) if held else usual


NO_RULES: Final = MessageRules()


def longest(caps: Iterable[Cap]) -> int:
    """For how long, in ms, these caps look back; 0 without any."""
    return max((cap.within for cap in caps), default=0)


def counted(cap: Cap, received: Iterable[Received], now: int) -> list[int]:
    """When the messages came that a cap counts now, the first one first."""
    since = now - cap.within
    return sorted(one.at for one in received if one.at >= since and cap.class_ in ("", one.class_))


def capped_until(caps: Iterable[Cap], received: Sequence[Received], now: int) -> int:
    """When the next message may go by these caps (ms): `now` where it may at once."""
    until = now
    for cap in caps:
        times = counted(cap, received, now)
        if len(times) >= cap.most:
            until = max(until, times[-cap.most] + cap.within + 1)
    return until


def parse_quiet_hours(text: str) -> ActiveHours | None:
    """The hours outside `22:00-08:00`, in each person's zone; "" is None. Raises ValueError."""
    if not text:
        return None
    found = _QUIET.fullmatch(text)
    if found is None:
        raise ValueError("quiet hours look like 22:00-08:00")
    begin, end = (int(found[n]) * 60 + int(found[n + 1]) for n in (1, 3))
    if begin == end:
        raise ValueError("quiet hours begin and end at different times of a day")
    rest: tuple[Span, ...] = ((0, begin), (end, DAY_MINUTES)) if begin < end else ((end, begin),)
    spans = tuple(span for span in rest if span[0] < span[1])
    return ActiveHours(PERSON, (spans,) * len(DAYS))


def parse_cap(text: str, class_: str = "") -> Cap:
    """`3 per P1D`. Raises ValueError."""
    found = _CAP.fullmatch(text)
    if found is None or int(found[1]) < 1:
        raise ValueError("a cap looks like 3 per P1D")
    return Cap(int(found[1]), parse_duration(found[2]), class_)
