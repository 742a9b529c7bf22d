"""Several providers of one channel: who sends what, and what happens when one does not, on both
stores."""

import asyncio
from typing import ClassVar

import pytest

from angarium.core.delivery.pauses import TROUBLE
from angarium.core.delivery.record import AT_LEAST_ONCE
from angarium.core.delivery.routes import Route
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.message import Device, Message
from angarium.core.events.times import HOUR, MINUTE, SECOND
from angarium.core.people.identity import profile_of_user
from angarium.core.workers.sender import STUCK
from angarium.plugins import Accepted, InDoubt, PermanentFailure, TemporaryFailure
from angarium.plugins import Message as Outgoing
from angarium.plugins.channel import PUSH
from tests.delivery.examples import NOW, new_delivery
from tests.parts.waiting import until
from tests.store.ledgers import figures, row, states
from tests.workers.offices import Director, Office, fails_with
from tests.workers.people import apply, said

S = DeliveryState
BUSY = TemporaryFailure("email_first: busy")


class First(Director):
    name: ClassVar[str] = "email_first"


class Second(Director):
    name: ClassVar[str] = "email_second"


async def never(_: Outgoing) -> Accepted:
    await asyncio.Event().wait()
    raise AssertionError


async def test_the_first_sends_and_the_second_stands_by(shop: Office) -> None:
    await shop.plan(*(new_delivery(f"dlv_{n}") for n in range(20)))
    first, second = First(), Second()
    async with shop.delivering(first, second):
        await shop.became(accepted=20)
    assert (len(first.keys), len(second.keys)) == (20, 0)


async def test_what_the_first_does_not_take_now_the_second_gets_at_once(shop: Office) -> None:
    await shop.plan(new_delivery())
    first, second = First(fails_with(BUSY)), Second()
    async with shop.delivering(first, second):
        await shop.became(accepted=1)
    sent = await row(shop.store)
    assert (sent.provider, sent.attempt, sent.resends) == ("email_second", 2, 0)
    assert first.keys == second.keys == ["dlv_1"]


async def test_one_that_asks_for_a_pause_gets_nothing_meanwhile_and_nobody_waits(
    shop: Office,
) -> None:
    """D9: and the other process of the two, which was not told, obeys as well."""
    away = TemporaryFailure("email_first: slow down", retry_after=3600, pause=True)
    first, second = First(fails_with(away)), Second()
    await shop.plan(*(new_delivery(f"dlv_{n}", expires_at=NOW + 9 * HOUR) for n in range(10)))
    async with shop.delivering(first, second, concurrency=1):
        await shop.became(accepted=10)
    asked = len(first.keys)
    assert asked == 1
    assert (await row(shop.store, first.keys[0])).attempt == 1
    first.answer = Director().answer
    await shop.plan(*(new_delivery(f"more_{n}", expires_at=NOW + 9 * HOUR) for n in range(10)))
    async with shop.delivering(first, second, worker="w2"):
        await shop.became(accepted=20)
        assert len(first.keys) == asked
        shop.now += HOUR
        await shop.plan(new_delivery("last", expires_at=NOW + 9 * HOUR))
        await shop.became(accepted=21)
    assert first.keys[asked:] == ["last"]


async def test_the_breaker_opens_lets_one_try_and_closes_again(shop: Office) -> None:
    """D10."""
    first, second = First(fails_with(BUSY)), Second()
    async with shop.delivering(first, second, concurrency=1):
        await shop.plan(*(new_delivery(f"dlv_{n:02}") for n in range(30)))
        await shop.became(accepted=30)
        assert len(first.keys) == TROUBLE
        shop.now += SECOND
        await shop.plan(*(new_delivery(f"try_{n:02}") for n in range(10)))
        await shop.became(accepted=40)
        assert len(first.keys) == TROUBLE + 1
        first.answer = Director().answer
        shop.now += 2 * SECOND
        await shop.plan(new_delivery("one"))
        await shop.became(accepted=41)
        await shop.plan(*(new_delivery(f"all_{n:02}") for n in range(10)))
        await shop.became(accepted=51)
    _, *rest = first.keys[TROUBLE:]
    assert rest[0] == "one"
    assert sorted(rest[1:]) == [f"all_{n:02}" for n in range(10)]
    assert len(second.keys) == 40


async def test_one_that_hangs_holds_its_places_and_after_ten_seconds_nobody_waits_for_it(
    shop: Office,
) -> None:
    """D12: what it holds is in doubt in the end, and goes to no other."""
    first, second = First(never), Second()
    await shop.plan(*(new_delivery(f"dlv_{n:02}") for n in range(20)))
    async with shop.delivering(first, second, concurrency=4, drain_seconds=0.0):
        await first.received(4)
        shop.now += STUCK
        await second.received(16)
        await until_recorded(shop, 16)
    assert len(first.keys) == 4
    assert not set(first.keys) & set(second.keys)
    assert await states(shop.store) == {"accepted": 16, "in_doubt": 4}


async def until_recorded(shop: Office, count: int) -> None:
    async def holds() -> bool:
        return (await states(shop.store)).get("accepted") == count

    await until(holds)


@pytest.mark.parametrize("failure", [InDoubt("email_first: cut"), RuntimeError("bug")])
async def test_what_the_first_may_have_goes_to_nobody_else(
    shop: Office, failure: Exception
) -> None:
    await shop.plan(new_delivery("once"), new_delivery("again", promise=AT_LEAST_ONCE))
    first, second = First(fails_with(failure)), Second()
    async with shop.delivering(first, second):
        await shop.became(in_doubt=1, held=1)
        first.answer = Director().answer
        shop.now += MINUTE
        await shop.became(in_doubt=1, accepted=1)
    assert sorted(first.keys) == ["again", "again", "once"]
    assert second.keys == []


