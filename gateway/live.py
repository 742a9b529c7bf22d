"""Figures of deliveries as they change, by Server-Sent Events (S1.12)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, get
from litestar.response import Stream

from angarium.core.store.errors import StoreError
from angarium.gateway.figures import (
    READ,
    Campaign,
    FiguresBody,
    From,
    GroupBy,
    Query,
    To,
    read_figures,
    read_query,
)
from angarium.gateway.keyring import Caller
from angarium.gateway.parts import Parts

LOOK_SECONDS: Final = 1.0
"""At most one look, and one event, in this time."""
HEARTBEAT_LOOKS: Final = 15
"""After so many looks without news a comment shows that the line is alive."""
HEARTBEAT: Final = b": still here\n\n"
AGAIN: Final = b"retry: 2000\n\n"
"""Milliseconds after which a browser connects again when the line breaks."""
STOPPING: Final = "stopping"
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@get(
    "/v1/deliveries/stats/live",
    guards=[READ],
    media_type="text/event-stream",
    summary="The same figures as they change",
    description=(
        "Scope: deliveries:read. Server-Sent Events: `data` is the body of "
        "/v1/deliveries/stats, first as it is now, then whenever it changed, once a second at most."
    ),
    tags=["deliveries"],
)
async def stream_delivery_stats(
    parts: Parts,
    caller: Caller,
    request: Request[Any, Any, Any],
    campaign: Campaign = None,
    group_by: GroupBy = None,
    from_: From = None,
    to: To = None,
) -> Stream:
    query = read_query(campaign, group_by, from_, to)
    news = _news(parts, caller.workspace, query, _stopping(request.app))
    return Stream(news, media_type="text/event-stream", headers=HEADERS)


def end_streams(app: Litestar) -> None:
    """End every open stream, and each one begun from now on: a server waits for them to stop."""
    _stopping(app).set()


def _stopping(app: Litestar) -> asyncio.Event:
    event: asyncio.Event = app.state.setdefault(STOPPING, asyncio.Event())
    return event


async def _news(
    parts: Parts, workspace: str, query: Query, stopping: asyncio.Event
) -> AsyncIterator[bytes]:
    yield AGAIN
    last: FiguresBody | None = None
    quiet = 0
    while True:
        found = await _look(parts, workspace, query)
        if found is not None and found != last:
            last, quiet = found, 0
            yield b"data: %b\n\n" % msgspec.json.encode(found)
        elif quiet >= HEARTBEAT_LOOKS:
            quiet = 0
            yield HEARTBEAT
        if await _set_within(stopping, LOOK_SECONDS):
            return
        quiet += 1


async def _look(parts: Parts, workspace: str, query: Query) -> FiguresBody | None:
    """None while the store is away: the line stays open, and goes on when it is back."""
    try:
        async with parts.store.reading() as tx:
            return await read_figures(tx, workspace, query)
    except StoreError:
        return None


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
