"""From the ledger to the providers: claim, judge, commit `handed`, send, record.

One loop a channel, so that a slow provider keeps nobody waiting but its own. The poll of the
ledger is the truth; a wake-up only makes it sooner.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog

from angarium.core.bus.bus import Bus
from angarium.core.delivery.render import Renderer
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.store.leases import WORKER
from angarium.core.store.protocol import Store
from angarium.core.workers.clock import Now
from angarium.core.workers.desk import Desk
from angarium.core.workers.facts import FactFinder
from angarium.core.workers.leases import Lease
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.recorder import Recorder
from angarium.core.workers.rounds import ChannelLoop
from angarium.core.workers.sender import Sender
from angarium.plugins import Channel, Provider

log: Any = structlog.get_logger()


class DeliverSettings(msgspec.Struct, frozen=True, kw_only=True):
    """concurrency: sends at once for each provider. batch: rows claimed at once. Times in seconds.

    zone: of people who have none of their own.
    """

    concurrency: int = 64
    batch: int = 200
    lease_seconds: float = 30.0
    send_seconds: float = 30.0
    drain_seconds: float = 15.0
    zone: str = "UTC"
    policy: RetryPolicy = RetryPolicy()


class Deliverer:
    """The delivery worker of one process."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        publisher: Publisher,
        *,
        worker: str,
        channels: Mapping[str, Channel],
        providers: Sequence[Provider],
        renderer: Renderer,
        settings: DeliverSettings,
        now: Now,
    ) -> None:
        """`worker`: unique to this run of this process. `channels`: those to serve, by name.

        `providers`: built and not yet opened; the first of each channel delivers on it. The
        caller runs `publisher`.
        """
        self._store = store
        self._bus = bus
        self._publisher = publisher
        self._worker = worker
        self._channels = channels
        self._providers = providers
        self._settings = settings
        self._now = now
        self._recorder = Recorder(publisher, now)
        finder = FactFinder(channels, settings.zone)
        self._desk = Desk(store, publisher, worker, finder, renderer, now)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; then end what is on its way and give back the rest."""
        senders = await self._open()
        length = int(self._settings.lease_seconds * 1000)
        try:
            async with Lease(self._store, WORKER + self._worker, self._worker, length, self._now):
                recording = asyncio.create_task(self._recorder.run())
                try:
                    await self._serve(senders, stop)
                    await self._drain(senders)
                finally:
                    recording.cancel()
                    await asyncio.gather(recording, return_exceptions=True)
        finally:
            for sender in senders.values():
                await sender.provider.close()

    async def _open(self) -> dict[str, Sender]:
        """Open providers; one that cannot be opened leaves its channel held."""
        senders: dict[str, Sender] = {}
        for provider in self._providers:
            if provider.channel in senders:
                continue
            try:
                await provider.open()
            except Exception as error:
                log.error("provider_not_opened", provider=provider.name, reason=str(error))
                continue
            senders[provider.channel] = Sender(
                provider,
                self._recorder.note,
                self._now,
                concurrency=self._settings.concurrency,
                seconds=self._settings.send_seconds,
                policy=self._settings.policy,
            )
        return senders

    async def _serve(self, senders: Mapping[str, Sender], stop: asyncio.Event) -> None:
        batch = self._settings.batch
        loops = [
            ChannelLoop(self._bus, self._desk, channel, senders.get(name), batch, stop).run()
            for name, channel in self._channels.items()
        ]
        await asyncio.gather(*loops)

    async def _drain(self, senders: Mapping[str, Sender]) -> None:
        seconds = self._settings.drain_seconds
        await asyncio.gather(*(sender.drain(seconds) for sender in senders.values()))
        await self._recorder.settle()
        await self._desk.give_back(None)
