"""Report listeners: every change after its commit, at least once, and never in anybody's way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.bus.subjects import reports_subject
from angarium.core.store.protocol import Store
from angarium.core.workers import listeners
from angarium.core.workers.listeners import Announcer, Unavailable
from angarium.core.workers.place import Fenced
from angarium.plugins.reports import Report
from tests.delivery.examples import new_delivery
from tests.parts.waiting import until
from tests.workers.offices import Director, Office


class Ear:
    """Keeps what it hears; `fails` says how often a delivery's report fails first."""

    def __init__(self) -> None:
        self.heard: list[Report] = []
        self.asked: list[str] = []
        self.fails: dict[str, list[BaseException]] = {}

    async def __call__(self, report: Report) -> None:
        self.asked.append(report.delivery)
        failures = self.fails.get(report.delivery)
        if failures:
            raise failures.pop()
        self.heard.append(report)

    async def until_heard(self, *deliveries: str) -> None:
        async def holds() -> bool:
            return [one.delivery for one in self.heard] == list(deliveries)

        await until(holds)


Listening = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "PAUSE_SECONDS", 0.001)


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One is enough: the place in the stream is a row like any reader's."""
    return sqlite_url


@asynccontextmanager
async def listening(store: Store, bus: Bus, ear: Any, name: str = "ear") -> AsyncIterator[None]:
    task = asyncio.create_task(Announcer(store, bus, name, ear).run())

    async def placed() -> bool:
        async with store.reading() as tx:
            return bool(await tx.fetch("load_position", stream=f"listener:{name}", partition=0))

    await until(placed)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def tell(bus: Bus, *deliveries: str) -> None:
    for id in deliveries:
        body = (
            f'{{"delivery":"{id}","campaign":"c","version":1,"channel":"sms","status":"planned",'
            '"at":"2026-01-01T00:00:00.000Z","profile":"p","requestId":null,"new":1}'
        )
        await bus.publish(reports_subject("default", "sms", "planned"), body.encode())


async def test_every_change_of_a_delivery_is_told(shop: Office) -> None:
    ear = Ear()
    async with listening(shop.store, shop.bus, ear):
        await shop.plan(new_delivery())
        async with shop.delivering(Director()):
            await ear.until_heard("dlv_1", "dlv_1")

    planned, accepted = ear.heard
    assert (planned.status, accepted.status, accepted.provider) == (
        "planned",
        "accepted",
        "email_director",
    )
    assert (accepted.workspace, accepted.channel, accepted.profile) == ("default", "email", "prf_1")
    assert planned.sequence < accepted.sequence


async def test_it_goes_on_where_it_stopped_and_begins_now(office: Office) -> None:
    ear, bus = Ear(), office.bus
    await tell(bus, "before")
    async with listening(office.store, bus, ear):
        await tell(bus, "one")
        await ear.until_heard("one")

        async def kept() -> bool:
            async with office.store.reading() as tx:
                [[position, _]] = await tx.fetch(
                    "load_position", stream="listener:ear", partition=0
                )
            return bool(position == ear.heard[-1].sequence)

        await until(kept)
    await tell(bus, "two")
    async with listening(office.store, bus, ear):
        await ear.until_heard("one", "two")


async def test_a_failure_is_tried_again_in_order(office: Office) -> None:
    ear = Ear()
    ear.fails = {"one": [KeyError("x"), TimeoutError(), SystemExit(1)]}
    async with listening(office.store, office.bus, ear):
        await tell(office.bus, "one", "two")
        await ear.until_heard("one", "two")

    assert ear.asked == ["one"] * 4 + ["two"]


async def test_a_report_that_fails_again_and_again_is_left_out(office: Office) -> None:
    ear = Ear()
    ear.fails = {"one": [KeyError("x") for _ in range(9)]}
    async with listening(office.store, office.bus, ear):
        await tell(office.bus, "one", "two")
        await ear.until_heard("two")

    assert ear.asked == ["one"] * 5 + ["two"]


async def test_a_listener_that_is_away_is_waited_for(office: Office) -> None:
    ear = Ear()
    ear.fails = {"one": [Unavailable("put aside") for _ in range(8)]}
    async with listening(office.store, office.bus, ear):
        await tell(office.bus, "one")
        await ear.until_heard("one")


async def test_one_that_hangs_holds_up_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "CALL_SECONDS", 0.001)
    ear = Ear()

    async def hang(_: Report) -> None:
        await asyncio.Event().wait()

    async with (
        listening(office.store, office.bus, hang, "hanging"),
        listening(office.store, office.bus, ear),
    ):
        await tell(office.bus, "one")
        await ear.until_heard("one")


async def test_what_is_no_report_is_passed_over(office: Office) -> None:
    ear = Ear()
    async with listening(office.store, office.bus, ear):
        await office.bus.publish(reports_subject("default", "sms", "planned"), b"{")
        await tell(office.bus, "one")
        await ear.until_heard("one")


async def test_of_two_that_tell_the_same_listener_one_gives_way(office: Office) -> None:
    announcers = [Announcer(office.store, office.bus, "ear", Ear()) for _ in range(2)]
    running = [asyncio.create_task(one.run()) for one in announcers]

    async def publish() -> bool:
        await tell(office.bus, "one")
        return any(task.done() for task in running)

    await until(publish)
    for task in running:
        task.cancel()
    ends = await asyncio.gather(*running, return_exceptions=True)

    assert [end for end in ends if isinstance(end, Fenced)]
