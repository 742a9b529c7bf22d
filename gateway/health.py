"""Is the process alive, and can it do its work; and the figures for Prometheus."""

import asyncio
from typing import Final

import msgspec
from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec

from angarium.core.store.errors import StoreError
from angarium.core.store.migrate import load_migrations
from angarium.core.store.protocol import Store
from angarium.gateway.metrics import MEDIA_TYPE
from angarium.gateway.parts import Parts
from angarium.gateway.problems import Problem, ProblemBody, Refusal, retry_after

CHECK_SECONDS: Final = 2.0
"""A store that does not answer by then is not ready."""
BUS, STORE, SCHEMA = "bus", "store", "schema"


class Health(msgspec.Struct):
    """The answer when all is well."""

    status: str


@get("/health/live", tags=["operation"], security=[{}], summary="Is the process alive?")
async def live() -> Health:
    """200 as long as the process answers at all. Restart it when this fails."""
    return Health("live")


@get(
    "/health/ready",
    tags=["operation"],
    security=[{}],
    summary="Can it do its work?",
    responses={503: ResponseSpec(ProblemBody, description="`not_ready` names the parts.")},
)
async def ready(parts: Parts) -> Health:
    """200 when broker, database and schema are there; else 503. Send no traffic meanwhile."""
    not_ready = [] if parts.bus.connected else [BUS]
    not_ready += await _check_store(parts.store)
    if not_ready:
        detail = "not ready: " + ", ".join(not_ready)
        raise Refusal(Problem.NOT_READY, detail, not_ready=not_ready, headers=retry_after(2))
    return Health("ready")


async def _check_store(store: Store) -> list[str]:
    try:
        async with asyncio.timeout(CHECK_SECONDS), store.reading() as tx:
            [(version,)] = await tx.fetch("schema_version")
    except (StoreError, TimeoutError):
        return [STORE]
    return [] if version == len(load_migrations(store.dialect)) else [SCHEMA]


@get("/metrics", tags=["operation"], security=[{}], summary="Figures for Prometheus")
async def metrics(parts: Parts) -> Response[bytes]:
    """Counters and histograms in Prometheus' text format. They name no person."""
    return Response(parts.metrics.render(), media_type=MEDIA_TYPE)


HEALTH_HANDLERS: Final = (live, ready, metrics)
