"""Whether a provider that calls addresses dead is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.delivery.tolls import BLOCK, TRUSTED, Toll, trusted, weigh

NOW = 1_790_000_000_000


NEW = Toll()


def after(*answers: tuple[int, int], toll: Toll = NEW) -> tuple[Toll, list[int]]:
    """After (sends, deaths) one after the other; and how many deaths each time were carried out."""
    carried: list[int] = []
    for sends, deaths in answers:
        toll, count = weigh(toll, sends, deaths, NOW)
        carried.append(count)
    return toll, carried


@pytest.mark.parametrize(
    ("answers", "carried", "held"),
    [
        ([(1, 1)], [1], False),
        ([(1, 1)] * 40, [1] * 40, False),  # a small instance loses so many, whatever the share
        ([(1, 1)] * 42, [1] * 40 + [0, 0], True),
        ([(50, 50)], [40], True),
        ([(200, 200)], [40], True),
        ([(200, 40)], [40], False),
        ([(200, 41)], [40], True),
        ([(100, 10)] * 20, [10] * 20, False),  # a tenth is what lists lose
        ([(100, 19)] * 20, [19] * 20, False),
        ([(100, 30)] * 3, [30, 10, 0], True),
        ([(0, 50)], [40], True),  # called dead later, in callbacks
        ([(5_000, 10), (150, 150)], [10, 69], True),  # long ago is not lately
    ],
)
def test_a_few_are_believed_and_most_are_not(
    answers: list[tuple[int, int]], carried: list[int], held: bool
) -> None:
    toll, counts = after(*answers)

    assert counts == carried
    assert (toll.held_since == NOW) is held


def test_it_is_believed_again_when_nearly_all_is_well() -> None:
    toll, _ = after((200, 200))
    still, none = after((199, 10), toll=toll)
    again, some = after((199, 10), (2, 1), (2, 1), toll=still)

    assert (still.held_since, none) == (NOW, [0])
    assert (again.held_since, some[-1]) == (None, 1)


def test_between_the_two_shares_it_stays_as_it_was() -> None:
    toll, counts = after((200, 200), *[(100, 15)] * 10)

    assert toll.held_since == NOW
    assert counts[1:] == [0] * 10


def test_an_admins_word_counts_for_a_day() -> None:
    toll, carried = weigh(trusted(NOW), 1_000, 1_000, NOW + TRUSTED - 1)
    later, count = weigh(toll, 1_000, 1_000, NOW + TRUSTED)

    assert (carried, toll.held_since) == (1_000, None)
    assert (count, later.held_since) == (40, NOW + TRUSTED)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=60))
def test_no_more_is_carried_out_than_was_called_dead(pairs: list[tuple[int, int]]) -> None:
    answers = [(sends + deaths, deaths) for sends, deaths in pairs]
    toll, carried = after(*answers)

    assert all(0 <= count <= deaths for count, (_, deaths) in zip(carried, answers, strict=True))
    assert toll.all_sends < 2 * BLOCK


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_where_all_die_no_more_than_a_fifth_of_two_blocks_ever_do(deaths: list[int]) -> None:
    _, carried = after(*((count, count) for count in deaths))

    assert sum(carried) <= (2 * BLOCK + max(deaths)) // 5
