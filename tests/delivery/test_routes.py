"""Which provider a message goes to."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from angarium.core.delivery.routes import Board, Choice, Route, Routes, Standing
from angarium.core.delivery.status import DeliveryState
from tests.delivery.examples import NOW, delivery

S = DeliveryState
FREE = Standing(places=10)


def busy(**facts: Any) -> Standing:
    return Standing(places=0, free_at=NOW + 250, **facts)


def paused(until: int = NOW + 5_000) -> Standing:
    return Standing(places=0, ready_at=until, yields=True)


def board(*routes: Route, **standings: Standing) -> Board:
    return Board(Routes(routes), {r.name: standings.get(r.name, FREE) for r in routes}, NOW)


def having_tried(**again: int) -> str:
    """The context of a delivery that these did not take: when they may be asked again."""
    return msgspec.json.encode({"tried": again}).decode()


FIRST, SECOND = Route(name="a", order=1), Route(name="b", order=2)
TWINS = Route(name="a", weight=3), Route(name="b", weight=1)


def test_the_first_in_order_gets_everything_while_it_can() -> None:
    both = board(SECOND, FIRST)
    assert {both.pick(delivery(id=f"dlv_{n}")).provider for n in range(50)} == {"a"}
    assert both.limit == 10


def test_one_in_trouble_is_passed_over() -> None:
    for standing in (paused(), busy(yields=True)):
        both = board(FIRST, SECOND, a=standing)
        assert both.pick(delivery()) == Choice("b", others=("a",))
        assert both.limit == 10


def test_one_that_is_only_busy_is_waited_for() -> None:
    both = board(FIRST, SECOND, a=busy())
    assert both.pick(delivery()) == Choice("a", NOW + 250, "provider_busy")
    assert both.limit == 0
    assert both.ready_at == NOW + 250


def test_one_that_comes_back_gets_one_message_to_try_and_the_other_the_rest() -> None:
    both = board(FIRST, SECOND, a=Standing(places=1, yields=True))
    chosen: list[str] = []
    for n in range(3):
        choice = both.pick(delivery(id=f"dlv_{n}"))
        both.take(choice.provider)
        chosen.append(choice.provider)
    assert chosen == ["a", "b", "b"]
    assert both.limit == 11


def test_those_of_one_order_share_by_weight() -> None:
    twins = board(*TWINS)
    shares = Counter(twins.pick(delivery(id=f"dlv_{n:05}")).provider for n in range(4_000))
    assert 0.7 < shares["a"] / 4_000 < 0.8
    assert twins.limit == 14  # no more than the first's share has places for


def test_of_those_that_share_one_that_comes_back_does_not_slow_the_other() -> None:
    assert board(*TWINS, a=Standing(places=1, yields=True)).limit == 11


def test_of_those_that_share_one_that_is_busy_leaves_all_to_the_other() -> None:
    twins = board(*TWINS, a=busy())
    assert {twins.pick(delivery(id=f"dlv_{n}")).provider for n in range(50)} == {"b"}


def test_no_more_goes_anywhere_than_there_are_places() -> None:
    twins = board(*TWINS, a=Standing(places=1), b=Standing(places=2))
    chosen: list[str] = []
    for n in range(5):
        choice = twins.pick(delivery(id=f"dlv_{n}"))
        if not choice.until:
            twins.take(choice.provider)
            chosen.append(choice.provider)
    assert sorted(chosen) == ["a", "b", "b"]
    assert twins.taken == {"a": 1, "b": 2}


def test_one_of_no_weight_is_given_nothing() -> None:
    assert board(Route(name="a", weight=0)).pick(delivery()) == Choice("")
    assert board(Route(name="a", weight=0), SECOND).pick(delivery()).provider == "b"


def test_what_one_did_not_take_goes_to_the_next_until_its_time_comes() -> None:
    held = delivery(S.HELD, attempt=1, context=having_tried(a=NOW + 1))
    assert board(FIRST, SECOND).pick(held).provider == "b"
    held = delivery(S.HELD, attempt=1, context=having_tried(a=NOW))
    assert board(FIRST, SECOND).pick(held).provider == "a"


def test_when_all_have_refused_it_for_now_it_waits_for_the_soonest() -> None:
    held = delivery(S.HELD, attempt=2, context=having_tried(a=NOW + 9, b=NOW + 5))
    assert board(FIRST, SECOND).pick(held).until == NOW + 5
    assert board(FIRST, SECOND, b=paused()).pick(held).until == NOW + 9


@pytest.mark.parametrize("standing", [FREE, busy(), paused(), busy(yields=True)])
def test_what_one_may_have_goes_to_no_other(standing: Standing) -> None:
    again = delivery(S.PLANNED, provider="a", attempt=1, resends=1)
    choice = board(FIRST, SECOND, a=standing).pick(again)
    assert (choice.provider, choice.others) == ("a", ())


def test_what_one_may_have_waits_for_it_even_where_it_could_not_be_opened() -> None:
    again = delivery(provider="a", attempt=1, resends=1)
    one = Board(Routes([SECOND], absent=["a"]), {"b": FREE}, NOW)
    assert one.pick(again) == Choice("")


def test_what_one_may_have_that_was_taken_out_of_the_settings_goes_to_whoever_is_left() -> None:
    """The operator did that; `resends` counts it."""
    again = delivery(provider="a", attempt=1, resends=1)
    assert board(SECOND).pick(again).provider == "b"


def test_messages_that_wait_for_one_of_limited_rate_come_back_one_by_one() -> None:
    one = board(FIRST, a=Standing(places=0, free_at=NOW + 100, apart=100))
    waits: list[int] = []
    for n in range(3):
        choice = one.pick(delivery(id=f"dlv_{n}"))
        one.park(choice.provider)
        waits.append(choice.until - NOW)
    assert waits == [100, 200, 300]


ANDROID = Route(name="fcm", order=1, platforms=("android", "ios"))
APPLE = Route(name="apns", order=2, platforms=("ios",))


@pytest.mark.parametrize(
    ("routes", "platform", "chosen"),
    [
        ((ANDROID, APPLE), "android", "fcm"),
        ((ANDROID, APPLE), "ios", "apns"),  # whoever takes nothing else has tokens of its own
        ((ANDROID, APPLE), None, "fcm"),  # not known: whoever takes all
        ((ANDROID,), "ios", "fcm"),
        ((APPLE,), "android", ""),
        ((APPLE,), None, "apns"),
        ((Route(name="fcm", platforms=("android",)), APPLE), None, ""),
        ((ANDROID,), "web", ""),
        ((ANDROID, Route(name="any", order=3)), "web", "any"),
        ((Route(name="any"),), "web", "any"),
    ],
)
def test_who_sends_to_a_device_depends_on_its_type(
    routes: tuple[Route, ...], platform: str | None, chosen: str
) -> None:
    assert board(*routes).pick(delivery(), platform).provider == chosen


def test_a_message_to_a_phone_is_not_passed_on_to_who_cannot_reach_it() -> None:
    both = board(ANDROID, APPLE, apns=paused())
    assert both.pick(delivery(), "ios") == Choice("apns", NOW + 5_000, "provider_paused")
    assert both.pick(delivery(), "android") == Choice("fcm")
    assert both.limit == 10


def test_a_round_can_begin_anew() -> None:
    one = board(FIRST, a=Standing(places=1))
    one.take("a")
    assert one.pick(delivery()).until > NOW
    one.reset()
    assert one.pick(delivery()).until == 0
