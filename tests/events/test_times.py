import pytest

from angarium.core.events.times import format_instant, parse_duration, parse_instant


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000Z"),
        ("2026-11-22T10:00:00.123456+00:00", "2026-11-22T10:00:00.123Z"),
        ("2026-11-22T10:00:00+03:30", "2026-11-22T06:30:00.000Z"),
        ("2026-11-22T10:00:00", "2026-11-22T10:00:00.000Z"),
        ("2026-11-22", "2026-11-22T00:00:00.000Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"),
    ],
)
def test_instants(text: str, same: str) -> None:
    assert format_instant(parse_instant(text)) == same


@pytest.mark.parametrize(
    "text", ["", "now", "2026-13-01", "2026-11-22T25:00:00Z", "1", "x" * 9_999]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT30M", 1_800),
        ("P1D", 86_400),
        ("-P30D", -2_592_000),
        ("P1W", 604_800),
        ("P1DT12H", 129_600),
        ("PT1.5S", 1.5),
        ("PT0S", 0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds * 1000


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1M", "P1Y", "1D", "P1DT", "PT-5M", "P٣D", "P1D "]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a duration looks like"):
        parse_duration(text)
