"""Active hours on the wall clocks of the world (S1.9)."""

from datetime import datetime
from typing import Any

import pytest

from angarium.core.campaigns.hours import DAYS, ActiveHours, next_open, zone_of
from angarium.core.campaigns.schedule import read_hours
from angarium.core.events.times import find_zone, format_instant, parse_instant
from angarium.core.segments.reader import Reader


def hours(**days: Any) -> ActiveHours:
    reader = Reader()
    read = read_hours(reader, days, "")
    reader.finish()
    assert read is not None
    return read


def every_day(*spans: str) -> ActiveHours:
    return hours(**{day: list(spans) for day in DAYS})


def opens(open_hours: ActiveHours, zone: str, at: str) -> str:
    """When it opens, on the clock of that zone."""
    moment = format_instant(next_open(open_hours, zone, parse_instant(at)))
    return datetime.fromisoformat(moment).astimezone(find_zone(zone)).isoformat()


OFFICE = every_day("09:00-21:00")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-22T08:59:59+03:30", "2026-11-22T09:00:00+03:30"),
        ("2026-11-22T09:00:00+03:30", "2026-11-22T09:00:00+03:30"),
        ("2026-11-22T20:59:59+03:30", "2026-11-22T20:59:59+03:30"),
        ("2026-11-22T21:00:00+03:30", "2026-11-23T09:00:00+03:30"),
        ("2026-11-22T23:59:59+03:30", "2026-11-23T09:00:00+03:30"),
    ],
)
def test_a_message_waits_until_the_hours_open(at: str, expected: str) -> None:
    assert opens(OFFICE, "Asia/Tehran", at) == expected


def test_an_open_instant_stays_as_it_is_to_the_millisecond() -> None:
    at = parse_instant("2026-11-22T12:34:56.789Z")

    assert next_open(OFFICE, "UTC", at) == at


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-20T12:00:00+00:00", "2026-11-23T10:00:00+00:00"),  # Friday
        ("2026-11-23T11:00:00+00:00", "2026-11-23T15:00:00+00:00"),  # Monday, between two spans
        ("2026-11-23T16:00:00+00:00", "2026-11-25T00:00:00+00:00"),  # Tuesday is not named
        ("2026-11-26T00:00:00+00:00", "2026-11-30T10:00:00+00:00"),  # Wednesday ended at 24:00
    ],
)
def test_each_weekday_has_its_own_hours(at: str, expected: str) -> None:
    week = hours(mon=["10:00-11:00", "15:00-16:00"], wed=["00:00-24:00"], thu=[])

    assert opens(week, "UTC", at) == expected


def test_hours_over_midnight_are_two_spans() -> None:
    night = hours(mon=["22:00-24:00"], tue=["00:00-02:00"])

    assert opens(night, "UTC", "2026-11-23T23:59:59+00:00") == "2026-11-23T23:59:59+00:00"
    assert opens(night, "UTC", "2026-11-24T00:00:00+00:00") == "2026-11-24T00:00:00+00:00"
    assert opens(night, "UTC", "2026-11-24T02:00:00+00:00") == "2026-11-30T22:00:00+00:00"


def test_spans_that_overlap_or_touch_are_one() -> None:
    day = hours(mon=["12:00-14:00", "09:00-11:00", "10:00-12:00", "13:00-13:30"])

    assert day.spans[0] == ((540, 840),)


