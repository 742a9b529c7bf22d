"""Put the core's workers together: `angarium core`."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final
from uuid import uuid4

import structlog

from angarium.config.settings import Settings
from angarium.core.bus.errors import BusError
from angarium.core.bus.subjects import DECISIONS, EVENTS, FEEDBACK
from angarium.core.people.consent import channels_by_attribute
from angarium.core.store.errors import StoreError
from angarium.core.workers.clock import now
from angarium.core.workers.consent import opt_out
from angarium.core.workers.decisions import Decisions
from angarium.core.workers.fallbacks import Fallbacks
from angarium.core.workers.feedback import FeedbackReader
from angarium.core.workers.feedback import Fenced as FeedbackFenced
from angarium.core.workers.ingest import Ingest, IngestSettings
from angarium.core.workers.leases import Lease
from angarium.core.workers.listeners import Announcer
from angarium.core.workers.place import Fenced
from angarium.core.workers.rules import RuleShelf
from angarium.core.workers.sweeper import Sweeper
from angarium.core.workers.timers import Timers
from angarium.gateway.floor import Floor, ensure_streams, floor_of
from angarium.gateway.isolation.health import keepers_of, telling
from angarium.gateway.message_rules import message_rules
from angarium.plugins.reports import Listener

log: Any = structlog.get_logger()

PAUSE_SECONDS: Final = 0.5


async def run_core(settings: Settings) -> None:
    """Run the core's workers until cancelled; then publish what was committed, and end."""
    async with floor_of(settings, "core") as floor:
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
        consents = channels_by_attribute(floor.plugins.channels.values())
        leave = partial(opt_out, consents=consents)
        reader = FeedbackReader(floor.store, floor.bus, floor.publisher, leave, now, consents)
        await reader.run()

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
                await ensure_streams(floor.bus, floor.settings)
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
