"""Have a real core process work off a backlog of messages, and watch it from outside."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from angarium.core.bus.subjects import EVENTS
from angarium.core.store import positions
from angarium.core.store.protocol import Store
from benchmarks.machine import cpu_seconds, memory_mib
from benchmarks.processes import BenchFailed, Plant, angarium, running
from benchmarks.traffic import publish

LOOK_SECONDS = 0.005
LIMIT_SECONDS = 600.0


class Drained(msgspec.Struct, frozen=True):
    """What it did from its first commit that was seen to its last one.

    seconds: on the clock. cpu: seconds of processor that the core process used.
    """

    messages: int
    seconds: float
    cpu: float
    memory_mib: float

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    @property
    def rate_per_core(self) -> float:
        return self.messages / self.cpu


async def drain(plant: Plant, batches: Sequence[Sequence[bytes]]) -> Drained:
    """Publish everything, then start the core, and stop it when all is applied."""
    state = await plant.bus.stream_state(EVENTS)
    first = state.last_sequence
    await publish(plant.bus, batches)
    async with running("core", angarium("core"), plant.folder, plant.environ) as core:
        position = await _until(plant.store, first + 1, core)
        loop = asyncio.get_running_loop()
        began, cpu = loop.time(), cpu_seconds(core.pid)
        await _until(plant.store, first + len(batches), core)
        seconds, cpu = loop.time() - began, cpu_seconds(core.pid) - cpu
        memory = memory_mib([core.pid])
    done = sum(len(batch) for batch in batches[position - first :])
    return Drained(done, seconds, cpu, memory)


async def _until(store: Store, wanted: int, core: asyncio.subprocess.Process) -> int:
    """Wait until the position has reached `wanted`; gives where it is then."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            async with store.reading() as tx:
                position, _ = await positions.load_position(tx, EVENTS, 0)
            if position >= wanted:
                return position
            if core.returncode is not None:
                raise BenchFailed(f"the core ended with status {core.returncode}")
            await asyncio.sleep(LOOK_SECONDS)


def sqlite_file(plant: Plant) -> Path:
    """The database file of a plant."""
    return plant.folder / "angarium.db"
