"""How each of our processes runs: one event loop, ended in order by SIGTERM or SIGINT."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable

import structlog
import uvloop

from angarium.core.bus.errors import BusError
from angarium.core.store.errors import StoreError
from angarium.gateway.supervisor import tether

log = structlog.get_logger()

ALLOCATIONS = 50_000
"""New objects after which rubbish is looked for; by default 700, a seventh of the core's time."""


def run_process(work: Callable[[], Awaitable[None]], rope: int | None = None) -> None:
    """Run `work` until it ends or a signal cancels it; cancelled, it should finish what it began.

    `rope`: the pipe that ties this process to its supervisor. Ends the process with status 1 when
    `work` raises.
    """
    if rope is not None:
        tether.watch(rope)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_told(work))
    except (StoreError, BusError, OSError) as error:
        log.error("ended", error=str(error), kind=type(error).__name__)
        raise SystemExit(1) from None
    except Exception:
        log.exception("crashed")
        raise SystemExit(1) from None


def settle_rubbish() -> None:
    """Call it once all is set up. What is there stays: to look through it for rubbish again and
    again would stop everything for tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 20)


async def _until_told(work: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.ensure_future(work())
    told = asyncio.Event()

    def end() -> None:
        told.set()
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    try:
        await task
    except asyncio.CancelledError:
        if not told.is_set():
            raise
