"""P11: `angarium up` in an empty directory: until it is ready, and what it then holds in memory."""

import asyncio
import shutil
from functools import partial
from pathlib import Path

from benchmarks.machine import family, memory_mib
from benchmarks.model import Bar, Bench, Case, Figures, Row, interleave, median
from benchmarks.processes import ADMIN_KEY, WRITE_KEY, angarium, running, until_up

QUIET_SECONDS = 3.0


async def measure(bench: Bench) -> tuple[list[Row], list[Bar]]:
    row = await interleave(bench, "an empty directory", [partial(_start, bench.folder / "up")])
    bars = [
        Bar("seconds until ready", median(row, "ready_s"), 3.0, "at_most"),
        Bar("MiB in memory", median(row, "memory_mib"), 350.0, "at_most"),
    ]
    return [row], bars


async def _start(folder: Path) -> Figures:
    shutil.rmtree(folder, ignore_errors=True)
    environ = {
        "ANGARIUM_DATA_DIR": str(folder / "data"),
        "ANGARIUM_HTTP_PORT": "0",
        "ANGARIUM_ADMIN_KEY": ADMIN_KEY,
        "ANGARIUM_WRITE_KEY": WRITE_KEY,
    }
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with running("up", angarium("up"), folder, environ) as up:
        await until_up(folder, up)
        ready = loop.time() - began
        await asyncio.sleep(QUIET_SECONDS)
        pids = family(up.pid)
        memory = memory_mib(pids)
    return {"ready_s": ready, "memory_mib": memory, "processes": len(pids)}


CASE = Case(
    "P11", "`angarium up` in an empty directory: time until ready, memory", "", "s, MiB", measure
)
