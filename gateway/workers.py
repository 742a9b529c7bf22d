"""Put the workers together: `angarium core` and `angarium deliver`."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final
from uuid import uuid4

import msgspec
import structlog

from angarium.config.settings import Settings
from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import BusError
from angarium.core.bus.subjects import DECISIONS, EVENTS, FEEDBACK
from angarium.core.delivery.added_gates import added_gates
from angarium.core.delivery.gates import GATES
from angarium.core.delivery.links import Links
from angarium.core.delivery.render import Renderer
from angarium.core.delivery.routes import Route
from angarium.core.delivery.templates import Templates
from angarium.core.store.errors import StoreError
from angarium.core.store.keys import load_link_secret
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from angarium.core.workers.clock import now
from angarium.core.workers.consent import opt_out
from angarium.core.workers.decisions import Decisions
from angarium.core.workers.deliver import Deliverer, DeliverSettings
from angarium.core.workers.fallbacks import Fallbacks
from angarium.core.workers.feedback import FeedbackReader
from angarium.core.workers.feedback import Fenced as FeedbackFenced
from angarium.core.workers.ingest import Ingest, IngestSettings
from angarium.core.workers.leases import Lease
from angarium.core.workers.listeners import Announcer
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.place import Fenced
from angarium.core.workers.rules import RuleShelf
from angarium.core.workers.sweeper import Sweeper
from angarium.core.workers.timers import Timers
from angarium.gateway.isolation.health import keepers_of, telling
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.message_rules import message_rules
from angarium.gateway.process import settle_rubbish
from angarium.gateway.routes import build_routes
from angarium.gateway.web_push_key import with_instance_key
from angarium.plugins.manager import Plugins
from angarium.plugins.provider import Provider
from angarium.plugins.reports import Listener

log: Any = structlog.get_logger()

SHARDS: Final = 16
"""Shares of the counters, so that processes do not queue on one row."""
PAUSE_SECONDS: Final = 0.5


class Floor(msgspec.Struct, frozen=True):
    """What every worker stands on."""

    settings: Settings
    store: Store
    bus: Bus
    publisher: Publisher
    plugins: Plugins
    secret: bytes
    shard: int


async def run_core(settings: Settings) -> None:
    """Run the core's workers until cancelled; then publish what was committed, and end."""
    async with _floor(settings, "core") as floor:
        messages = message_rules(settings.messages)
        rules = RuleShelf(floor.plugins.channels, settings.people.timezone, messages)
        sweeper = Sweeper(floor.store, floor.publisher, now)
        timers = Timers(floor.store, floor.publisher, rules, now, floor.shard)
        channels = floor.plugins.channels
        fallbacks = Fallbacks(floor.store, floor.publisher, channels, now, messages)
        jobs = [_ingest(floor, p, rules) for p in range(settings.nats.partitions)]
        jobs += [_decisions(floor), _feedback(floor)]
        jobs += [sweeper.run(), timers.run(), fallbacks.run()]
        listeners = floor.plugins.listeners
        jobs += [_announce(floor, name, listener) for name, listener in listeners.items()]
        log.info("core_runs", partitions=settings.nats.partitions)
        keepers = keepers_of(listeners.values())
        async with telling(floor.store, "core", keepers, now), asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)


async def run_deliver(settings: Settings) -> None:
    """Deliver until cancelled; then finish what is on its way, and end."""
    async with _floor(settings, "deliver") as floor:
        sections = await with_instance_key(settings.channels, floor.store)
        routes = build_routes(floor.plugins, sections)
        providers = [provider for _, provider in routes]
        stop = asyncio.Event()
        async with telling(floor.store, "deliver", keepers_of(providers), now):
            delivering = asyncio.create_task(_deliverer(floor, routes).run(stop))
            log.info("deliver_runs", providers=sorted(settings.channels))
            try:
                await asyncio.shield(delivering)
            except asyncio.CancelledError:
                stop.set()
                await delivering
                raise


