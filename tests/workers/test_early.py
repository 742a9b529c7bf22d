"""What providers say too early, twice, or of messages that are not ours, on both stores."""

import asyncio
from typing import Any

import msgspec
import pytest

from angarium.core.bus.feed import Received
from angarium.core.bus.subjects import feedback_subject
from angarium.core.delivery.feedback import Feedback, feedback_of
from angarium.core.delivery.promises import after_acceptance
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.attempts import Answer
from angarium.core.store.suppressions import list_suppressions, release
from angarium.core.workers.consent import opt_out
from angarium.core.workers.early import FRESH, KEPT
from angarium.core.workers.feedback import FeedbackReader
from angarium.core.workers.heard import forget_heard
from angarium.plugins import StatusUpdate
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import answered, claimed, commit, figures, handed, planned, row
from tests.workers.offices import Office

S = DeliveryState
PROVIDER = "email_test"


class News:
    """Applies what a provider says, as the reader of the stream does."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.reader = FeedbackReader(
            office.store, office.bus, office.publisher, opt_out, lambda: office.now
        )
        self.early = self.reader.early
        self.sequence = 0

    async def say(self, *updates: StatusUpdate) -> None:
        said = [feedback_of(PROVIDER, "email", update, self.office.now) for update in updates]
        await self.apply(*said)

    async def apply(self, *said: Feedback) -> None:
        received: list[Received] = []
        for feedback in said:
            self.sequence += 1
            body = msgspec.json.encode(feedback)
            subject = feedback_subject("default")
            received.append(Received(self.sequence, subject, body, self.office.now))
        await self.reader.apply(received)


@pytest.fixture
def news(office: Office) -> News:
    return News(office)


async def sent(office: Office) -> Delivery:
    """Handed over; the provider's answer is not written down yet."""
    await planned(office.store, new_delivery())
    (delivery,) = await handed(office.store, *await claimed(office.store))
    return delivery


def receipt(status: Any = "delivered", **facts: Any) -> StatusUpdate:
    return StatusUpdate(status=status, provider_id="m-1", at=NOW, **facts)


async def test_a_receipt_that_overtakes_the_answer_is_heard_once_that_is_written(
    office: Office, news: News
) -> None:
    delivery = await sent(office)
    await news.say(receipt())
    assert (await row(office.store)).state is S.HANDED
    assert (await figures(office.store))["unknown", "delivered"] == 1

    assert await news.early.look() == 0
    await answered(office.store, Answer(delivery, after_acceptance(delivery, "m-1", NOW)))
    assert await news.early.look() == 1

    assert (await row(office.store)).state is S.DELIVERED
    found = await figures(office.store)
    assert found == {("state", "accepted"): 1, ("receipt", "delivered"): 1}
    assert await news.early.look() == 0


async def test_several_that_came_early_are_heard_in_order_and_the_strongest_stands(
    office: Office, news: News
) -> None:
    delivery = await sent(office)
    await news.say(receipt("bounced"), receipt("delivered"))
    await answered(office.store, Answer(delivery, after_acceptance(delivery, "m-1", NOW)))
    assert await news.early.look(everything=False) == 2
    assert (await row(office.store)).state is S.BOUNCED


async def test_two_processes_that_look_at_once_hear_it_once(office: Office, news: News) -> None:
    delivery = await sent(office)
    await news.say(receipt())
    await answered(office.store, Answer(delivery, after_acceptance(delivery, "m-1", NOW)))
    heard = await asyncio.gather(news.early.look(), News(office).early.look())
    assert sum(heard) == 1
    assert (await figures(office.store))["receipt", "delivered"] == 1


async def test_what_is_not_ours_is_counted_and_forgotten(office: Office, news: News) -> None:
    await news.say(receipt(), StatusUpdate(status="bounced", key="dlv_none", at=NOW))
    await news.say(receipt())
    unknown = {("unknown", "delivered"): 1, ("unknown", "bounced"): 1}
    assert await figures(office.store) == unknown
    office.now += KEPT + 1
    await news.early.look()
    delivery = await sent(office)
    await answered(office.store, Answer(delivery, after_acceptance(delivery, "m-1", NOW)))
    assert await news.early.look() == 0
    assert (await row(office.store)).state is S.ACCEPTED


async def test_after_a_while_it_is_looked_at_less_often(office: Office, news: News) -> None:
    delivery = await sent(office)
    await news.say(receipt())
    await answered(office.store, Answer(delivery, after_acceptance(delivery, "m-1", NOW)))
    office.now += FRESH + 1
    assert await news.early.look(everything=False) == 0
    assert await news.early.look() == 1


async def test_a_callback_that_is_sent_again_has_no_effect(office: Office, news: News) -> None:
    """Not even on an address that an operator has taken off the list."""
    await office.campaign()
    await office.person()
    delivery = await sent(office)
    context = '{"address": "prf_1@example.org"}'
    accepted = msgspec.structs.replace(after_acceptance(delivery, "m-1", NOW), context=context)
    await answered(office.store, Answer(delivery, accepted))
    bounce = receipt("bounced", id="vendor-7", address_dead=True)
    await news.say(bounce)
    assert await suppressed(office) == ["prf_1@example.org"]

    async with office.store.transaction() as tx:
        assert await release(tx, "default", "email", "prf_1@example.org")
    office.now += FRESH
    await news.say(bounce, bounce)

    assert await suppressed(office) == []
    assert (await row(office.store)).state is S.BOUNCED
    assert (await figures(office.store))["receipt", "bounced"] == 1


async def test_what_was_heard_is_known_for_thirty_days(office: Office, news: News) -> None:
    delivery = await sent(office)
    await answered(office.store, Answer(delivery, after_acceptance(delivery, "m-1", NOW)))
    await news.say(receipt())
    day = 86_400_000
    assert await commit(office.store, lambda tx, _: forget_heard(tx, NOW + 29 * day)) == 0
    assert await commit(office.store, lambda tx, _: forget_heard(tx, NOW + 31 * day)) == 1


async def suppressed(office: Office) -> list[str]:
    async with office.store.reading() as tx:
        found = await list_suppressions(tx, "default", None, ("", ""), 10)
    return [one.address for one in found]
