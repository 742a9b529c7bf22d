"""What the operator asks of every message: quiet hours and caps."""

from datetime import datetime

import pytest

from angarium.core.campaigns.hours import next_open
from angarium.core.delivery.rules import (
    NO_RULES,
    Cap,
    MessageRules,
    Received,
    capped_until,
    parse_cap,
    parse_quiet_hours,
)
from angarium.core.events.times import DAY, HOUR, MINUTE, find_zone, format_instant, parse_instant
from tests.delivery.examples import NOW


def ends(text: str, zone: str, at: str) -> str:
    """When a message of that instant may go, on the clock of that zone."""
    hours = parse_quiet_hours(text)
    assert hours is not None
    moment = format_instant(next_open(hours, zone, parse_instant(at)))
    return datetime.fromisoformat(moment).astimezone(find_zone(zone)).isoformat()


@pytest.mark.parametrize(
    ("text", "zone", "at", "expected"),
    [
        # An ordinary night; the ends are to the millisecond.
        ("22:00-08:00", "Asia/Tehran", "2026-11-22T21:59:59+03:30", "2026-11-22T21:59:59+03:30"),
        ("22:00-08:00", "Asia/Tehran", "2026-11-22T22:00:00+03:30", "2026-11-23T08:00:00+03:30"),
        ("22:00-08:00", "Asia/Tehran", "2026-11-23T07:59:59+03:30", "2026-11-23T08:00:00+03:30"),
        ("22:00-08:00", "Asia/Tehran", "2026-11-23T08:00:00+03:30", "2026-11-23T08:00:00+03:30"),
        # The same instant in another zone is another time of day.
        (
            "22:00-08:00",
            "America/New_York",
            "2026-11-22T22:00:00+03:30",
            "2026-11-22T13:30:00-05:00",
        ),
        # Within one day, and to or from midnight.
        ("13:00-15:30", "UTC", "2026-11-22T14:00:00+00:00", "2026-11-22T15:30:00+00:00"),
        ("13:00-15:30", "UTC", "2026-11-22T15:30:00+00:00", "2026-11-22T15:30:00+00:00"),
        ("00:00-06:00", "UTC", "2026-11-22T00:00:00+00:00", "2026-11-22T06:00:00+00:00"),
        ("21:00-00:00", "UTC", "2026-11-22T23:59:59+00:00", "2026-11-23T00:00:00+00:00"),
        # Tehran went over to summer time at midnight until 2022: 00:00 was 01:00, then 24:00 23:00.
        ("22:00-00:30", "Asia/Tehran", "2022-03-21T23:00:00+03:30", "2022-03-22T01:00:00+04:30"),
        ("22:00-08:00", "Asia/Tehran", "2022-03-21T23:00:00+03:30", "2022-03-22T08:00:00+04:30"),
        ("22:00-08:00", "Asia/Tehran", "2022-09-21T23:30:00+04:30", "2022-09-22T08:00:00+03:30"),
        ("22:00-23:15", "Asia/Tehran", "2022-09-21T23:10:00+04:30", "2022-09-21T23:15:00+04:30"),
        ("22:00-23:15", "Asia/Tehran", "2022-09-21T23:10:00+03:30", "2022-09-21T23:15:00+03:30"),
        # It no longer does.
        ("22:00-08:00", "Asia/Tehran", "2023-03-21T23:00:00+03:30", "2023-03-22T08:00:00+03:30"),
        # Berlin: 02:00 is 03:00 in spring, 03:00 is 02:00 in autumn.
        ("22:00-02:30", "Europe/Berlin", "2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("22:00-08:00", "Europe/Berlin", "2026-03-28T23:00:00+01:00", "2026-03-29T08:00:00+02:00"),
        ("22:00-02:30", "Europe/Berlin", "2026-10-25T02:10:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("22:00-02:30", "Europe/Berlin", "2026-10-25T02:10:00+01:00", "2026-10-25T02:30:00+01:00"),
        ("22:00-08:00", "Europe/Berlin", "2026-10-24T23:00:00+02:00", "2026-10-25T08:00:00+01:00"),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_persons_wall(
    text: str, zone: str, at: str, expected: str
) -> None:
    assert ends(text, zone, at) == expected


def test_without_quiet_hours_it_is_never_quiet() -> None:
    assert parse_quiet_hours("") is None


@pytest.mark.parametrize(
    "text", ["22-8", "22:00", "22:00-22:00", "25:00-08:00", "24:00-08:00", "night", "22:00 - 8:00"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        parse_quiet_hours(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3 per P1D", Cap(3, DAY)), ("10 per P7D", Cap(10, 7 * DAY)), ("1 per PT1H", Cap(1, HOUR))],
)
def test_a_cap_is_read(text: str, expected: Cap) -> None:
    assert parse_cap(text) == expected


@pytest.mark.parametrize("text", ["", "3", "0 per P1D", "-1 per P1D", "3 per day", "3/P1D"])
def test_what_is_no_cap_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"cap|duration"):
        parse_cap(text)


def got(*minutes_ago: int, class_: str = "marketing") -> list[Received]:
    return [Received(NOW - ago * MINUTE, class_) for ago in minutes_ago]


@pytest.mark.parametrize(
    ("caps", "received", "minutes"),
    [
        ([Cap(1, HOUR)], [], 0),
        ([Cap(1, HOUR)], got(61), 0),
        ([Cap(1, HOUR)], got(10), 50),
        ([Cap(2, HOUR)], got(10), 0),
        ([Cap(2, HOUR)], got(50, 10), 10),  # when the first of the two is an hour old
        ([Cap(2, HOUR)], got(50, 40, 30), 20),  # more came before the cap was set
        ([Cap(1, HOUR), Cap(2, DAY)], got(600, 10), 1440 - 600),  # the longer one counts
        ([Cap(1, HOUR), Cap(3, DAY)], got(600, 10), 50),
        ([Cap(1, HOUR, "marketing")], got(10, class_="transactional"), 0),
        ([Cap(1, HOUR)], got(10, class_="transactional"), 50),
        ([Cap(2, HOUR)], got(50) + got(10, class_="transactional"), 10),
    ],
)
def test_a_message_waits_until_a_cap_has_room(
    caps: list[Cap], received: list[Received], minutes: int
) -> None:
    until = capped_until(caps, received, NOW)
    assert until == (NOW + minutes * MINUTE + 1 if minutes else NOW)
    assert capped_until(caps, received, until) == until


CAPS = (Cap(9, DAY), Cap(3, DAY, "marketing"), Cap(5, DAY, "transactional"))


@pytest.mark.parametrize(
    ("classes", "class_", "caps", "quiet"),
    [
        ({"marketing"}, "marketing", (9, 3), True),
        ({"marketing"}, "transactional", (5,), False),
        ({"marketing", "transactional"}, "transactional", (9, 5), True),
        (set(), "marketing", (3,), False),
    ],
)
def test_a_class_that_is_not_named_passes_what_holds_all(
    classes: set[str], class_: str, caps: tuple[int, ...], quiet: bool
) -> None:
    rules = MessageRules(parse_quiet_hours("22:00-08:00"), CAPS, frozenset(classes))
    assert tuple(cap.most for cap in rules.caps_of(class_)) == caps
    assert (rules.hours_of(class_) is not None) == quiet


def test_what_may_be_held_is_of_use_for_longer() -> None:
    quiet = MessageRules(parse_quiet_hours("22:00-08:00"), patience=12 * HOUR)
    capped = MessageRules(caps=(Cap(1, DAY),))
    assert NO_RULES.lateness("marketing", HOUR) == HOUR
    assert quiet.lateness("marketing", HOUR) == 12 * HOUR
    assert quiet.lateness("marketing", DAY) == DAY
    assert quiet.lateness("transactional", HOUR) == HOUR
    assert capped.lateness("marketing", HOUR) == DAY
