from random import Random

from hypothesis import given
from hypothesis import strategies as st

from angarium.core.events.totals import EventTotals, add_occurrence, add_totals

Occurrence = tuple[int, dict[str, int]]

occurrences = st.lists(
    st.tuples(
        st.integers(0, 100), st.dictionaries(st.sampled_from(["a", "b"]), st.integers(-9, 9))
    ),
    min_size=1,
    max_size=10,
)


def totals_of(history: list[Occurrence]) -> EventTotals | None:
    totals = None
    for at, numbers in history:
        totals = add_occurrence(totals, at, numbers)
    return totals


@given(occurrences, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_totals(history: list[Occurrence], shuffle: Random) -> None:
    shuffled = list(history)
    shuffle.shuffle(shuffled)

    assert totals_of(shuffled) == totals_of(history)


@given(occurrences, st.integers(0, 10))
def test_two_peoples_totals_add_up(history: list[Occurrence], cut: int) -> None:
    left, right = totals_of(history[:cut]), totals_of(history[cut:])
    merged = left if right is None else add_totals(left, right)

    assert merged == totals_of(history)


def test_figures_of_a_numeric_property() -> None:
    totals = totals_of([(1, {"amount": 5}), (3, {"amount": 1}), (2, {"amount": 9})])

    assert totals == EventTotals(3, 1, 3, {"amount": [15, 1, 9, 1, 3, 3]})


def test_only_numbers_count_as_numbers() -> None:
    totals = add_occurrence(None, 7, {"a": 1, "b": 2.5, "c": True, "d": "3", "e": None})

    assert totals.numbers == {"a": [1, 1, 1, 1, 7, 1], "b": [2.5, 2.5, 2.5, 2.5, 7, 1]}
