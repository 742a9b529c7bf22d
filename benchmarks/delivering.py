"""Have a real delivery worker send what is planned, and watch it from outside."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from angarium.core.store.outcomes import Dimensions, sum_counts
from benchmarks.machine import cpu_seconds
from benchmarks.model import Figures
from benchmarks.processes import BenchFailed, Plant, angarium, plant, running
from benchmarks.seeding import Reach, add_people, plain, plan_deliveries
from benchmarks.traffic import WORKSPACE, activate

LOOK_SECONDS = 0.01
LIMIT_SECONDS = 300.0
LAST_HOUR = 10**9

Worker = asyncio.subprocess.Process


class Job(msgspec.Struct, frozen=True):
    """Deliveries on one channel. content: of the campaign; environ: settings of its provider.

    reach: how people are reached on the channel.
    """

    channel: str
    content: Mapping[str, Any]
    environ: Mapping[str, str]
    reach: Callable[[int], Reach] = plain


def campaign(content: Mapping[str, Any], name: str = "Offer") -> dict[str, Any]:
    """A campaign whose gates look at everything that gates look at."""
    return {
        "name": name,
        "limit": {"per_person": 3, "within": "P7D"},
        "send_at": {"trigger": {"event": "Event 00"}},
        "content": content,
    }


async def deliver(folder: Path, count: int, job: Job) -> Figures:
    """Plan everything, then start a delivery worker, and wait until all is accepted."""
    shutil.rmtree(folder / "plant", ignore_errors=True)
    async with plant(folder / "plant") as works:
        [id] = await activate(works.store, [campaign(job.content)])
        await add_people(works.store, count // 2, 0, job.reach)
        await plan_deliveries(works.store, id, range(count), count // 2, job.channel)
        async with working(works, job.environ) as worker:
            return await timed(works, worker, count, [job.channel])


@asynccontextmanager
async def working(works: Plant, environ: Mapping[str, str]) -> AsyncGenerator[Worker]:
    """A delivery worker, as an operator starts it."""
    settings = works.environ | dict(environ)
    async with running("deliver", angarium("deliver"), works.folder, settings) as worker:
        yield worker


async def timed(works: Plant, worker: Worker, count: int, channels: Collection[str]) -> Figures:
    """Wait until `count` are accepted on these channels; how fast it was from the first on."""
    first = await until_accepted(works, worker, 1, channels)
    loop = asyncio.get_running_loop()
    began, cpu = loop.time(), cpu_seconds(worker.pid)
    await until_accepted(works, worker, count, channels)
    seconds, cpu = loop.time() - began, cpu_seconds(worker.pid) - cpu
    return {"rate": (count - first) / seconds, "rate_per_core": (count - first) / cpu}


async def until_accepted(
    works: Plant, worker: Worker, wanted: int, channels: Collection[str]
) -> int:
    """Wait until so many are accepted on these channels; gives how many are."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while (found := await count_states(works, channels))["accepted"] < wanted:
            if worker.returncode is not None:
                raise BenchFailed((works.folder / "deliver.log").read_text())
            if wrong := {name: found[name] for name in ENDED & found.keys() if found[name]}:
                raise BenchFailed(f"of the deliveries on {', '.join(channels)}: {wrong}")
            await asyncio.sleep(LOOK_SECONDS)
        return found["accepted"]


ENDED = frozenset({"failed", "in_doubt", "skipped", "cancelled"})
"""States that no delivery to be accepted has."""


async def count_states(works: Plant, channels: Collection[str]) -> Mapping[str, int]:
    """How many deliveries on these channels stand in each state, by name."""
    async with works.store.reading() as tx:
        apart = Dimensions(channel=True)
        figures = await sum_counts(tx, WORKSPACE, (0, LAST_HOUR), None, apart)
    found: Counter[str] = Counter()
    for one in figures:
        if one.kind == "state" and one.channel in channels:
            found[one.name] += one.count
    return found
