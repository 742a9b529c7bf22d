"""G10: as the vendor records them, no second holds 5 % more messages than the rate allows."""

import pytest

from angarium.core.events.times import HOUR, SECOND
from tests.drills.provider_faults.vendors import (
    CHANNELS,
    Vendor,
    most_in_a_second,
    named,
    to_webhook,
)
from tests.parts.waiting import until
from tests.workers.offices import Office

STEP = 20


@pytest.mark.parametrize("rate", [5, 20, 100])
async def test_two_workers_together_never_exceed_a_rate(
    shop: Office, vendor: Vendor, rate: int
) -> None:
    """At each step of the clock all that the rate allows must have come: none of it comes late,
    so what came in any second is what was let through in it."""
    count = rate * 3
    await shop.plan(*to_webhook(*named("dlv", count)))
    started = shop.now
    one, other = vendor.route(per_second=rate), vendor.route(per_second=rate)
    async with (
        shop.delivering(one, worker="w1", channels=CHANNELS),
        shop.delivering(other, worker="w2", channels=CHANNELS),
    ):
        for _ in range(2 * SECOND // STEP):
            await came(vendor, (shop.now - started) * rate // SECOND)
            shop.now += STEP
        await came(vendor, 2 * rate)
        shop.now += HOUR
        await came(vendor, 2 * rate + 1 + rate // 20)
        at = shop.now
        while len(vendor.came) < count:
            shop.now += STEP
            await came(vendor, min(count, 2 * rate + (shop.now - at) * rate // SECOND))
    assert most_in_a_second(vendor.times) <= rate * 1.05
    assert sorted(vendor.ids) == named("dlv", count)


async def came(vendor: Vendor, count: int) -> None:
    async def holds() -> bool:
        return len(vendor.came) >= count

    await until(holds)
