"""D10: a vendor fails all it is given for ten minutes, then half of it, then works again."""

from itertools import pairwise

from angarium.core.delivery.pauses import FIRST_PAUSE, LONGEST_PAUSE, TROUBLE
from angarium.core.events.times import MINUTE, SECOND
from angarium.core.store.outcomes import Filters, list_deliveries
from angarium.core.store.protocol import Store
from tests.counterparts.http_scripted import Reply, says
from tests.delivery.examples import NOW
from tests.drills.provider_faults.vendors import (
    CHANNELS,
    Vendor,
    most_in_a_second,
    named,
    settled,
    to_webhook,
)
from tests.store.ledgers import states
from tests.workers.offices import Office

RATE = 40
COUNT = 150
SHORT = 40
STEP = 100


def every_other(vendor: Vendor) -> Reply:
    return says(502) if len(vendor.came) % 2 else says(200)


async def test_the_breaker_opens_tries_one_by_one_and_nobody_comes_in_a_herd(
    shop: Office, vendor: Vendor
) -> None:
    vendor.answer = lambda _: says(500)
    await shop.plan(
        *to_webhook(*named("short", SHORT), expires_at=NOW + 5 * MINUTE),
        *to_webhook(*named("long", COUNT)),
    )
    route = vendor.route(per_second=RATE)
    async with shop.delivering(route, channels=CHANNELS, concurrency=8):
        await move(shop, vendor, 2 * SECOND, STEP)
        await move(shop, vendor, 10 * MINUTE, 5 * SECOND)
        opened = len([at for at in vendor.times if at <= NOW + 10 * SECOND])
        _check_probes(vendor.times[TROUBLE:])
        assert TROUBLE <= opened <= TROUBLE + 8 + 4

        vendor.answer = lambda _: every_other(vendor)
        await move(shop, vendor, 3 * SECOND, STEP)
        vendor.answer = lambda _: says(200)
        await move(shop, vendor, 3 * SECOND, STEP)
        while not await all_ended(shop.store):
            await move(shop, vendor, SECOND, SECOND)
    assert most_in_a_second(vendor.times) <= RATE * 1.3  # to the letter: test_rates.py
    ended = await states(shop.store)
    assert ended.pop("accepted") == COUNT
    assert sum(ended.values()) == SHORT
    async with shop.store.reading() as tx:
        found = await list_deliveries(tx, "default", Filters(), (1 << 62, ""), SHORT + COUNT)
    assert {row.reason for row in found if row.state != "accepted"} == {"expired"}


def _check_probes(times: list[int]) -> None:
    """What was under way when it opened; then one at a time, each wait twice the one before."""
    opened = times[0]
    probes = [at for at in times if at > opened]
    for number, (earlier, later) in enumerate(pairwise([opened, *probes])):
        assert later - earlier >= min(FIRST_PAUSE << number, LONGEST_PAUSE)


async def move(shop: Office, vendor: Vendor, length: int, step: int) -> None:
    """Move the clock step by step, each as soon as what may go at that time has gone."""
    end = shop.now + length
    while shop.now < end:
        shop.now += step
        await settled(vendor)


async def all_ended(store: Store) -> bool:
    now = await states(store)
    return not {"planned", "held", "claimed", "handed"} & now.keys()