async def test_a_refusal_for_good_is_not_asked_of_a_second(shop: Office) -> None:
    await shop.plan(new_delivery())
    first, second = First(fails_with(PermanentFailure("email_first: no such user"))), Second()
    async with shop.delivering(first, second):
        await shop.became(failed=1)
    assert second.keys == []


async def test_when_none_takes_it_now_it_waits_for_the_soonest_of_their_times(
    shop: Office,
) -> None:
    await shop.plan(new_delivery())
    first = First(fails_with(TemporaryFailure("email_first: busy", retry_after=300)))
    second = Second(fails_with(TemporaryFailure("email_second: busy", retry_after=60)))
    async with shop.delivering(first, second):

        async def tried_both() -> bool:
            return (await row(shop.store)).due_at > NOW

        await until(tried_both)
        held = await row(shop.store)
        assert (held.state, held.due_at, held.attempt) == (S.HELD, NOW + 60 * SECOND, 2)
        first.answer = second.answer = Director().answer
        shop.now = held.due_at
        await shop.became(accepted=1)
    assert (len(first.keys), len(second.keys)) == (1, 2)


async def test_two_of_one_order_share_by_weight(shop: Office) -> None:
    await shop.plan(*(new_delivery(f"dlv_{n:03}") for n in range(200)))
    first, second = First(), Second()
    shares = (Route(name="email_first", weight=3), first), (Route(name="email_second"), second)
    async with shop.delivering(*shares):
        await shop.became(accepted=200)
    assert 130 < len(first.keys) < 170
    assert len(second.keys) == 200 - len(first.keys)


async def test_a_rate_holds_for_all_processes_together(shop: Office) -> None:
    """80 a second are five at once and then one every 12.5 ms, whoever sends them."""
    await shop.plan(*(new_delivery(f"dlv_{n:03}") for n in range(60)))
    limited = Route(name="email_first", per_second=80)
    one, other = First(), First()
    async with (
        shop.delivering((limited, one), worker="w1"),
        shop.delivering((limited, other), worker="w2"),
    ):
        for most in range(5, 61, 5):
            await until_recorded(shop, most)
            assert len(one.keys) + len(other.keys) == most
            shop.now += 63
    assert sorted(one.keys + other.keys) == [f"dlv_{n:03}" for n in range(60)]


async def test_slots_that_are_not_used_are_given_back(shop: Office) -> None:
    """A skipped message costs nobody anything."""
    await shop.person("prf_2", email_opt_in=False)
    await shop.plan(
        *(new_delivery(f"no_{n}", profile_id="prf_2", due_at=NOW - 1) for n in range(5)),
        *(new_delivery(f"yes_{n}") for n in range(5)),
    )
    mail = First()
    async with shop.delivering((Route(name="email_first", per_second=80), mail)):
        await shop.became(skipped=5, accepted=5)


class Phones(Director):
    name: ClassVar[str] = "push_all"
    channel: ClassVar[str] = "push"
    platforms: ClassVar[tuple[str, ...]] = ("android", "ios")


class Apples(Phones):
    name: ClassVar[str] = "push_apples"
    platforms: ClassVar[tuple[str, ...]] = ("ios",)


def opens(user: str, type_: str) -> Message:
    device = Device(f"d-{user}", type_, f"token-{user}")
    return said(f"m-{user}", user_id=user, device=device, device_id=device.id)


async def test_one_kind_of_phones_that_hangs_keeps_the_other_kind_from_nothing(
    office: Office,
) -> None:
    """Head of line: twenty messages to phones of one kind are due first, and nobody takes them."""
    await office.campaign(content={"order": ["push"], "push": {"title": "Hello"}})
    allowed = {"push_opt_in": True}
    for user, type_ in (("sara", "ios"), ("omid", "android")):
        words = said(f"i-{user}", "identify", user_id=user, traits=allowed)
        await apply(office.store, "default", [words, opens(user, type_)])
    sara, omid = (profile_of_user("default", user) for user in ("sara", "omid"))
    await office.plan(
        *(
            new_delivery(f"ios_{n}", profile_id=sara, channel="push", due_at=NOW - HOUR)
            for n in range(20)
        ),
        *(new_delivery(f"and_{n}", profile_id=omid, channel="push") for n in range(20)),
    )
    phones, apples = Phones(), Apples(never)
    routes = [
        (Route(name=one.name, order=n, platforms=one.platforms), one)
        for n, one in enumerate((phones, apples), 1)
    ]
    async with office.delivering(*routes, channels=(PUSH,), concurrency=4, drain_seconds=0.0):
        await phones.received(20)
        await until_recorded(office, 20)
    assert sorted(phones.keys) == sorted(f"and_{n}" for n in range(20))
    assert len(apples.keys) == 4
    now = await states(office.store)
    assert (now["accepted"], now["in_doubt"]) == (20, 4)
    assert now.get("held", 0) + now.get("planned", 0) == 16


async def test_figures_show_who_sent_and_still_add_up(shop: Office) -> None:
    await shop.plan(*(new_delivery(f"dlv_{n}") for n in range(5)))
    async with shop.delivering(First(fails_with(BUSY)), Second()):
        await shop.became(accepted=5)
    assert await figures(shop.store) == {("state", "accepted"): 5}
