"""A provider that does nothing, in a process of its own. Run as a script.

One line of JSON in: `count`, `at_once`; one line out: `seconds` for all messages, `start_ms` for
loading and opening, `memory_mib` of its process.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import cast

import structlog
import uvloop

from angarium.config.settings import Plugins as PluginsSettings
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.isolation.provider import IsolatedProvider
from angarium.plugins import Message, Provider, SmsContent

TEXT = "سلام سارا، سبد خرید شما هنوز منتظر است. " * 3
NAME = "nothing_plugin"
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


def make(folder: Path) -> IsolatedProvider:
    """The provider, its plugin being a module in `folder`."""
    (folder / f"{NAME}.py").write_text(MODULE)
    point = EntryPoint("sms_nothing", NAME, "angarium.plugins")
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    plugins = load_isolated(PluginsSettings(), [point], environ)
    return cast("IsolatedProvider", plugins.create_provider("sms_nothing", {}))


async def run(job: dict[str, int]) -> dict[str, float]:
    """Send `count` messages."""
    with tempfile.TemporaryDirectory() as folder:
        provider = make(Path(folder))
        began = time.perf_counter()
        await provider.open()
        started = time.perf_counter() - began
        try:
            return {
                "seconds": await _send_all(provider, job["count"], job["at_once"]),
                "start_ms": 1000 * started,
                "memory_mib": _mebibytes(provider.keeper.pid),
            }
        finally:
            await provider.close()


async def _send_all(provider: Provider, count: int, at_once: int) -> float:
    turns = iter(range(count))

    async def send_some() -> None:
        for number in turns:
            await provider.send(message(number))

    began = time.perf_counter()
    await asyncio.gather(*(send_some() for _ in range(at_once)))
    return time.perf_counter() - began


def message(number: int) -> Message:
    return Message(key=f"dlv_{number}", address="+989120000000", content=SmsContent(text=TEXT))


def _mebibytes(pid: int | None) -> float:
    """Of memory that the process holds, shared or not."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [resident] = [line for line in lines if line.startswith("VmRSS")]
    return int(resident.split()[1]) / 1024


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    for line in sys.stdin:
        print(json.dumps(uvloop.run(run(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
