"""Waiting for what another process or task brings about."""

import asyncio
from collections.abc import Awaitable, Callable

PAUSE_SECONDS = 0.01


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as `holds()` is true; the test's time limit is the only limit."""
    while not await holds():
        await asyncio.sleep(PAUSE_SECONDS)
