"""The verbs with which definitions are read."""

import pytest

from angarium.core.segments.reader import Reader, child, spelled

DAY = 86_400_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("PT0S", 0),
        ("PT30M", 1_800_000),
        ("P1D", DAY),
        ("P1DT12H", DAY * 3 // 2),
        ("P365D", 365 * DAY),
    ],
)
def test_a_duration_is_read_in_milliseconds(value: str, expected: int) -> None:
    assert Reader().duration(value, "/delay", 0, 365 * DAY) == expected


@pytest.mark.parametrize(
    "value", ["P366D", "-PT1S", "P1M", "1 day", "P", "", 0, -1, 10**12, None, True, ["P1D"]]
)
def test_any_other_duration_is_a_fault(value: object) -> None:
    reader = Reader()

    assert reader.duration(value, "/delay", 0, 365 * DAY) == 0
    assert [pointer for pointer, _ in reader.faults] == ["/delay"]


@pytest.mark.parametrize(("value", "fine"), [(1, True), (0, False), (1.0, False), (True, False)])
def test_a_count_is_a_whole_number(value: object, fine: bool) -> None:
    reader = Reader()
    reader.count(value, "/n", 1, 5)

    assert (not reader.faults) is fine


def test_names_in_pointers_are_escaped() -> None:
    assert child("/a", "b/c~d") == "/a/b~1c~0d"
    assert child("", 3) == "/3"


@pytest.mark.parametrize(
    ("length", "words"),
    [(0, "0 seconds"), (1000, "1 second"), (DAY, "1 day"), (365 * DAY, "365 days")],
)
def test_lengths_are_spelled_for_people(length: int, words: str) -> None:
    assert spelled(length) == words


def test_a_name_with_a_null_character_is_a_fault() -> None:
    reader = Reader()
    reader.members({"a\0": 1}, "/data")

    assert "U+0000" in reader.faults[0][1]
