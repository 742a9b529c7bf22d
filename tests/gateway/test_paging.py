"""Cursors: lead on, and cannot be taken for another list's or be changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.gateway.paging import make_cursor, read_cursor
from angarium.gateway.problems import Problem, Refusal

PLACE = (1_795_262_400_000, "dlv_abc")
START = (0, "")


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
)
def test_a_cursor_gives_back_its_place(at: int, name: str) -> None:
    cursor = make_cursor((at, name), "list", None)

    assert read_cursor(cursor, tuple[int, str], START, "list", None) == (at, name)


def test_no_cursor_is_the_start() -> None:
    assert read_cursor(None, tuple[int, str], START, "list") == START


def refused(cursor: str, *names: str | None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_cursor(cursor, tuple[int, str], START, *names)
    return caught.value


@pytest.mark.parametrize("cursor", ["", "x", "%00", "-1", "null", "!!!!", "سلام", "A" * 3_000])
def test_what_is_no_cursor_is_refused_and_the_remedy_is_told(cursor: str) -> None:
    refusal = refused(cursor, "list")

    assert refusal.problem is Problem.INVALID
    assert [error.pointer for error in refusal.errors] == ["cursor"]
    assert "next_cursor" in refusal.errors[0].detail


def test_every_changed_letter_is_noticed() -> None:
    cursor = make_cursor(PLACE, "list")
    for index, letter in enumerate(cursor):
        changed = cursor[:index] + ("A" if letter != "A" else "B") + cursor[index + 1 :]
        refused(changed, "list")
    refused(cursor + "!", "list")
    refused(cursor[:-1], "list")


def test_a_cursor_of_another_list_or_of_other_filters_is_refused() -> None:
    cursor = make_cursor(PLACE, "list", "email", None)

    refused(cursor, "another", "email", None)
    refused(cursor, "list", None, "email")


def test_a_place_of_another_shape_is_refused() -> None:
    refused(make_cursor(("a", 1), "list"), "list")
    refused(make_cursor((1,), "list"), "list")
