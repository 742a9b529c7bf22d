"""What a provider hears over a connection of its own, on both stores."""

import asyncio
from collections.abc import Mapping
from typing import ClassVar

import msgspec
import pytest
from structlog.testing import capture_logs

from angarium.core.bus.subjects import FEEDBACK
from angarium.core.workers import listening
from angarium.core.workers.feedback import FeedbackReader
from angarium.core.workers.listening import Listener
from angarium.plugins import StatusUpdate, TemporaryFailure
from angarium.plugins.provider import Report
from tests.delivery.examples import NOW, new_delivery
from tests.parts.waiting import until
from tests.store.ledgers import figures
from tests.workers.offices import Director, Office


class Ears(Director):
    """Says what it is told to, and loses its connection after each word."""

    name: ClassVar[str] = "sms_ears"
    channel: ClassVar[str] = "sms"

    def __init__(self, *words: StatusUpdate | Exception) -> None:
        super().__init__()
        self.words = list(words)
        self.listened = 0
        self.said = asyncio.Event()

    async def listen(self, report: Report) -> Mapping[str, int] | None:
        self.listened += 1
        if not self.words:
            self.said.set()
            await asyncio.Event().wait()
        word = self.words.pop(0)
        if isinstance(word, Exception):
            raise word
        await report(word)
        return None


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "FIRST_PAUSE", 0.001)


async def test_a_receipt_over_the_session_moves_its_delivery(shop: Office) -> None:
    await shop.plan(new_delivery(channel="sms"))
    receipt = StatusUpdate(status="delivered", provider_id="recorded-dlv_1", at=NOW)
    ears = Ears(receipt, receipt)

    async def nobody(*_: object, **__: object) -> None:
        raise AssertionError

    reader = FeedbackReader(shop.store, shop.bus, shop.publisher, nobody, lambda: shop.now)
    reading = asyncio.create_task(reader.run())
    expected = {("state", "accepted"): 1, ("receipt", "delivered"): 1}

    async def delivered() -> bool:
        return await figures(shop.store) == expected

    async with shop.delivering(ears):
        await ears.said.wait()
        await until(delivered)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert ears.close_count == 1


async def test_it_listens_again_whatever_happened(office: Office) -> None:
    stop = StatusUpdate(status="unsubscribed", address="+989120000000", id="a1")
    away = TemporaryFailure("sms_ears: no connection")
    ears = Ears(away, RuntimeError("bug"), stop, away)
    task = asyncio.create_task(Listener("sms_second", "sms", ears, office.bus, lambda: NOW).run())
    await ears.said.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert ears.listened == 5

    async with office.bus.pull(FEEDBACK, after=0) as puller:
        (received,) = await puller.get(10)
    said = msgspec.json.decode(received.body)
    assert (said["kind"], said["provider"], said["channel"], said["at"]) == (
        "unsubscribed",
        "sms_second",
        "sms",
        NOW,
    )


async def test_what_it_counted_is_logged(office: Office) -> None:
    class Counting(Ears):
        async def listen(self, report: Report) -> dict[str, int]:
            await super().listen(report)
            return {"unknown": 2, "other": 1}

    ears = Counting(StatusUpdate(status="delivered", key="dlv_1"))
    with capture_logs() as lines:
        task = asyncio.create_task(Listener("sms_ears", "sms", ears, office.bus, lambda: NOW).run())
        await ears.said.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert [line["counts"] for line in lines if line["event"] == "provider_heard"] == [
        {"unknown": 2, "other": 1}
    ]
