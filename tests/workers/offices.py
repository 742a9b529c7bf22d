"""A whole delivery office for a test: real store and bus, a provider that a test directs."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import msgspec

from angarium.core.bus.bus import Bus
from angarium.core.delivery.links import Links
from angarium.core.delivery.record import NewDelivery
from angarium.core.delivery.render import Renderer
from angarium.core.delivery.routes import Route
from angarium.core.delivery.templates import Templates
from angarium.core.store.campaigns import create_campaign, find_campaign, move
from angarium.core.store.ledger import plan
from angarium.core.store.protocol import Store
from angarium.core.workers.deliver import Deliverer, DeliverSettings
from angarium.core.workers.outbox import Publisher
from angarium.plugins import Accepted, Channel, Message, Provider
from angarium.plugins.channel import EMAIL, SMS
from angarium.plugins.testing import RecordingProvider
from tests.delivery.examples import NOW
from tests.parts.waiting import until
from tests.store.ledgers import states

CAMPAIGN: Mapping[str, Any] = {
    "name": "Welcome",
    "send_at": {"trigger": {"event": "Visit"}},
    "content": {
        "order": ["email", "sms"],
        "email": {"subject": "Hello {{ profile.first_name }}", "html": "<p>{{ event.name }}</p>"},
        "sms": {"text": "Hello {{ profile.first_name }}"},
    },
}

Answering = Callable[[Message], Awaitable[Accepted]]


class Director(RecordingProvider):
    """A provider that keeps what it is given, and does with it what the test says."""

    name: ClassVar[str] = "email_director"

    def __init__(self, answer: Answering | None = None) -> None:
        super().__init__()
        if answer is not None:
            self.answer = answer
        self._came = asyncio.Event()

    async def send(self, message: Message) -> Accepted:
        self._came.set()
        return await super().send(message)

    async def received(self, count: int) -> None:
        """Wait until it was given so many messages."""
        while len(self.messages) < count:
            self._came.clear()
            await self._came.wait()

    @property
    def keys(self) -> list[str]:
        return [message.key for message in self.messages]


class TextDirector(Director):
    """The same for text messages."""

    name: ClassVar[str] = "sms_director"
    channel: ClassVar[str] = "sms"


def fails_with(error: Exception) -> Answering:
    """Every message meets this failure."""

    async def answer(_: Message) -> Accepted:
        raise error

    return answer


def routed(*providers: Provider | tuple[Route, Provider]) -> list[tuple[Route, Provider]]:
    """Providers as sections of their own names, in this order, unless the test says otherwise."""
    return [
        one if isinstance(one, tuple) else (Route(name=one.name, order=order), one)
        for order, one in enumerate(providers, 1)
    ]


class Office:
    """One process's delivery; `now` is its clock."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self.store = store
        self.bus = bus
        self.now = NOW
        self.publisher = Publisher(store, bus, lambda: self.now)
        self.links = Links(b"secret", "https://gw.example")

    async def campaign(self, id: str = "cmp_1", state: str = "active", **changes: Any) -> None:
        """Save a campaign."""
        body = msgspec.json.encode({**CAMPAIGN, **changes}).decode()
        async with self.store.transaction() as tx:
            saved = await create_campaign(tx, "default", id, "Welcome", body, NOW)
            await move(tx, "default", saved, state, NOW)

    async def set_campaign(self, state: str) -> None:
        """Pause, archive, …"""
        async with self.store.transaction() as tx:
            saved = await find_campaign(tx, "default", "cmp_1")
            assert saved is not None
            await move(tx, "default", saved, state, NOW)

    async def person(
        self,
        id: str = "prf_1",
        revision: int = 1,
        state: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Save a person who can be reached by mail and text."""
        attributes = {
            "email": f"{id}@example.org",
            "mobile": "+989120000000",
            "first_name": "Sara",
            **more,
        }
        given = {name: value for name, value in attributes.items() if value is not None}
        row = (
            "default",
            id,
            f"user-{id}",
            NOW,
            NOW,
            msgspec.json.encode(given).decode(),
            msgspec.json.encode(state or {}).decode(),
            revision,
            None,
        )
        async with self.store.transaction() as tx:
            await tx.many("save_profiles", [row])

    async def plan(self, *deliveries: NewDelivery) -> None:
        """Plan, as the core does."""
        await self.publisher.commit(lambda tx, changes: plan(tx, deliveries, changes))

    def deliverer(
        self,
        *providers: Provider | tuple[Route, Provider],
        worker: str = "w1",
        channels: Sequence[Channel] = (EMAIL, SMS),
        **settings: Any,
    ) -> Deliverer:
        """A delivery worker that does not run yet."""
        return Deliverer(
            self.store,
            self.bus,
            self.publisher,
            worker=worker,
            channels={channel.name: channel for channel in channels},
            providers=routed(*providers),
            renderer=Renderer(Templates(), self.links),
            settings=DeliverSettings(**settings),
            now=lambda: self.now,
        )

    @asynccontextmanager
    async def delivering(
        self, *providers: Provider | tuple[Route, Provider], **more: Any
    ) -> AsyncIterator[None]:
        """A worker at work; at the end of the block it is stopped, and has recorded all."""
        stop = asyncio.Event()
        working = asyncio.create_task(self.deliverer(*providers, **more).run(stop))
        try:
            yield
        finally:
            stop.set()
            await working

    async def became(self, **expected: int) -> None:
        """Wait until the counters of states are these."""

        async def holds() -> bool:
            return await states(self.store) == expected

        await until(holds)


@asynccontextmanager
async def open_office(store: Store, bus: Bus) -> AsyncGenerator[Office]:
    """An office whose changes are published, until the end of the block."""
    office = Office(store, bus)
    publishing = asyncio.create_task(office.publisher.run())
    try:
        yield office
    finally:
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