@pytest.mark.parametrize(
    ("spans", "zone", "at", "expected"),
    [
        # Berlin, 29 March 2026: 02:00 becomes 03:00.
        ("09:00-21:00", "Europe/Berlin", "2026-03-28T22:00+01:00", "2026-03-29T09:00:00+02:00"),
        ("02:30-04:00", "Europe/Berlin", "2026-03-29T01:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("02:15-02:45", "Europe/Berlin", "2026-03-29T01:00+01:00", "2026-03-30T02:15:00+02:00"),
        ("03:00-03:30", "Europe/Berlin", "2026-03-29T01:59+01:00", "2026-03-29T03:00:00+02:00"),
        # Berlin, 25 October 2026: 03:00 becomes 02:00.
        ("09:00-21:00", "Europe/Berlin", "2026-10-24T22:00+02:00", "2026-10-25T09:00:00+01:00"),
        ("02:30-02:45", "Europe/Berlin", "2026-10-25T02:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("02:30-02:45", "Europe/Berlin", "2026-10-25T02:50+02:00", "2026-10-25T02:30:00+01:00"),
        ("01:00-02:30", "Europe/Berlin", "2026-10-25T02:40+02:00", "2026-10-25T02:00:00+01:00"),
        ("02:30-02:45", "Europe/Berlin", "2026-10-25T02:50+01:00", "2026-10-26T02:30:00+01:00"),
        # Tehran, 22 March 2022, the last change there: 00:00 became 01:00.
        ("00:00-09:00", "Asia/Tehran", "2022-03-21T23:59+03:30", "2022-03-22T01:00:00+04:30"),
        ("00:30-09:00", "Asia/Tehran", "2022-03-21T23:59+03:30", "2022-03-22T01:00:00+04:30"),
        ("00:10-00:50", "Asia/Tehran", "2022-03-21T23:59+03:30", "2022-03-23T00:10:00+04:30"),
        ("09:00-21:00", "Asia/Tehran", "2022-03-21T22:00+03:30", "2022-03-22T09:00:00+04:30"),
        ("09:00-21:00", "Asia/Tehran", "2026-03-21T22:00+03:30", "2026-03-22T09:00:00+03:30"),
        # Tehran, 21 September 2022: 24:00 became 23:00.
        ("23:30-24:00", "Asia/Tehran", "2022-09-21T23:10+03:30", "2022-09-21T23:30:00+03:30"),
        # Apia left out 30 December 2011 altogether.
        ("09:00-21:00", "Pacific/Apia", "2011-12-29T22:00-10:00", "2011-12-31T09:00:00+14:00"),
    ],
)
def test_changes_of_the_clocks(spans: str, zone: str, at: str, expected: str) -> None:
    assert opens(every_day(spans), zone, at) == expected


def test_a_weekly_span_that_vanishes_is_found_a_week_later() -> None:
    sunday = hours(sun=["02:10-02:50"])

    assert (
        opens(sunday, "Europe/Berlin", "2026-03-23T12:00:00+01:00") == "2026-04-05T02:10:00+02:00"
    )


@pytest.mark.parametrize(
    ("zone", "attributes", "expected"),
    [
        ("Europe/Berlin", {"timezone": "Asia/Tokyo"}, "Europe/Berlin"),
        ("person", {"timezone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ("person", {}, "Asia/Tehran"),
        ("person", {"timezone": "Mars/Olympus"}, "Asia/Tehran"),
        ("person", {"timezone": "../../etc/passwd"}, "Asia/Tehran"),
        ("person", {"timezone": "Asia"}, "Asia/Tehran"),
        ("person", {"timezone": ""}, "Asia/Tehran"),
        ("person", {"timezone": "a\0b"}, "Asia/Tehran"),
        ("person", {"timezone": "x" * 5000}, "Asia/Tehran"),
        ("person", {"timezone": 330}, "Asia/Tehran"),
    ],
)
def test_a_persons_own_zone_counts_if_there_is_such_a_zone(
    zone: str, attributes: dict[str, Any], expected: str
) -> None:
    assert zone_of(hours(zone=zone, mon=["09:00-10:00"]), attributes, "Asia/Tehran") == expected


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Asia/Tehran", "2026-11-22"),
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
        ("America/St_Johns", "2026-03-08"),
        ("America/St_Johns", "2026-11-01"),
        ("Africa/Casablanca", "2026-02-15"),
        ("Africa/Casablanca", "2026-03-22"),
        ("Australia/Lord_Howe", "2026-04-05"),  # by half an hour
        ("Australia/Lord_Howe", "2026-10-04"),
    ],
)
def test_the_first_open_minute_is_found_on_every_kind_of_day(zone: str, day: str) -> None:
    """Compared with walking forward minute by minute."""
    open_hours = every_day("00:30-01:10", "02:20-02:40", "12:00-23:00")
    spans = open_hours.spans[0]
    midnight = int(datetime.fromisoformat(day).replace(tzinfo=find_zone(zone)).timestamp())
    for at in range(midnight - 2 * 3600, midnight + 6 * 3600, 7 * 60):
        walked = at
        while True:
            local = datetime.fromtimestamp(walked, find_zone(zone))
            if any(begin <= local.hour * 60 + local.minute < end for begin, end in spans):
                break
            walked += 60
        assert next_open(open_hours, zone, at * 1000) == walked * 1000
