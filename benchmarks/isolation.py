"""What a process of its own costs a plugin: `python -m benchmarks.isolation`.

The same provider, which does nothing, inside our process and in one of its own, in turns. Prints
and keeps nothing.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Literal

import uvloop

from angarium.config.settings import Plugins as PluginsSettings
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.isolation.provider import IsolatedProvider
from angarium.plugins import Message, Provider, SmsContent

ROUNDS = 7
SENDS = 5_000
TEXT = "سلام سارا، سبد خرید شما هنوز منتظر است. " * 3
MODULE = """
import msgspec
from angarium.plugins import Accepted, Provider, hookimpl

class Settings(msgspec.Struct, frozen=True):
    pass

class Nothing(Provider):
    name, channel, Settings = "sms_nothing", "sms", Settings
    def __init__(self, settings): pass
    async def send(self, message): return Accepted(message.key)

@hookimpl
def register_providers(): return [Nothing]
"""


async def measure(folder: Path) -> None:
    """Print microseconds a send, and what a process takes."""
    (folder / "nothing_plugin.py").write_text(MODULE)
    sys.path.insert(0, str(folder))
    point = EntryPoint("sms_nothing", "nothing_plugin", "angarium.plugins")
    environ = {**os.environ, "PYTHONPATH": str(folder)}

    def make(isolation: Literal["process", "none"]) -> Provider:
        settings = PluginsSettings(isolation=isolation)
        return load_isolated(settings, [point], environ).create_provider("sms_nothing", {})

    inside, apart = make("none"), make("process")
    assert isinstance(apart, IsolatedProvider)
    began = time.perf_counter()
    await apart.open()
    print(f"start, with loading and opening: {1e3 * (time.perf_counter() - began):.0f} ms")
    for at_once in (1, 16, 64):
        rounds = [[await _each(one, at_once) for one in (inside, apart)] for _ in range(ROUNDS)]
        here, there = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"{at_once:3} at once: {here:6.1f} µs inside, {there:6.1f} µs apart")
    print(f"memory of the process: {_megabytes(apart.keeper.pid):.0f} MB, its own and shared")
    await apart.close()


async def _each(provider: Provider, at_once: int) -> float:
    """Microseconds a send."""
    turns = iter(range(SENDS))

    async def send_some() -> None:
        for number in turns:
            await provider.send(message(number))

    return await _timed(lambda: asyncio.gather(*(send_some() for _ in range(at_once))))


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return 1e6 * (time.perf_counter() - began) / SENDS


def message(number: int) -> Message:
    return Message(key=f"dlv_{number}", address="+989120000000", content=SmsContent(text=TEXT))


def _megabytes(pid: int | None) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [resident] = [line for line in lines if line.startswith("VmRSS")]
    return int(resident.split()[1]) / 1000


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        uvloop.run(measure(Path(place)))
