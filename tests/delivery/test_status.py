"""The table of states, and what follows from it."""

from itertools import permutations, product

import pytest

from angarium.core.delivery.status import (
    RECEIPTS,
    TERMINAL,
    TRANSITIONS,
    UNSENT,
    Bucket,
    DeliveryState,
    after_news,
    base,
    bucket,
    may_move,
)

S = DeliveryState
NEWS = (S.ACCEPTED, *RECEIPTS)


def test_every_state_has_its_moves() -> None:
    assert set(TRANSITIONS) == set(S)
    assert [state for state in S if not TRANSITIONS[state]] == [
        S.FAILED,
        S.SKIPPED,
        S.CANCELLED,
        S.BOUNCED,
    ]
    assert {state for state in S if not TRANSITIONS[state]} == set(TERMINAL)


@pytest.mark.parametrize("state", S)
def test_staying_is_no_move(state: DeliveryState) -> None:
    assert not may_move(state, state)


def test_nothing_that_a_provider_took_is_sent_again() -> None:
    for state in NEWS:
        assert not TRANSITIONS[state] & {S.PLANNED, S.HELD, S.CLAIMED, S.HANDED, S.IN_DOUBT}


def test_only_a_claimed_delivery_is_handed_over() -> None:
    assert [state for state in S if S.HANDED in TRANSITIONS[state]] == [S.CLAIMED]


def test_receipts_go_upwards_only() -> None:
    for at, state in enumerate(RECEIPTS):
        assert set(TRANSITIONS[state]) == set(RECEIPTS[at + 1 :])


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (S.PLANNED, Bucket.WAITING),
        (S.HELD, Bucket.WAITING),
        (S.CLAIMED, Bucket.WAITING),
        (S.HANDED, Bucket.WAITING),
        (S.ACCEPTED, Bucket.ACCEPTED),
        (S.DELIVERED, Bucket.ACCEPTED),
        (S.UNDELIVERED, Bucket.ACCEPTED),
        (S.BOUNCED, Bucket.ACCEPTED),
        (S.EXPIRED, Bucket.ACCEPTED),
        (S.FAILED, Bucket.FAILED),
        (S.IN_DOUBT, Bucket.IN_DOUBT),
        (S.SKIPPED, Bucket.SKIPPED),
        (S.CANCELLED, Bucket.CANCELLED),
    ],
)
def test_each_state_counts_in_one_of_the_six(state: DeliveryState, expected: Bucket) -> None:
    assert bucket(state) is expected
    assert bucket(base(state)) is expected


@pytest.mark.parametrize("start", [S.HANDED, S.IN_DOUBT, S.ACCEPTED])
def test_news_in_any_order_and_repeated_ends_in_the_same_state(start: DeliveryState) -> None:
    """G13.91: delivered before accepted, bounce after delivered."""
    for length in range(1, 4):
        for news in product(NEWS, repeat=length):
            ends = {_fold(start, order) for order in permutations(news)}
            assert len(ends) == 1
            assert ends == {_fold(start, (*news, *news))}


@pytest.mark.parametrize("state", UNSENT)
@pytest.mark.parametrize("news", NEWS)
def test_news_of_what_was_never_handed_over_changes_nothing(
    state: DeliveryState, news: DeliveryState
) -> None:
    assert after_news(state, news, was_handed=False) is state
    assert after_news(state, news, was_handed=True) is news


@pytest.mark.parametrize("state", [S.FAILED, S.SKIPPED, S.CANCELLED])
@pytest.mark.parametrize("news", NEWS)
def test_news_revives_nothing_that_has_ended(state: DeliveryState, news: DeliveryState) -> None:
    assert after_news(state, news, was_handed=True) is state


def _fold(state: DeliveryState, news: tuple[DeliveryState, ...]) -> DeliveryState:
    for each in news:
        state = after_news(state, each, was_handed=True)
    return state
