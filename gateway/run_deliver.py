"""Put the delivery worker together: `angarium deliver`."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import structlog

from angarium.config.settings import Settings
from angarium.core.delivery.added_gates import added_gates
from angarium.core.delivery.gates import GATES
from angarium.core.delivery.links import Links
from angarium.core.delivery.render import Renderer
from angarium.core.delivery.routes import Route
from angarium.core.delivery.templates import Templates
from angarium.core.workers.clock import now
from angarium.core.workers.deliver import Deliverer, DeliverSettings
from angarium.gateway.floor import Floor, floor_of
from angarium.gateway.isolation.health import keepers_of, telling
from angarium.gateway.message_rules import message_rules
from angarium.gateway.routes import build_routes
from angarium.gateway.web_push_key import with_instance_key
from angarium.plugins.provider import Provider

log: Any = structlog.get_logger()


async def run_deliver(settings: Settings) -> None:
    """Deliver until cancelled; then finish what is on its way, and end."""
    async with floor_of(settings, "deliver") as floor:
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
