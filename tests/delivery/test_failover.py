"""A message that one provider did not take goes to another, and to no second one otherwise."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.delivery.failover import after_delay_of_one, after_pause_of_one, tried
from angarium.core.delivery.pauses import Health
from angarium.core.delivery.promises import (
    after_acceptance,
    after_delay,
    after_doubt,
    after_lost_worker,
    after_pause,
    after_refusal,
)
from angarium.core.delivery.record import AT_LEAST_ONCE, AT_MOST_ONCE, Delivery, move
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.routes import Board, Route, Routes, Standing
from angarium.core.delivery.status import UNSENT, DeliveryState
from angarium.core.events.times import HOUR, SECOND
from tests.delivery.examples import NOW, delivery

S = DeliveryState
POLICY = RetryPolicy()
FREE = {"b": 0}


def handed(**changes: Any) -> Delivery:
    return delivery(S.HANDED, **({"provider": "a", "attempt": 1, "handed_at": NOW} | changes))


def test_what_one_did_not_take_another_may_have_at_once() -> None:
    held = after_delay_of_one(handed(), "a: busy", NOW, POLICY, None, FREE)
    assert (held.state, held.reason, held.due_at, held.attempt) == (S.HELD, "a: busy", NOW, 1)
    assert tried(held)["a"] >= NOW + POLICY.first


def test_a_retry_after_stays_with_the_message() -> None:
    held = after_delay_of_one(handed(), "a: busy", NOW, POLICY, HOUR // 2, FREE)
    second = move(move(held, S.CLAIMED), S.HANDED, provider="b", attempt=2)
    held = after_delay_of_one(second, "b: busy", NOW, POLICY, None, {"a": 0})
    assert tried(held)["a"] == NOW + HOUR // 2
    assert NOW + POLICY.first <= held.due_at == tried(held)["b"] < NOW + HOUR // 2


def test_a_round_through_all_is_one_attempt_of_the_policy() -> None:
    last = handed(attempt=19, expires_at=NOW + 99 * HOUR)
    failed = after_delay_of_one(last, "a: busy", NOW, POLICY, None, FREE)
    assert (failed.state, failed.reason) == (S.FAILED, "retries_exhausted")
    before = msgspec.structs.replace(last, attempt=18)
    assert after_delay_of_one(before, "a: busy", NOW, POLICY, None, FREE).state is S.HELD


def test_a_pause_costs_no_attempt_and_the_other_has_it_at_once() -> None:
    held = after_pause_of_one(handed(), "a: away", NOW, NOW + SECOND, FREE)
    assert (held.state, held.due_at, held.attempt) == (S.HELD, NOW, 0)


def test_while_all_others_pause_it_waits_for_the_first_that_comes_back() -> None:
    others = {"b": NOW + 5 * SECOND, "c": NOW + 3 * SECOND}
    held = after_pause_of_one(handed(), "a: away", NOW, NOW + 9 * SECOND, others)
    assert held.due_at == NOW + 3 * SECOND


@pytest.mark.parametrize("resends", [0, 1])
def test_what_nobody_can_take_in_time_is_given_up(resends: int) -> None:
    last = handed(expires_at=NOW + SECOND, resends=resends)
    ended = after_delay_of_one(last, "a: busy", NOW, POLICY, None, {"b": NOW + 2 * SECOND})
    assert (ended.state, ended.reason) == (S.IN_DOUBT if resends else S.FAILED, "expired")


def test_the_context_keeps_what_else_it_holds() -> None:
    context = '{"event": {"name": "Visit"}, "address": "a@b.c"}'
    held = after_delay_of_one(handed(context=context), "a: busy", NOW, POLICY, None, FREE)
    assert msgspec.json.decode(held.context) | {"tried": {}} == {
        "event": {"name": "Visit"},
        "address": "a@b.c",
        "tried": {},
    }


Outcome = tuple[str, int | None]
"""(what the provider does, its Retry-After in ms)"""

WAITS = st.one_of(st.none(), st.integers(0, 20 * 60 * SECOND))
OUTCOMES = st.tuples(
    st.sampled_from(["busy", "away", "busy", "away", "refused", "doubt", "lost", "taken"]), WAITS
)


class World:
    """One message, the providers it meets, and a clock that jumps to the next thing to do."""

    def __init__(self, promise: str, orders: list[int]) -> None:
        names = [chr(ord("a") + n) for n in range(len(orders))]
        self.routes = [Route(name=n, order=o) for n, o in zip(names, orders, strict=True)]
        self.health = {name: Health() for name in names}
        self.not_before: dict[str, int] = {}
        self.now = NOW
        self.row = delivery(S.PLANNED, promise=promise)
        self.sent: list[tuple[str, str]] = []

    def step(self, outcome: Outcome) -> bool:
        """Wait until it is due, and hand it over; False: nobody takes it any more."""
        while True:
            self.now = max(self.now, self.row.due_at)
            if self.now >= self.row.expires_at:
                return False
            choice = self.board().pick(self.row)
            if not choice.until:
                break
            self.row = msgspec.structs.replace(self.row, due_at=choice.until)
        name = choice.provider
        assert self.now >= self.not_before.get(name, 0), "sooner than the provider asked for"
        claim = move(self.row, S.CLAIMED, generation=self.row.generation + 1)
        attempt = claim.attempt + 1
        self.row = move(claim, S.HANDED, provider=name, handed_at=self.now, attempt=attempt)
        self.sent.append((name, outcome[0]))
        others = {other: self.health[other].paused_until for other in choice.others}
        self.row = self.after(outcome, others)
        return self.row.state in UNSENT

    def board(self) -> Board:
        standings = {
            name: Standing(
                places=health.allowance(4, self.now),
                ready_at=health.paused_until,
                yields=bool(health.pauses),
            )
            for name, health in self.health.items()
        }
        return Board(Routes(self.routes), standings, self.now)

    def after(self, outcome: Outcome, others: dict[str, int]) -> Delivery:
        word, _ = outcome
        row, now = self.row, self.now
        if word in ("busy", "away"):
            return self.not_now(outcome, others)
        ends: dict[str, Callable[[], Delivery]] = {
            "refused": lambda: after_refusal(row, "refused"),
            "doubt": lambda: after_doubt(row, "doubt", now, POLICY),
            "lost": lambda: after_lost_worker(row),
            "taken": lambda: after_acceptance(row, "id", now),
        }
        return ends[word]()

    def not_now(self, outcome: Outcome, others: dict[str, int]) -> Delivery:
        word, wait = outcome
        row, now = self.row, self.now
        self.not_before[row.provider] = now + (wait or 0)
        if word == "busy" and others:
            return after_delay_of_one(row, "busy", now, POLICY, wait, others)
        if word == "busy":
            return after_delay(row, "busy", now, POLICY, wait)
        self.health[row.provider] = self.health[row.provider].asked_to_pause(now, wait)
        until = self.health[row.provider].paused_until
        if others:
            return after_pause_of_one(row, "away", now, until, others)
        return after_pause(row, "away", until)


@given(
    st.sampled_from([AT_MOST_ONCE, AT_LEAST_ONCE]),
    st.lists(st.integers(1, 3), min_size=1, max_size=3),
    st.lists(OUTCOMES, max_size=30),
)
def test_no_order_of_outcomes_sends_it_twice(
    promise: str, orders: list[int], outcomes: list[Outcome]
) -> None:
    """Once it may be with one, no other gets it; and at_most_once not even that one again."""
    world = World(promise, orders)
    for outcome in outcomes:
        if not world.step(outcome):
            break
    maybe = [n for n, (_, word) in enumerate(world.sent) if word in ("taken", "doubt", "lost")]
    if maybe:
        name, _ = world.sent[maybe[0]]
        later = {one for one, _ in world.sent[maybe[0] + 1 :]}
        assert later <= ({name} if promise == AT_LEAST_ONCE else set())
        assert world.row.state is not S.FAILED
    taken = [name for name, word in world.sent if word == "taken"]
    assert len(taken) <= 1
