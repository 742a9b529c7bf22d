"""From the ledger to the providers: claim, judge, commit `handed`, send, record.

One loop a channel, and places of its own for each provider, so that a slow one keeps nobody waiting
but what only it can take. The poll of the ledger is the truth; a wake-up only makes it sooner.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog

from angarium.core.bus.bus import Bus
from angarium.core.delivery.gates import GATES, Gate
from angarium.core.delivery.render import Renderer
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.routes import Route
from angarium.core.delivery.rules import NO_RULES, MessageRules
from angarium.core.store.leases import WORKER
from angarium.core.store.paces import make_paces
from angarium.core.store.protocol import Store
from angarium.core.store.retry import transact
from angarium.core.workers.clock import Now
from angarium.core.workers.desk import Desk
from angarium.core.workers.facts import FactFinder
from angarium.core.workers.leases import Lease
from angarium.core.workers.listening import Listener
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.recorder import Recorder
from angarium.core.workers.rounds import ChannelLoop
from angarium.core.workers.sender import Sender
from angarium.core.workers.senders import Senders
from angarium.plugins import Channel, Provider
from angarium.plugins.provider import Listening

log: Any = structlog.get_logger()


class DeliverSettings(msgspec.Struct, frozen=True, kw_only=True):
    """concurrency: sends at once for each provider. batch: rows claimed at once. Times in seconds.

    zone: of people who have none of their own. rules: the operator's, of all messages.
    """

    concurrency: int = 64
    batch: int = 200
    lease_seconds: float = 30.0
    send_seconds: float = 30.0
    drain_seconds: float = 15.0
    zone: str = "UTC"
    rules: MessageRules = NO_RULES
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
        providers: Sequence[tuple[Route, Provider]],
        renderer: Renderer,
        settings: DeliverSettings,
        now: Now,
        gates: Sequence[Gate] = GATES,
    ) -> None:
        """`worker`: unique to this run of this process. `channels`: those to serve, by name.

        `providers`: as configured, built and not yet opened. The caller runs `publisher`.
        `gates`: in order; those of plugins after ours.
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
        finder = FactFinder(channels, settings.zone, settings.rules)
        self._desk = Desk(store, publisher, worker, finder, renderer, now, gates)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; then end what is on its way and give back the rest."""
        senders = await self._open()
        channels = {name: self._of_channel(senders, name) for name in self._channels}
        length = int(self._settings.lease_seconds * 1000)
        try:
            async with Lease(self._store, WORKER + self._worker, self._worker, length, self._now):
                beside = [asyncio.create_task(self._recorder.run())]
                beside += [
                    asyncio.create_task(_listen(one, self._bus, self._now)) for one in senders
                ]
                try:
                    await self._serve(channels, stop)
                    await self._drain(channels)
                finally:
                    for task in beside:
                        task.cancel()
                    await asyncio.gather(*beside, return_exceptions=True)
        finally:
            await asyncio.gather(*map(_close, senders))

    async def _open(self) -> list[Sender]:
        """Open providers, at the same time; one that cannot be opened sends nothing."""
        opened = await asyncio.gather(*(_opens(*one) for one in self._providers))
        senders = [
            Sender(
                route,
                provider,
                self._recorder.note,
                self._now,
                concurrency=self._settings.concurrency,
                ahead=self._settings.batch,
                seconds=self._settings.send_seconds,
                policy=self._settings.policy,
            )
            for (route, provider), is_open in zip(self._providers, opened, strict=True)
            if is_open
        ]
        await self._make_paces(senders)
        return senders

    async def _make_paces(self, senders: Sequence[Sender]) -> None:
        limited = [sender.name for sender in senders if sender.route.per_second]
        if limited:
            await transact(self._store, lambda tx: make_paces(tx, limited))

    def _of_channel(self, senders: Sequence[Sender], channel: str) -> Senders:
        found = [one for one in senders if one.provider.channel == channel]
        wanted = [route.name for route, one in self._providers if one.channel == channel]
        absent = set(wanted) - {one.name for one in found}
        return Senders(found, self._now, sorted(absent))

    async def _serve(self, channels: Mapping[str, Senders], stop: asyncio.Event) -> None:
        batch = self._settings.batch
        loops = [
            ChannelLoop(self._bus, self._desk, channel, channels[name], batch, stop).run()
            for name, channel in self._channels.items()
        ]
        await asyncio.gather(*loops)

    async def _drain(self, channels: Mapping[str, Senders]) -> None:
        seconds = self._settings.drain_seconds
        await asyncio.gather(*(senders.drain(seconds) for senders in channels.values()))
        await self._recorder.settle()
        await self._desk.give_back(None)


async def _opens(route: Route, provider: Provider) -> bool:
    try:
        await provider.open()
    except Exception as error:
        # A provider knows its own name only, and names its settings by that.
        reason = str(error).replace(f"channels.{provider.name}.", f"channels.{route.name}.")
        log.error("provider_not_opened", provider=route.name, reason=reason)
        return False
    return True


async def _close(sender: Sender) -> None:
    try:
        await sender.provider.close()
    except Exception as error:
        log.error("provider_not_closed", provider=sender.name, error=type(error).__name__)


async def _listen(sender: Sender, bus: Bus, now: Now) -> None:
    """Hear what a provider has to say besides, if it has a connection of its own."""
    provider = sender.provider
    if isinstance(provider, Listening):
        await Listener(sender.name, provider.channel, provider, bus, now).run()
