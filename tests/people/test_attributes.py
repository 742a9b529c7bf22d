from random import Random

from hypothesis import given
from hypothesis import strategies as st

from angarium.core.people.attributes import Cell, Write, merge, value_of, write

KNOWN, ANONYMOUS = True, False

instants = st.integers(0, 6)
writes = st.one_of(
    st.builds(Write, st.booleans(), instants, st.integers(0, 9), st.just("set"), st.integers(0, 3)),
    st.builds(Write, st.booleans(), instants, st.integers(0, 9), st.just("unset")),
    st.builds(
        Write, st.booleans(), instants, st.integers(0, 9), st.just("increment"), st.integers(1, 3)
    ),
)
histories = st.lists(writes, max_size=8, unique_by=lambda w: (w.known, w.at, w.tie))


def cell_of(history: list[Write]) -> Cell | None:
    cell = None
    for change in history:
        cell = write(cell, change)
    return cell


@given(histories, st.randoms(use_true_random=False))
def test_any_order_of_writes_gives_the_same_value(history: list[Write], shuffle: Random) -> None:
    shuffled = list(history)
    shuffle.shuffle(shuffled)

    assert cell_of(shuffled) == cell_of(history)


@given(histories, st.integers(0, 8))
def test_merging_two_profiles_equals_one_history(history: list[Write], cut: int) -> None:
    left, right = cell_of(history[:cut]), cell_of(history[cut:])
    merged = left if right is None else merge(left, right)

    assert merged == cell_of(history)


def test_a_value_set_while_known_beats_a_later_one_set_while_anonymous() -> None:
    cell = cell_of([Write(KNOWN, 1, 0, "set", "Tehran"), Write(ANONYMOUS, 9, 0, "set", "Shiraz")])

    assert cell is not None
    assert value_of(cell) == "Tehran"


def test_a_late_value_takes_its_place_under_the_increments_after_it() -> None:
    cell = cell_of([Write(KNOWN, 5, 0, "increment", 2), Write(KNOWN, 1, 0, "set", 10)])

    assert cell is not None
    assert value_of(cell) == 12


def test_arrays_are_added_to_once_and_removed_from() -> None:
    cell = cell_of(
        [
            Write(KNOWN, 1, 0, "add", "red"),
            Write(KNOWN, 2, 0, "add", "blue"),
            Write(KNOWN, 3, 0, "add", "red"),
            Write(KNOWN, 4, 0, "remove", "blue"),
        ]
    )

    assert cell is not None
    assert value_of(cell) == ["red"]


def test_an_unset_value_is_gone() -> None:
    cell = cell_of([Write(KNOWN, 1, 0, "set", 1), Write(KNOWN, 2, 0, "unset")])

    assert cell is not None
    assert value_of(cell) is None


def test_many_increments_are_folded_into_the_value() -> None:
    cell = cell_of([Write(KNOWN, at, 0, "increment", 1) for at in range(1, 500)])

    assert cell is not None
    assert len(cell.operations) == 100
    assert value_of(cell) == 499