@asynccontextmanager
async def _floor(settings: Settings, name: str) -> AsyncGenerator[Floor]:
    async with AsyncExitStack() as stack:
        store = await open_store(settings.database.url)
        stack.push_async_callback(store.close)
        await store.migrate()
        async with store.reading() as tx:
            secret = await load_link_secret(tx)
        bus = await Bus.connect(settings.nats.url, name=f"angarium {name}")
        stack.push_async_callback(bus.close)
        await _ensure_streams(bus, settings)
        shard = os.getpid() % SHARDS
        publisher = Publisher(store, bus, now, shard)
        publishing = asyncio.create_task(publisher.run())
        stack.push_async_callback(_settle, publisher, publishing, settings.core.drain_seconds)
        plugins = load_isolated(settings.plugins)
        floor = Floor(settings, store, bus, publisher, plugins, secret, shard)
        settle_rubbish()
        yield floor


async def _ensure_streams(bus: Bus, settings: Settings) -> None:
    nats = settings.nats
    await bus.ensure_streams(
        partitions=nats.partitions, max_bytes=nats.max_bytes, replicas=nats.replicas
    )


async def _settle(publisher: Publisher, publishing: asyncio.Task[None], seconds: float) -> None:
    """Say what was committed; what cannot be said in time, the next process says."""
    try:
        async with asyncio.timeout(seconds):
            await publisher.settle()
    except TimeoutError:
        log.warning("outbox_left", seconds=seconds)
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)


async def _ingest(floor: Floor, partition: int, rules: RuleShelf) -> None:
    settings = floor.settings
    limits = IngestSettings(
        settings.people.region,
        settings.core.batch,
        settings.limits.message_bytes,
        settings.limits.event_names,
    )

    async def work() -> None:
        reader = Ingest(
            floor.store, floor.bus, floor.publisher, rules, limits, now, partition=partition
        )
        await reader.run()

    await _alone(floor, f"{EVENTS}:{partition}", work)


async def _decisions(floor: Floor) -> None:
    async def work() -> None:
        channels = floor.plugins.channels
        rules = message_rules(floor.settings.messages)
        await Decisions(floor.store, floor.bus, floor.publisher, channels, now, rules).run()

    await _alone(floor, DECISIONS, work)


async def _feedback(floor: Floor) -> None:
    async def work() -> None:
        await FeedbackReader(floor.store, floor.bus, floor.publisher, opt_out, now).run()

    await _alone(floor, FEEDBACK, work)


async def _announce(floor: Floor, name: str, listener: Listener) -> None:
    async def work() -> None:
        await Announcer(floor.store, floor.bus, name, listener).run()

    await _alone(floor, f"listener:{name}", work)


async def _alone(floor: Floor, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Work while no other process does the same, for ever; the fence, not the lease, is safety."""
    length = int(floor.settings.core.lease_seconds * 1000)
    while True:
        try:
            async with Lease(floor.store, name, uuid4().hex, length, now) as lease:
                await _until(lease.lost, work())
        except (Fenced, FeedbackFenced) as error:
            log.warning("taken_over", what=name, reason=str(error))
        except StoreError as error:
            log.warning("waits", what=name, reason=str(error))
        except BusError as error:
            log.warning("waits", what=name, reason=str(error))
            with suppress(BusError):  # the streams may be gone with a store that was wiped
                await _ensure_streams(floor.bus, floor.settings)
        await asyncio.sleep(PAUSE_SECONDS)


async def _until(lost: asyncio.Event, work: Awaitable[None]) -> None:
    """Work until it ends or the lease is lost."""
    working = asyncio.ensure_future(work)
    losing = asyncio.ensure_future(lost.wait())
    try:
        await asyncio.wait((working, losing), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, losing):
            task.cancel()
        await asyncio.gather(working, losing, return_exceptions=True)


def _deliverer(floor: Floor, routes: Sequence[tuple[Route, Provider]]) -> Deliverer:
    settings = floor.settings
    plugins = floor.plugins
    templates = Templates(filters=plugins.filters)
    links = Links(floor.secret, settings.http.public_url)
    deliver = settings.deliver
    served = deliver.channels or tuple(plugins.channels)
    return Deliverer(
        floor.store,
        floor.bus,
        floor.publisher,
        worker=uuid4().hex,
        channels={name: plugins.channels[name] for name in served},
        providers=routes,
        renderer=Renderer(templates, links),
        settings=DeliverSettings(
            concurrency=deliver.concurrency,
            batch=deliver.batch,
            lease_seconds=deliver.lease_seconds,
            send_seconds=deliver.send_seconds,
            drain_seconds=deliver.drain_seconds,
            zone=settings.people.timezone,
            rules=message_rules(settings.messages),
        ),
        now=now,
        gates=(*GATES, *added_gates(plugins.gates)),
    )
