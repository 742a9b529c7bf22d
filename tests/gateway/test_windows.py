"""Where the buckets of a chart begin (S0.7)."""

from zoneinfo import ZoneInfo

import pytest

from angarium.core.events.times import format_instant, parse_instant
from angarium.gateway.windows import SLOT, Window, bucket_starts, first_slot, sum_slots

TEHRAN = ZoneInfo("Asia/Tehran")  # +03:30 all year
BERLIN = ZoneInfo("Europe/Berlin")
NOW = parse_instant("2026-11-21T12:10:00Z")  # 15:40 in Tehran


@pytest.mark.parametrize(
    ("window", "count", "first", "last"),
    [
        ("12h", 24, "2026-11-21T00:30:00.000Z", "2026-11-21T12:00:00.000Z"),
        ("7d", 28, "2026-11-14T14:30:00.000Z", "2026-11-21T08:30:00.000Z"),  # 12:00 in Tehran
        ("30d", 30, "2026-10-22T20:30:00.000Z", "2026-11-20T20:30:00.000Z"),  # 00:00 in Tehran
    ],
)
def test_buckets_begin_where_clocks_turn_and_the_last_one_holds_now(
    window: Window, count: int, first: str, last: str
) -> None:
    starts = bucket_starts(window, NOW, TEHRAN)

    assert len(starts) == count
    assert [format_instant(starts[0]), format_instant(starts[-1])] == [first, last]
    assert starts == sorted(set(starts))


def test_a_day_on_which_clocks_change_is_one_bucket() -> None:
    now = parse_instant("2026-10-26T12:00:00Z")

    starts = bucket_starts("30d", now, BERLIN)

    assert format_instant(starts[-2]) == "2026-10-24T22:00:00.000Z"
    assert starts[-1] - starts[-2] == 25 * 3_600_000


def test_an_occurrence_counts_in_the_bucket_that_holds_its_half_hour() -> None:
    starts = [10 * SLOT, 12 * SLOT, 14 * SLOT]

    assert sum_slots(starts, [(9, 7), (10, 1), (11, 2), (12, 4), (99, 8)]) == [3, 4, 8]


def test_the_first_half_hour_is_the_first_that_begins_in_the_window() -> None:
    assert first_slot([10 * SLOT]) == 10
    assert first_slot([10 * SLOT + 1]) == 11
