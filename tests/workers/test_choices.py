"""What was chosen on the page of preferences becomes consent, once, on both stores."""

import msgspec
import pytest

from angarium.core.bus.feed import Received
from angarium.core.bus.subjects import feedback_subject
from angarium.core.store.people import find_profiles
from angarium.core.workers.consent import opt_out
from angarium.core.workers.feedback import FeedbackReader
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import figures
from tests.workers.offices import Director, Office

SUBJECT = feedback_subject("default")


@pytest.fixture
async def sent(shop: Office) -> Office:
    """Somebody who got a mail."""
    await shop.plan(new_delivery())
    async with shop.delivering(Director()):
        await shop.became(accepted=1)
    return shop


class Listener:
    """Applies what is said, as the reader of the stream does."""

    def __init__(self, office: Office) -> None:
        self.office = office
        now = lambda: office.now  # noqa: E731 - a clock is a function without a name
        self.reader = FeedbackReader(office.store, office.bus, office.publisher, opt_out, now)
        self.sequence = 0

    async def hear(self, id: str = "c1", delivery: str = "dlv_1", **choices: bool) -> None:
        self.sequence += 1
        said = {
            "kind": "consent",
            "at": NOW + self.sequence,
            "id": id,
            "delivery": delivery,
            "choices": choices,
        }
        received = Received(self.sequence, SUBJECT, msgspec.json.encode(said), NOW + self.sequence)
        await self.reader.apply([received])

    async def consents(self) -> dict[str, str]:
        async with self.office.store.reading() as tx:
            (person,) = (await find_profiles(tx, "default", ["prf_1"])).values()
        return {name: one.state for name, one in person.consents.items() if one.state != "unset"}


async def test_a_choice_is_heard_as_the_persons_own_word(sent: Office) -> None:
    listener = Listener(sent)
    await listener.hear(sms=False)
    assert await listener.consents() == {"sms": "opted_out"}
    assert ("reaction", "unsubscribed") not in await figures(sent.store)
    await listener.hear("c2", sms=True)
    assert await listener.consents() == {"sms": "opted_in"}
    assert listener.reader.unknown == 0


async def test_who_leaves_the_channel_of_the_message_unsubscribed_through_it(sent: Office) -> None:
    listener = Listener(sent)
    await listener.hear(email=False, sms=False)
    assert await listener.consents() == {"email": "opted_out", "sms": "opted_out"}
    assert (await figures(sent.store))["reaction", "unsubscribed"] == 1


async def test_the_same_choice_twice_is_one(sent: Office) -> None:
    listener = Listener(sent)
    await listener.hear("c1", sms=False)
    await listener.hear("c2", sms=True)
    await listener.hear("c1", sms=False)
    assert (await listener.consents())["sms"] == "opted_in"


async def test_a_choice_of_nobody_changes_nothing(sent: Office) -> None:
    listener = Listener(sent)
    await listener.hear(delivery="dlv_gone", sms=False)
    assert "opted_out" not in (await listener.consents()).values()
    assert listener.reader.unknown == 1


async def test_who_left_is_sent_nothing_more(sent: Office) -> None:
    await Listener(sent).hear(email=False)
    await sent.plan(new_delivery("dlv_2"))
    async with sent.delivering(mail := Director()):
        await sent.became(accepted=1, skipped=1)
    assert mail.messages == []
