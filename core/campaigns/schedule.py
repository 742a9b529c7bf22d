"""When a campaign sends: the event that fires it, the delay, the stop (S1), and active hours."""

import re
from typing import Any, Literal, cast

import msgspec

from angarium.config.limits import EVENT_NAME_LENGTH
from angarium.core.campaigns.hours import DAY_MINUTES, DAYS, PERSON, ActiveHours, Span
from angarium.core.events.times import DAY, find_zone
from angarium.core.segments.conditions import Where, read_where
from angarium.core.segments.reader import Reader, child, is_list, is_object

LONGEST = 365 * DAY
"""Of a delay, in ms; a longer one is a typing mistake."""

SPANS_A_DAY = 12

Retrigger = Literal["restart", "ignore", "each"]
RETRIGGERS = ("restart", "ignore", "each")

_CLOCK = re.compile(r"(?P<hour>[01]\d|2[0-4]):(?P<minute>[0-5]\d)", re.ASCII)


class EventMatch(msgspec.Struct, frozen=True):
    """An event by its name, and what its properties must be (None: anything)."""

    event: str
    where: Where | None = None


class OnEvent(msgspec.Struct, frozen=True):
    """Sent `delay` ms after the trigger, unless the stop happens first."""

    trigger: EventMatch
    delay: int = 0
    stop: EventMatch | None = None
    retrigger: Retrigger = "restart"
    same_device: bool = False


def read_send_at(reader: Reader, value: object, pointer: str) -> OnEvent | None:
    """`send_at` of a campaign; this version knows campaigns fired by an event."""
    if _sends_otherwise(value):
        reader.fault(
            pointer,
            "only campaigns fired by an event can be sent by this version; "
            'give {"trigger": {"event": "…"}}',
        )
        return None
    fields = reader.fields(
        value, pointer, ("trigger", "delay", "stop", "retrigger", "same_device"), ("trigger",)
    )
    if not fields or "trigger" not in fields:
        return None
    trigger = _match(reader, fields["trigger"], child(pointer, "trigger"))
    stop = _match(reader, fields["stop"], child(pointer, "stop")) if "stop" in fields else None
    same_device = reader.flag(fields.get("same_device", False), child(pointer, "same_device"))
    if same_device and "stop" not in fields:
        reader.fault(child(pointer, "same_device"), "means the device of the stop; add a stop")
    retrigger = fields.get("retrigger", "restart")
    return OnEvent(
        trigger or EventMatch(""),
        reader.duration(fields.get("delay", "PT0S"), child(pointer, "delay"), 0, LONGEST),
        stop,
        cast("Retrigger", reader.choice(retrigger, child(pointer, "retrigger"), RETRIGGERS)),
        same_device,
    )


def _sends_otherwise(value: object) -> bool:
    """Now, at a time, again and again, smart."""
    return isinstance(value, str) or (is_object(value) and "trigger" not in value)


def _match(reader: Reader, value: object, pointer: str) -> EventMatch | None:
    fields = reader.fields(value, pointer, ("event", "where"), ("event",))
    if not fields or "event" not in fields:
        return None
    event = reader.text(fields["event"], child(pointer, "event"), EVENT_NAME_LENGTH)
    where = fields.get("where")
    if where is not None:
        where = read_where(reader, where, child(pointer, "where"))
    return EventMatch((event or "").strip(), where)


def read_hours(reader: Reader, value: object, pointer: str) -> ActiveHours | None:
    """`active_hours` of a campaign; a day that is not named is closed."""
    fields = reader.fields(value, pointer, ("zone", *DAYS))
    if fields is None:
        return None
    zone = fields.get("zone", PERSON)
    if not isinstance(zone, str) or (zone != PERSON and find_zone(zone) is None):
        reader.fault(child(pointer, "zone"), "must be person, or a zone such as Asia/Tehran")
        zone = PERSON
    days = tuple(_spans(reader, fields.get(day, []), child(pointer, day)) for day in DAYS)
    if not any(fields.get(day) for day in DAYS):
        reader.fault(pointer, 'is never open; name hours, such as "mon": ["09:00-21:00"]')
    return ActiveHours(zone, days)


def _spans(reader: Reader, value: object, pointer: str) -> tuple[Span, ...]:
    if not is_list(value) or len(value) > SPANS_A_DAY:
        reader.fault(pointer, f'must be a list of up to {SPANS_A_DAY} spans such as "09:00-21:00"')
        return ()
    found = [_span(reader, text, child(pointer, index)) for index, text in enumerate(value)]
    return _joined(sorted(span for span in found if span is not None))


def _span(reader: Reader, value: Any, pointer: str) -> Span | None:
    ends = [_minutes(part) for part in value.split("-")] if isinstance(value, str) else []
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        reader.fault(pointer, "must be a span such as 09:00-21:00; a day ends at 24:00")
    elif ends[0] >= ends[1]:
        reader.fault(
            pointer,
            "must end after it begins; write hours over midnight as two spans, "
            "22:00-24:00 and, on the next day, 00:00-02:00",
        )
    else:
        return ends[0], ends[1]
    return None


def _minutes(text: str) -> int | None:
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    minutes = int(found["hour"]) * 60 + int(found["minute"])
    return minutes if minutes <= DAY_MINUTES else None


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    """Spans that overlap or touch become one."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
