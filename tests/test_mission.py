"""docs/mission.md names every behaviour, and only tests that exist."""

import re
from pathlib import Path

from tests.named_tests import missing

PAGE = Path(__file__).resolve().parent.parent / "docs" / "mission.md"
COUNTS = {"S0.": 8, "S1.": 18, "S2.": 12, "S3.": 6, "S4.": 7, "B": 4, "N": 8}
"""How many behaviours each part has; they are numbered from 1."""
STATES = ("done", "begun", "not yet")
_ROW = re.compile(r"^\| ([SBN][\d.]*\d) \| ([a-z ]+) \| (.+) \| (.*)\|$", re.MULTILINE)


def rows() -> list[tuple[str, str, list[str]]]:
    """Each behaviour's number, state and tests."""
    found = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    return [(number, state, re.findall(r"`([^`]+)`", tests)) for number, state, _, tests in found]


def test_every_behaviour_is_listed_once_in_order() -> None:
    numbers = [f"{part}{n}" for part, count in COUNTS.items() for n in range(1, count + 1)]

    assert [number for number, _, _ in rows()] == numbers


def test_every_state_is_one_of_three() -> None:
    assert {state for _, state, _ in rows()} <= set(STATES)


def test_what_is_done_or_begun_is_shown_and_nothing_else_is() -> None:
    assert [number for number, state, tests in rows() if (state == "not yet") == bool(tests)] == []


def test_every_test_that_is_named_exists() -> None:
    assert missing(name for _, _, tests in rows() for name in tests) == []
