"""D12: a vendor that answers a byte at a time, or never, on 500 connections at once.

It holds its own places only: what others have to send is all sent meanwhile.
"""

import asyncio

import pytest

from angarium.channels.webhook import WebhookContent
from angarium.core.store.protocol import Store
from angarium.plugins import InDoubt, Message
from tests.counterparts.http_scripted import Reply, says, says_nothing
from tests.delivery.examples import new_delivery
from tests.drills.provider_faults.vendors import CHANNELS, Vendor, named, to_webhook
from tests.parts.waiting import until
from tests.store.ledgers import states
from tests.workers.offices import Director, Office, TextDirector

HANGING = 500
OTHERS = 500


async def drips(writer: asyncio.StreamWriter) -> None:
    """A byte, and the next only when the client is gone."""
    writer.write(b"H")
    await writer.drain()
    await writer.wait_closed()


async def accepted(store: Store, count: int) -> None:
    async def holds() -> bool:
        return (await states(store)).get("accepted") == count

    await until(holds)


@pytest.mark.parametrize("reply", [says_nothing, drips])
async def test_500_that_hang_keep_no_other_channel_from_sending(
    shop: Office, vendor: Vendor, reply: Reply
) -> None:
    vendor.answer = lambda _: reply
    hooks, mails = to_webhook(*named("hook", HANGING)), named("mail", OTHERS)
    mail, text = Director(), TextDirector()
    await shop.plan(*hooks)
    async with shop.delivering(
        vendor.route(connections=HANGING),
        *(mail, text),
        channels=CHANNELS,
        concurrency=HANGING,
        drain_seconds=0.0,
    ):

        async def all_hang() -> bool:
            return len(vendor.came) == HANGING

        await until(all_hang)
        await shop.plan(
            *map(new_delivery, mails),
            *(new_delivery(f"text_{id}", channel="sms") for id in mails),
        )
        await accepted(shop.store, 2 * OTHERS)
        assert (await states(shop.store))["handed"] == HANGING
    assert (len(mail.keys), len(text.keys)) == (OTHERS, OTHERS)
    assert await states(shop.store) == {"accepted": 2 * OTHERS, "in_doubt": HANGING}


async def test_bytes_that_come_one_by_one_do_not_lengthen_the_wait(vendor: Vendor) -> None:
    """The limit is that of the whole answer, not of each byte."""
    ended = asyncio.Event()

    async def without_end(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not ended.is_set():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    vendor.answer = lambda _: without_end
    provider = vendor.provider(connect_seconds=0.2, answer_seconds=0.2)
    message = Message(key="dlv_1", address="member 7", content=WebhookContent(data={}))
    with pytest.raises(InDoubt, match="no answer came in time"):
        await provider.send(message)
    ended.set()
    vendor.answer = lambda _: says(200)
    await provider.send(message)
    await provider.close()
