"""Promo codes at delivery, on both stores: one a message, the same at every attempt."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from angarium.core.delivery.record import AT_LEAST_ONCE
from angarium.core.delivery.rules import Cap, MessageRules
from angarium.core.events.times import DAY, HOUR, MINUTE
from angarium.core.store.codes import CodeList, add_codes, create_list, find_list
from angarium.core.store.outcomes import FullDelivery, find_delivery
from angarium.core.store.resends import resend
from angarium.core.workers.sweeper import Sweeper
from angarium.plugins import Accepted, Message, PermanentFailure, TemporaryFailure
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import row
from tests.workers.offices import Director, Office, TextDirector, fails_with
from tests.workers.test_fallbacks import AFTER, Desk

MAIL = {"subject": "For you", "text": "{{ code }}"}
ONLY_MAIL = {"order": ["email"], "email": MAIL}
BOTH: dict[str, Any] = {"order": ["email", "sms"], "email": MAIL, "sms": {"text": "{{ code }}"}}


async def upload(office: Office, *codes: str) -> None:
    async with office.store.transaction() as tx:
        await create_list(tx, "default", "cdl_1", "Spring", NOW)
        await add_codes(tx, "default", "cdl_1", codes)


async def left(office: Office) -> int:
    async with office.store.reading() as tx:
        found = await find_list(tx, "default", "cdl_1")
    assert isinstance(found, CodeList)
    return found.free


async def told(office: Office, id: str = "dlv_1") -> FullDelivery:
    async with office.store.reading() as tx:
        found = await find_delivery(tx, "default", id)
    assert found is not None
    return found


def said(messages: Sequence[Message]) -> dict[str, str]:
    """The code of each message, by delivery."""
    return {message.key: message.content.text for message in messages}


@pytest.fixture
async def shop(office: Office) -> Office:
    """A campaign with codes, and somebody who gets it."""
    await office.campaign(content=ONLY_MAIL, codes="Spring")
    await office.person()
    return office


async def test_each_message_has_a_code_of_its_own(shop: Office) -> None:
    await upload(shop, *(f"S-{n}" for n in range(10)))
    ids = [f"dlv_{n}" for n in range(8)]
    await shop.plan(*(new_delivery(id) for id in ids))
    mail = Director()

    async with shop.delivering(mail, concurrency=3, batch=3):
        await shop.became(accepted=8)

    codes = said(mail.messages)
    assert sorted(codes) == ids
    assert len(set(codes.values())) == 8
    assert await left(shop) == 2
    found = await told(shop)
    assert found.context["code"] == codes["dlv_1"]
    assert found.gates[-1] == {
        "gate": "code",
        "verdict": "send",
        "reason": "",
        "saw": {"list": "Spring", "found": True},
    }


async def test_two_workers_at_once_give_no_code_twice(shop: Office) -> None:
    await upload(shop, *(f"S-{n}" for n in range(40)))
    await shop.plan(*(new_delivery(f"dlv_{n}") for n in range(40)))
    one, two = Director(), Director()

    async with (
        shop.delivering(one, worker="w1", batch=4),
        shop.delivering(two, worker="w2", batch=4),
    ):
        await shop.became(accepted=40)

    codes = [*said(one.messages).values(), *said(two.messages).values()]
    assert len(set(codes)) == len(codes) == 40


async def test_a_message_waits_for_codes_and_goes_when_there_are_some(shop: Office) -> None:
    await upload(shop, "S-1")
    await shop.plan(new_delivery("dlv_1"), new_delivery("dlv_2"))
    mail = Director()

    async with shop.delivering(mail):
        await shop.became(accepted=1, held=1)
        waiting = "dlv_2" if "dlv_1" in mail.keys else "dlv_1"
        held = await row(shop.store, waiting)
        assert (held.reason, held.due_at) == ("no_code", NOW + MINUTE)
        assert (await told(shop, waiting)).gates[-1]["saw"] == {"list": "Spring", "found": False}
        await upload(shop, "S-2")
        shop.now = NOW + MINUTE
        await shop.became(accepted=2)

    assert sorted(said(mail.messages).values()) == ["S-1", "S-2"]


async def test_who_waits_for_a_code_too_long_is_not_sent_an_old_message(shop: Office) -> None:
    await upload(shop)
    await shop.plan(new_delivery(expires_at=NOW + MINUTE))
    mail = Director()

    async with shop.delivering(mail):
        await shop.became(held=1)
        await upload(shop, "S-1")
        shop.now = NOW + MINUTE
        await shop.became(skipped=1)

    assert ((await row(shop.store)).reason, await left(shop)) == ("expired", 1)


async def test_a_list_that_is_gone_holds_as_an_empty_one(shop: Office) -> None:
    await shop.plan(new_delivery())

    async with shop.delivering(Director()):
        await shop.became(held=1)

    assert (await row(shop.store)).reason == "no_code"


async def test_a_retry_says_the_same_code(shop: Office) -> None:
    await upload(shop, "S-1", "S-2")
    await shop.plan(new_delivery())
    failing = Director(fails_with(TemporaryFailure("busy")))
    async with shop.delivering(failing):
        await shop.became(held=1)
    shop.now = (await row(shop.store)).due_at
    mail = Director()

    async with shop.delivering(mail):
        await shop.became(accepted=1)

    assert said(failing.messages) == said(mail.messages)
    assert await left(shop) == 1


async def test_what_is_sent_again_after_a_death_says_the_same_code(shop: Office) -> None:
    await upload(shop, "S-1", "S-2")
    await shop.plan(new_delivery(promise=AT_LEAST_ONCE))
    stuck = asyncio.Event()

    async def never(_: Message) -> Accepted:
        await stuck.wait()
        return Accepted("never")

    first, again = Director(never), Director()
    stop = asyncio.Event()
    dying = asyncio.create_task(shop.deliverer(first, lease_seconds=0.3).run(stop))
    await first.received(1)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    shop.now = NOW + 31_000
    await Sweeper(shop.store, shop.publisher, lambda: shop.now).sweep()
    shop.now += MINUTE

    async with shop.delivering(again, worker="w2"):
        await shop.became(accepted=1)

    assert said(first.messages) == said(again.messages) == {"dlv_1": "S-1"}
    assert await left(shop) == 1


async def test_the_next_channel_says_the_same_code(office: Office) -> None:
    await office.campaign(content={**BOTH, "fallback": {"after": "PT2H"}}, codes="cdl_1")
    await office.person()
    await upload(office, "S-1", "S-2")
    await office.plan(new_delivery(step="send", fallback_after=AFTER))
    desk = Desk(office)

    await desk.deliver(accepted=1)
    await desk.at(NOW + AFTER)
    await desk.deliver(accepted=2)

    assert [message.content.text for message in desk.mail.messages] == ["S-1"]
    assert [message.content.text for message in desk.text.messages] == ["S-1"]
    assert await left(office) == 1


async def test_the_next_channel_after_a_second_sending_says_it_too(office: Office) -> None:
    await office.campaign(content={**BOTH, "fallback": {"after": "PT2H"}}, codes="cdl_1")
    await office.person()
    await upload(office, "S-1", "S-2")
    await office.plan(new_delivery(step="send", fallback_after=AFTER))
    desk = Desk(office)
    desk.mail = Director(fails_with(PermanentFailure("email_director: away")))
    await desk.deliver(failed=1)
    await office.publisher.commit(lambda tx, c: resend(tx, "default", "dlv_1", c, NOW))
    desk.mail = Director()
    await desk.deliver(failed=1, accepted=1)
    await desk.at(NOW + AFTER)
    await desk.deliver(failed=1, accepted=2)

    assert [message.content.text for message in desk.mail.messages] == ["S-1"]
    assert [message.content.text for message in desk.text.messages] == ["S-1"]
    assert await left(office) == 1


async def test_only_a_channel_that_says_the_code_takes_one(office: Office) -> None:
    await office.campaign(content={**BOTH, "sms": {"text": "Hello"}}, codes="Spring")
    await office.person()
    await upload(office, "S-1")
    await office.plan(new_delivery(channel="sms"))

    async with office.delivering(TextDirector()):
        await office.became(accepted=1)

    assert await left(office) == 1
    assert "code" not in (await told(office)).context


async def test_a_test_shows_a_sample_and_takes_none(shop: Office) -> None:
    await shop.plan(new_delivery(test=True))
    mail = Director()

    async with shop.delivering(mail):
        await shop.became(accepted=1)

    assert said(mail.messages) == {"dlv_1": "TEST-CODE"}


async def test_who_gets_nothing_takes_none(shop: Office) -> None:
    await upload(shop, "S-1")
    await shop.person("prf_2", email=None)
    await shop.plan(new_delivery("dlv_1", profile_id="prf_2"), new_delivery("dlv_2"))
    mail = Director()

    async with shop.delivering(mail):
        await shop.became(accepted=1, skipped=1)

    assert said(mail.messages) == {"dlv_2": "S-1"}


async def test_what_waits_for_a_code_does_not_count_towards_a_cap(office: Office) -> None:
    """Two messages in one batch: the first finds no code, so the second is the person's only."""
    await office.campaign("cmp_1", content=ONLY_MAIL, codes="Spring")
    await office.campaign("cmp_2")
    await office.person()
    await office.plan(
        new_delivery("dlv_1", due_at=NOW - 1), new_delivery("dlv_2", campaign="cmp_2")
    )
    mail = Director()
    rules = MessageRules(caps=(Cap(1, DAY),), patience=HOUR)

    async with office.delivering(mail, rules=rules):
        await office.became(accepted=1, held=1)

    assert mail.keys == ["dlv_2"]
    assert (await row(office.store, "dlv_1")).reason == "no_code"
