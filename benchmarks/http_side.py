"""What the HTTP cases share: a gateway, its floor, and a load generator, each a process."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec

from benchmarks.machine import cpu_seconds
from benchmarks.model import Figures
from benchmarks.processes import (
    ADMIN_KEY,
    READY_SECONDS,
    WRITE_KEY,
    BenchFailed,
    angarium,
    ask_for,
    free_port,
    ours,
    plant,
    running,
)

Process = asyncio.subprocess.Process


class Doors(msgspec.Struct, frozen=True):
    """The ports and processes of both sides."""

    folder: Path
    gateway_port: int
    gateway_pid: int
    broker_pid: int
    floor_port: int
    load: Process

    async def fire(self, port: int, path: str, bodies: Path, **job: float) -> Mapping[str, float]:
        """Have the load generator do a job; raises BenchFailed if anything was refused."""
        target = {"port": port, "path": path, "key": WRITE_KEY, "bodies": str(bodies)}
        found = cast("dict[str, float]", await ask_for(self.load, {**target, "warm": 0.5, **job}))
        if found["failures"] or not found["answers"]:
            raise BenchFailed(f"{path}: {found}")
        return found

    async def real(self, path: str, bodies: Path, per: int = 1, **job: float) -> Figures:
        """The gateway's rate, in requests times `per`; and what a core of it could do."""
        cpu = cpu_seconds(self.gateway_pid)
        found = await self.fire(self.gateway_port, path, bodies, **job)
        cpu = (cpu_seconds(self.gateway_pid) - cpu) * found["seconds"] / (found["seconds"] + 0.5)
        rate = found["answers"] * per / found["seconds"]
        return {
            "rate": rate,
            "rate_per_core": found["answers"] * per / cpu,
            "p50_ms": found["p50_ms"],
            "p99_ms": found["p99_ms"],
        }

    async def least(self, path: str, bodies: Path, per: int = 1, **job: float) -> Figures:
        """The floor's rate."""
        found = await self.fire(self.floor_port, path, bodies, **job)
        return {"floor": found["answers"] * per / found["seconds"], "floor_p99_ms": found["p99_ms"]}


@asynccontextmanager
async def doors(folder: Path) -> AsyncGenerator[Doors]:
    """Start everything."""
    async with AsyncExitStack() as stack:
        works = await stack.enter_async_context(plant(folder))
        port, floor_port = free_port(), free_port()
        keys = {"ANGARIUM_ADMIN_KEY": ADMIN_KEY, "ANGARIUM_WRITE_KEY": WRITE_KEY}
        environ = works.environ | keys | {"ANGARIUM_HTTP_PORT": str(port)}

        def start(name: str, command: Sequence[str]) -> Any:
            return stack.enter_async_context(running(name, list(command), folder, environ))

        gateway: Process = await start("gateway", angarium("gateway"))
        await start("floor", ours("http_floor", str(floor_port)))
        load: Process = await start("load", ours("http_load"))
        for one in (port, floor_port):
            await _until_open(one)
        yield Doors(folder, port, gateway.pid, works.nats_pid, floor_port, load)


async def _until_open(port: int) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
