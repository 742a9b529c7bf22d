"""D30: the receiver of webhooks is away for three days; then what was parked is sent again."""

from itertools import pairwise

import pytest

from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import DAY, HOUR, MINUTE, SECOND
from angarium.core.store.resends import resend
from tests.counterparts.http_scripted import says
from tests.delivery.examples import NOW
from tests.drills.provider_faults.vendors import CHANNELS, Vendor, named, settled, to_webhook
from tests.parts.waiting import until
from tests.store.ledgers import row, states
from tests.workers.offices import Office

S = DeliveryState
POLICY = RetryPolicy()
COUNT = 12


async def test_retries_come_ever_later_up_to_a_limit_and_then_it_is_parked(
    shop: Office, vendor: Vendor
) -> None:
    """A receiver that fails this one message; the clock goes to where the ledger says."""
    vendor.answer = lambda _: says(500)
    await shop.plan(*to_webhook("dlv_1"))
    async with shop.delivering(vendor.route(), channels=CHANNELS):
        for attempt in range(1, POLICY.attempts + 1):

            async def answered(attempt: int = attempt) -> bool:
                now = await row(shop.store)
                return now.attempt == attempt and now.state in (S.HELD, S.FAILED)

            await until(answered)
            shop.now = max(shop.now, (await row(shop.store)).due_at)
        shop.now = NOW + 3 * DAY
        await settled(vendor)
    parked = await row(shop.store)
    assert (parked.state, parked.reason) == (S.FAILED, "retries_exhausted")
    waits = [later - earlier for earlier, later in pairwise(vendor.times)]
    assert len(waits) == POLICY.attempts - 1
    for number, wait in enumerate(waits):
        least = min(POLICY.first << number, POLICY.longest)
        assert least <= wait <= least * 1.2 + MINUTE  # the breaker's own pause may add to it


@pytest.mark.parametrize("away", ["refuses", "busy"])
async def test_after_three_days_all_is_parked_and_can_be_sent_again_once_in_order(
    shop: Office, vendor: Vendor, away: str
) -> None:
    vendor.answer = lambda _: says(503)
    old = named("dlv", COUNT)
    for id in old:
        shop.now += SECOND
        await shop.plan(*to_webhook(id, due_at=shop.now, expires_at=shop.now + DAY))
    url = "http://127.0.0.1:1" if away == "refuses" else vendor.server.url
    async with shop.delivering(vendor.route(url=url), channels=CHANNELS):
        for _ in range(3 * 24):
            shop.now += HOUR
            await settled(vendor)
        shop.now += HOUR
        await none_waits(shop)
    assert len(vendor.came) <= 3 * 24 * 2
    assert {(await row(shop.store, id)).reason for id in old} == {"expired"}

    vendor.answer = lambda _: says(200)
    before = len(vendor.came)
    new = [id for id in [await again(shop, id) for id in old] if id]
    assert [await again(shop, id) for id in old] == [None] * COUNT
    async with shop.delivering(vendor.route(), channels=CHANNELS, concurrency=1):
        shop.now += HOUR  # a pause may still be on

        async def all_came() -> bool:
            return (await states(shop.store)).get("accepted") == COUNT

        await until(all_came)
    assert vendor.ids[before:] == new
    assert len(set(new)) == COUNT


async def none_waits(shop: Office) -> None:
    async def holds() -> bool:
        return not {"planned", "held", "claimed", "handed"} & (await states(shop.store)).keys()

    await until(holds)


async def again(shop: Office, id: str) -> str | None:
    """What an operator's word does, a moment after the one before."""
    shop.now += 1
    return await shop.publisher.commit(
        lambda tx, changes: resend(tx, "default", id, changes, shop.now)
    )
