"""D9: a vendor asks us to wait, from a second to an hour, in seconds or until a date."""

from collections.abc import Callable

import pytest

from angarium.core.events.times import MINUTE, SECOND
from tests.counterparts.http_scripted import Reply, says
from tests.delivery.examples import NOW, new_delivery
from tests.drills.provider_faults.vendors import (
    CHANNELS,
    Vendor,
    named,
    to_webhook,
    vendor_of,
)
from tests.parts.waiting import until
from tests.store.ledgers import states
from tests.workers.offices import Director, Office

WAITS = [1, 7, 60, 599, 3600]
"""Seconds."""

Form = Callable[[Vendor, int], dict[str, str]]


def in_seconds(_: Vendor, wait: int) -> dict[str, str]:
    return {"Retry_After": str(wait)}


def until_a_date(vendor: Vendor, wait: int) -> dict[str, str]:
    return {"Retry_After": vendor.date(wait * SECOND), "Date": vendor.date()}


def asks(vendor: Vendor, status: int, wait: int, form: Form) -> Callable[[str], Reply]:
    """Every message is answered so; the date is that of the first."""
    headers = form(vendor, wait)
    return lambda _: says(status, b"", **headers)


async def came(vendor: Vendor, count: int) -> None:
    async def holds() -> bool:
        return len(vendor.came) >= count

    await until(holds)


async def came_with(vendor: Vendor, id: str) -> None:
    async def holds() -> bool:
        return id in vendor.ids

    await until(holds)


async def accepted(shop: Office, count: int) -> None:
    async def holds() -> bool:
        return (await states(shop.store)).get("accepted") == count

    await until(holds)


@pytest.mark.parametrize("form", [in_seconds, until_a_date])
@pytest.mark.parametrize("status", [429, 503])
async def test_who_asks_all_to_wait_hears_of_nobody_before_its_time_and_the_next_sends(
    shop: Office, vendor: Vendor, status: int, form: Form
) -> None:
    """Each message that the second vendor gets shows that a round was taken at that time."""
    async with (
        vendor_of(shop) as second,
        shop.delivering(
            vendor.route(order=1),
            second.route("webhook_second", order=2),
            channels=CHANNELS,
            concurrency=1,
        ),
    ):
        for number, wait in enumerate(WAITS):
            asked_at, asked, others = shop.now, len(vendor.came), len(second.came)
            vendor.answer = asks(vendor, status, wait, form)
            await shop.plan(*to_webhook(*named(f"w{number}", 10)))
            await accepted(shop, others + number + 10)
            assert len(vendor.came) == asked + 1
            for share in (0.5, 0.9, 0.999):
                shop.now = asked_at + int(wait * SECOND * share)
                await shop.plan(*to_webhook(f"w{number}_{share}"))
                await came(second, len(second.came) + 1)
            assert len(vendor.came) == asked + 1
            vendor.answer = lambda _: says(200)
            shop.now = asked_at + wait * SECOND
            await shop.plan(*to_webhook(f"w{number}_last"))
            await came(vendor, asked + 2)
            assert vendor.came[-1].at == asked_at + wait * SECOND
            shop.now += SECOND


@pytest.mark.parametrize("form", [in_seconds, until_a_date])
async def test_one_message_that_is_to_wait_keeps_none_of_the_others(
    shop: Office, vendor: Vendor, form: Form
) -> None:
    """A 500 is about its message. The vendor itself works, and gets what is new."""
    waits = {f"wait_{wait}": wait for wait in WAITS}
    ways = {id: says(500, b"", **form(vendor, wait)) for id, wait in waits.items()}
    vendor.answer = lambda id: ways.get(id, says(200))
    async with shop.delivering(vendor.route(), channels=CHANNELS):
        await shop.plan(*to_webhook(*waits))
        await shop.became(held=len(waits))
        vendor.answer = lambda _: says(200)
        for wait in WAITS:
            shop.now = NOW + wait * SECOND - 1
            await shop.plan(*to_webhook(f"new_{wait}"))
            await came_with(vendor, f"new_{wait}")
            shop.now += 1
        shop.now += MINUTE
        await shop.became(accepted=2 * len(waits))
    for id, wait in waits.items():
        first, second = (one.at for one in vendor.came if one.id == id)
        assert second >= first + max(wait, 10) * SECOND


async def test_what_is_planned_during_a_pause_stops_nobody_else(
    shop: Office, vendor: Vendor
) -> None:
    """A wake-up for those who may take nothing once kept the whole worker from anything else."""
    vendor.answer = asks(vendor, 429, 3600, in_seconds)
    mail = Director()
    async with shop.delivering(vendor.route(), mail, channels=CHANNELS):
        await shop.plan(*to_webhook("first"))
        await shop.became(held=1)
        for number in range(5):
            await shop.plan(*to_webhook(*named(f"hook{number}", 5)))
            await shop.plan(*map(new_delivery, named(f"mail{number}", 5)))
            await accepted(shop, 5 * number + 5)
    assert vendor.ids == ["first"]


async def test_who_waits_for_an_hour_takes_nothing_from_other_channels(
    shop: Office, vendor: Vendor
) -> None:
    """Due first, and more of them than are claimed at once: all others are sent nonetheless."""
    vendor.answer = asks(vendor, 429, 3600, in_seconds)
    early = to_webhook(*named("hook", 300), due_at=NOW - SECOND)
    mails = [new_delivery(id) for id in named("mail", 300)]
    await shop.plan(*early, *mails)
    mail = Director()
    async with shop.delivering(vendor.route(), mail, channels=CHANNELS, concurrency=8, batch=20):
        await accepted(shop, 300)
    assert sorted(mail.keys) == named("mail", 300)
    assert len(vendor.came) <= 8
