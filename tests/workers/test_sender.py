"""What a provider's answer, or the want of one, means for a delivery, on both stores."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from angarium.core.delivery.record import AT_LEAST_ONCE
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import MINUTE, SECOND
from angarium.plugins import Accepted, InDoubt, Message, PermanentFailure, TemporaryFailure
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import row, states
from tests.workers.offices import Director, Office, TextDirector, fails_with

S = DeliveryState


async def test_what_a_provider_cannot_take_now_is_tried_again_later(shop: Office) -> None:
    await shop.plan(new_delivery())
    mail = Director(fails_with(TemporaryFailure("email_director: busy", retry_after=30)))
    async with shop.delivering(mail):
        await shop.became(held=1)
        held = await row(shop.store)
        assert (held.reason, held.due_at, held.attempt) == (
            "email_director: busy",
            NOW + 30 * SECOND,
            1,
        )
        mail.answer = Director().answer
        shop.now = held.due_at
        await mail.received(2)
    now = await row(shop.store)
    assert (now.state, now.attempt, now.resends) == (S.ACCEPTED, 2, 0)
    assert mail.keys == ["dlv_1", "dlv_1"]


async def test_no_request_comes_before_the_end_of_a_pause_that_a_provider_asked_for(
    shop: Office,
) -> None:
    """D9."""
    await shop.plan(*(new_delivery(f"dlv_{n}") for n in range(5)))
    away = TemporaryFailure("email_director: away", retry_after=60, pause=True)
    mail = Director(fails_with(away))
    async with shop.delivering(mail, concurrency=1):
        await shop.became(held=1, planned=4)
        assert len(mail.messages) == 1
        assert (await row(shop.store, mail.keys[0])).attempt == 0
        mail.answer = Director().answer
        shop.now += 60 * SECOND
        await shop.became(accepted=5)
    assert len(mail.messages) == 6


async def test_an_operator_is_told_once_of_a_pause_and_why(shop: Office) -> None:
    await shop.plan(*(new_delivery(f"dlv_{n}") for n in range(5)))
    away = TemporaryFailure("email_director: bad key", retry_after=60, pause=True)
    with capture_logs() as lines:
        async with shop.delivering(Director(fails_with(away))):
            await shop.became(held=5)
    told = [line for line in lines if line["event"] == "provider_paused"]
    assert [(line["provider"], line["reason"]) for line in told] == [
        ("email_director", "email_director: bad key")
    ]


async def test_a_refusal_for_good_fails_and_suppresses_a_dead_address(shop: Office) -> None:
    await shop.plan(new_delivery("dlv_1"))
    mail = Director(fails_with(PermanentFailure("email_director: no such user", address_dead=True)))
    async with shop.delivering(mail):
        await shop.became(failed=1)
        await shop.plan(new_delivery("dlv_2"))
        await shop.became(failed=1, skipped=1)
    assert (await row(shop.store, "dlv_1")).reason == "email_director: no such user"
    assert (await row(shop.store, "dlv_2")).reason == "suppressed"


async def never(_: Message) -> Accepted:
    await asyncio.Event().wait()
    raise AssertionError


async def nonsense(_: Message) -> Any:
    return "sure"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (fails_with(InDoubt("email_director: line cut")), "email_director: line cut"),
        (fails_with(RuntimeError("secret")), "email_director: raised RuntimeError"),
        (never, "no_answer_in_time"),
        (nonsense, "email_director: did not answer with Accepted"),
    ],
)
async def test_when_nobody_can_know_the_promise_decides(
    shop: Office, answer: Any, reason: str
) -> None:
    await shop.plan(new_delivery("dlv_1"), new_delivery("dlv_2", promise=AT_LEAST_ONCE))
    mail = Director(answer)
    async with shop.delivering(mail, send_seconds=0.05):
        await shop.became(in_doubt=1, held=1)
    once, again = await row(shop.store, "dlv_1"), await row(shop.store, "dlv_2")
    assert (once.state, once.reason, once.resends) == (S.IN_DOUBT, reason, 0)
    assert (again.state, again.reason, again.resends) == (S.HELD, reason, 1)


async def test_a_resend_carries_the_same_key(shop: Office) -> None:
    await shop.plan(new_delivery(promise=AT_LEAST_ONCE))
    mail = Director(fails_with(InDoubt()))
    async with shop.delivering(mail):
        await shop.became(held=1)
        mail.answer = Director().answer
        shop.now += MINUTE
        await shop.became(accepted=1)
    assert mail.keys == ["dlv_1", "dlv_1"]


async def test_a_provider_that_hangs_keeps_nobody_else_waiting(shop: Office) -> None:
    """D12."""
    await shop.plan(
        *(new_delivery(f"mail_{n}") for n in range(20)),
        *(new_delivery(f"text_{n}", channel="sms") for n in range(20)),
    )
    mail, text = Director(never), TextDirector()
    async with shop.delivering(mail, text, concurrency=4, drain_seconds=0.0):
        await mail.received(4)
        await text.received(20)
    assert len(mail.messages) == 4
    assert await states(shop.store) == {"accepted": 20, "in_doubt": 4, "planned": 16}
