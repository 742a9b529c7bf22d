"""What is handed over and waits in the process for a place at its provider, on both stores."""

import asyncio
from collections import Counter
from typing import ClassVar

from angarium.core.delivery.status import DeliveryState
from angarium.core.delivery.throughput import WINDOW
from angarium.core.events.times import SECOND
from angarium.core.store.ledger import lock
from angarium.core.workers.sender import PATIENCE
from angarium.plugins import Accepted, Message, TemporaryFailure
from tests.delivery.examples import new_delivery
from tests.store.ledgers import states
from tests.workers.offices import Director, Office

S = DeliveryState
PLACES = 4
MANY = 60


class Quick(Director):
    """Answers at once, each time a little later by the office's clock, until it is told to stop."""

    def __init__(self, shop: Office, good: int = MANY) -> None:
        super().__init__(self._answer)
        self._shop = shop
        self._good = good
        self.at_once = self._now = 0
        self.go_on = asyncio.Event()

    async def send(self, message: Message) -> Accepted:
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        self._shop.now += WINDOW // PLACES
        await asyncio.sleep(0)
        try:
            return await super().send(message)
        finally:
            self._now -= 1

    async def _answer(self, message: Message) -> Accepted:
        if len(self.messages) > self._good:
            await self.trouble()
        return Accepted(message.key)

    async def trouble(self) -> None:
        await self.go_on.wait()


class Away(Quick):
    """Asks to be left alone in the end."""

    async def trouble(self) -> None:
        raise TemporaryFailure("email_director: away", retry_after=60, pause=True)


class Other(Director):
    """The next in order."""

    name: ClassVar[str] = "email_other"


async def plan(shop: Office) -> None:
    await shop.plan(*(new_delivery(f"dlv_{n:02}") for n in range(MANY)))


async def together(shop: Office) -> int:
    """How many were handed over in one transaction, at most."""
    async with shop.store.transaction() as tx:
        rows = await lock(tx, [("default", f"dlv_{n:02}") for n in range(MANY)])
    return max(Counter(row.handed_at for row in rows if row.handed_at).values())


async def test_a_quick_provider_is_handed_more_than_it_is_sent_at_once(shop: Office) -> None:
    await plan(shop)
    mail = Quick(shop)
    async with shop.delivering(mail, concurrency=PLACES):
        await shop.became(accepted=MANY)
    assert mail.at_once == PLACES
    assert await together(shop) > PLACES
    assert len(set(mail.keys)) == len(mail.keys) == MANY


async def test_what_waits_goes_back_unsent_when_its_provider_wants_no_more(shop: Office) -> None:
    """D9: none of it is in doubt, and no attempt of it is counted."""
    await plan(shop)
    mail = Away(shop, good=20)
    async with shop.delivering(mail, concurrency=PLACES):
        await mail.received(21)
        async with asyncio.timeout(30):
            while (now := await states(shop.store)).get("handed") or now.get("claimed"):
                await asyncio.sleep(0.01)
    sent = set(mail.keys)
    assert now.keys() <= {"accepted", "held", "planned"}
    assert now["accepted"] >= 20
    async with shop.store.transaction() as tx:
        rows = await lock(tx, [("default", f"dlv_{n:02}") for n in range(MANY)])
    unsent = [row for row in rows if row.id not in sent]
    assert unsent
    assert {row.attempt for row in unsent} == {0}


async def test_what_waits_behind_a_provider_that_hangs_goes_to_another(shop: Office) -> None:
    """D12."""
    await plan(shop)
    slow, other = Quick(shop, good=20), Other()
    async with shop.delivering(slow, other, concurrency=PLACES, drain_seconds=0.0):
        await slow.received(20 + PLACES)
        shop.now += 20 * SECOND
        await other.received(MANY - 20 - PLACES)
    assert await states(shop.store) == {"accepted": MANY - PLACES, "in_doubt": PLACES}
    assert not set(slow.keys) & set(other.keys)


async def test_what_waits_for_long_is_judged_again(shop: Office) -> None:
    """Someone may have opted out since."""
    await plan(shop)
    slow = Quick(shop, good=20)
    async with shop.delivering(slow, concurrency=PLACES, drain_seconds=0.0):
        await slow.received(20 + PLACES)
        shop.now += 2 * PATIENCE
        async with asyncio.timeout(30):
            while (await states(shop.store)).get("handed", 0) > PLACES:
                await asyncio.sleep(0.01)
        await shop.person(email_opt_in=False, revision=2)
        shop.now += 60 * SECOND
        slow.go_on.set()
        await shop.became(accepted=20 + PLACES, skipped=MANY - 20 - PLACES)


async def test_who_stops_leaves_nothing_in_doubt_that_only_waited(shop: Office) -> None:
    await plan(shop)
    slow = Quick(shop, good=20)
    async with shop.delivering(slow, concurrency=PLACES, drain_seconds=0.0):
        await slow.received(20 + PLACES)
    found = await states(shop.store)
    assert found["in_doubt"] == PLACES
    assert found["accepted"] == 20
    assert sum(found.values()) == MANY
    assert found.keys() <= {"accepted", "in_doubt", "held", "planned"}
