"""So many messages a second, whoever takes them."""

from hypothesis import given
from hypothesis import strategies as st

from angarium.core.delivery.pace import Pace, burst, slot
from angarium.core.events.times import HOUR

NOW = 1_800_000_000_000


def test_after_a_rest_a_short_burst_may_go_and_no_more() -> None:
    assert Pace().room(80, NOW) == 5
    assert Pace().spend(5, 80, NOW).room(80, NOW) == 0


def test_slots_come_back_with_time() -> None:
    spent = Pace().spend(5, 80, NOW)
    assert [spent.room(80, NOW + later) for later in (12, 13, 25, 62, 63, 5_000)] == [
        0,
        1,
        2,
        4,
        5,
        5,
    ]
    assert spent.free_at(0, 80, NOW) == NOW + 13
    assert spent.free_at(1, 80, NOW) == NOW + 25


def test_what_was_taken_and_not_used_is_given_back() -> None:
    assert Pace().spend(5, 80, NOW).spend(-2, 80, NOW).room(80, NOW) == 2


def test_one_message_in_ten_seconds() -> None:
    assert Pace().room(0.1, NOW) == 1
    spent = Pace().spend(1, 0.1, NOW)
    assert spent.room(0.1, NOW + 9_999) == 0
    assert spent.room(0.1, NOW + 10_000) == 1


def test_a_clock_that_was_set_back_stops_nothing() -> None:
    spent = Pace().spend(5, 80, NOW)
    assert spent.room(80, NOW - HOUR) == 0
    assert spent.spend(0, 80, NOW - HOUR).room(80, NOW - HOUR + 63) == 5


@given(
    st.sampled_from([0.5, 3, 7.5, 20, 200, 5_000]),
    st.lists(st.tuples(st.integers(0, 2_000), st.integers(-1_500, 1_500)), max_size=40),
)
def test_whatever_the_clocks_say_no_slot_is_given_out_twice(
    per_second: float, takes: list[tuple[int, int]]
) -> None:
    """Each takes all there is, by a clock that goes wrong by up to a second and a half."""
    pace, now, taken, latest = Pace(), NOW, 0, NOW
    for waited, wrong in takes:
        now += waited
        latest = max(latest, now + wrong)
        room = pace.room(per_second, now + wrong)
        pace = pace.spend(room, per_second, now + wrong)
        taken += room
    earliest = NOW - 1_500
    assert taken <= burst(per_second) + (latest - earliest) * 1000 // slot(per_second) + 1
