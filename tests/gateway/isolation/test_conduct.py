"""When a plugin is left alone: rests after deaths, and being put aside."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.gateway.isolation.conduct import FORGOTTEN, LONGEST_REST, Conduct, Rules

RULES = Rules(failures=3, aside_seconds=100.0)


def after(*deaths: float, rules: Rules = RULES) -> Conduct:
    return reduce(lambda conduct, at: conduct.died(at, "died", rules), deaths, Conduct())


def test_the_rest_after_a_death_doubles_with_each() -> None:
    many = Rules(failures=100)
    rests = [after(*range(count), rules=many).rest(count - 1) for count in (1, 2, 3, 4, 20)]

    assert rests == [0.5, 1.0, 2.0, 4.0, LONGEST_REST]


def test_three_deaths_put_it_aside_and_a_good_answer_between_does_not_help() -> None:
    conduct = after(0.0, 1.0).behaved().died(2.0, "died", RULES)

    assert conduct.is_aside(2.0)
    assert conduct.rest(2.0) == 100.0


def test_deaths_long_ago_do_not_count() -> None:
    assert not after(0.0, 1.0, FORGOTTEN + 2.0).is_aside(FORGOTTEN + 2.0)


def test_a_good_answer_makes_up_for_breaches_of_the_contract() -> None:
    conduct = Conduct()
    for _ in range(10):
        conduct = conduct.broke(0.0, "raised", RULES).broke(0.0, "raised", RULES).behaved()

    assert not conduct.is_aside(0.0)
    assert conduct.count == 20


def test_breaches_in_a_row_put_it_aside() -> None:
    conduct = Conduct()
    for _ in range(3):
        conduct = conduct.broke(5.0, "raised KeyError", RULES)

    assert conduct.is_aside(5.0)
    assert not conduct.is_aside(105.0)
    assert conduct.last == "raised KeyError"


@pytest.mark.parametrize("again", ["died", "broke"])
def test_after_being_aside_it_is_on_trial_the_next_failure_is_enough(again: str) -> None:
    conduct = after(0.0, 0.0, 0.0)

    assert getattr(conduct, again)(101.0, "again", RULES).is_aside(101.0)


def test_a_good_answer_ends_the_trial() -> None:
    conduct = after(0.0, 0.0, 0.0).behaved()

    assert not conduct.broke(101.0, "again", RULES).is_aside(101.0)


def test_good_answers_change_nothing_that_would_have_to_be_told() -> None:
    conduct = Conduct()

    assert conduct.behaved() is conduct


@given(
    st.lists(st.tuples(st.sampled_from(["died", "broke", "behaved"]), st.floats(0, 50))),
    st.integers(1, 5),
)
def test_whatever_it_does_it_rests_no_longer_than_it_is_put_aside(
    acts: list[tuple[str, float]], failures: int
) -> None:
    rules = Rules(failures=failures, aside_seconds=100.0)
    conduct, now, bad = Conduct(), 0.0, 0
    for act, later in acts:
        now += later
        conduct = conduct.behaved() if act == "behaved" else getattr(conduct, act)(now, "x", rules)
        bad += act != "behaved"
        assert conduct.count == bad
        assert conduct.rest(now) < 100.1
        assert len(conduct.deaths) <= failures
