"""HOL: what a provider that never answers costs the others of the same delivery worker.

Three providers on three channels, one worker. In turns: all have work, and one of them answers
nothing, so that each of its messages ends in a time-out; and that one has no work.
"""

import asyncio
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import msgspec

from angarium.core.bus.subjects import deliver_subject
from benchmarks.bare import bare
from benchmarks.delivering import (
    Job,
    Worker,
    campaign,
    count_states,
    timed,
    until_accepted,
    working,
)
from benchmarks.model import Bar, Bench, Case, Figures, Row, interleave, median
from benchmarks.processes import BenchFailed, Plant, plant
from benchmarks.seeding import Reach, add_people, plan_deliveries
from benchmarks.traffic import activate
from benchmarks.vendors import AT_ONCE, SMS, VENDORS, settings, sinking

HEALTHY = ("push_fcm", "webhook_http")
SICK = "sms"
HALF_SECOND = 0.5
"""To connect, and to answer: then the sick one has timed out. With the usual 10 and 30 seconds no
time-out would fall into a measurement."""
SICK_DELIVERIES = 3_000
"""More than it can get rid of meanwhile."""
TICK_SECONDS = 0.05
AT_A_TICK = 2
"""Deliveries planned on each healthy channel: forty a second. At a hundred the disk was busy with
nothing but commits, and what the slowest wait for then is chance."""


class Size(msgspec.Struct, frozen=True):
    """What each healthy channel is given. backlog: deliveries, of which the rate is told. ticks:
    of steady traffic afterwards, of which the p99 is told."""

    backlog: int
    ticks: int

    @property
    def all(self) -> int:
        return self.backlog + self.ticks * AT_A_TICK


FULL = Size(3_000, 600)
QUICK = Size(500, 50)


async def measure(bench: Bench) -> tuple[list[Row], list[Bar]]:
    size = QUICK if bench.quick else FULL
    async with sinking("sink_http", bench.folder) as port:
        jobs = {
            job.channel: job
            for vendor in VENDORS
            if vendor.provider in HEALTHY
            for job in [vendor.job(bench.folder, port)]
        }
        jobs[SICK] = _never_answered(port)
        sides = [
            partial(_beside, bench.folder, jobs, size),
            partial(_without, bench.folder, jobs, size),
        ]
        row = await interleave(bench, "push and webhook, beside sms", sides)
    slower = median(row, "p99_ms") / median(row, "floor_p99_ms")
    bars = [
        Bar("rate beside a sick one, of the rate without", median(row, "ratio"), 0.9),
        Bar("p99 beside a sick one, times the p99 without", slower, 1.1, "at_most"),
    ]
    return [row], bars


def _never_answered(port: int) -> Job:
    environ = settings(
        "sms_http",
        url=f"http://127.0.0.1:{port}/silence",
        body='{"to":"{to}","text":"{text}"}',
        allow_private="true",
        connect_seconds=HALF_SECOND,
        answer_seconds=HALF_SECOND,
        connections=AT_ONCE,  # with fewer, some would wait for a connection, and it be paused
    )
    return Job(SICK, {"sms": SMS}, environ)


Jobs = Mapping[str, Job]
"""By channel."""


async def _beside(folder: Path, jobs: Jobs, size: Size) -> Figures:
    """All have work."""
    found = await _round(folder / "beside", jobs, size, SICK_DELIVERIES)
    if not found["timeouts"]:
        raise BenchFailed("the sick provider was asked nothing, or answered")
    return found


async def _without(folder: Path, jobs: Jobs, size: Size) -> Figures:
    """The sick one has none: what the others can do."""
    found = await _round(folder / "without", jobs, size, 0)
    return {
        "floor": found["rate"],
        "floor_p50_ms": found["p50_ms"],
        "floor_p99_ms": found["p99_ms"],
    }


async def _round(folder: Path, jobs: Jobs, size: Size, sick: int) -> Figures:
    shutil.rmtree(folder, ignore_errors=True)
    environ = {name: text for job in jobs.values() for name, text in job.environ.items()}
    async with plant(folder) as works:
        shop = await open_shop(works, jobs, max(size.all, sick) // 2)
        for channel in jobs:
            await shop.plan(channel, range(sick if channel == SICK else size.backlog))
        async with working(works, environ) as worker:
            found = await timed(works, worker, size.backlog * len(shop.healthy), shop.healthy)
            await shop.go_on(worker, size)
            ended = await count_states(works, [SICK])
        return {**found, **await shop.latencies(size.backlog), "timeouts": ended["in_doubt"]}


class Shop(msgspec.Struct, frozen=True):
    """A plant with a campaign on each channel, by name."""

    works: Plant
    campaigns: Mapping[str, str]
    people: int

    @property
    def healthy(self) -> list[str]:
        return [channel for channel in self.campaigns if channel != SICK]

    async def plan(self, channel: str, numbers: range) -> None:
        """Have these deliveries be due now, as the core does it."""
        id = self.campaigns[channel]
        await plan_deliveries(self.works.store, id, numbers, self.people, channel)
        await self.works.bus.notify(deliver_subject(channel))

    async def go_on(self, worker: Worker, size: Size) -> None:
        """Steady traffic on the healthy channels, until all of it is accepted."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for tick in range(size.ticks):
            first = size.backlog + tick * AT_A_TICK
            for channel in self.healthy:
                await self.plan(channel, range(first, first + AT_A_TICK))
            await asyncio.sleep(max(0.0, began + (tick + 1) * TICK_SECONDS - loop.time()))
        await until_accepted(self.works, worker, size.all * len(self.healthy), self.healthy)

    async def latencies(self, backlog: int) -> Figures:
        """Of the steady traffic, from when it was due to when the provider had accepted it."""
        table = await bare(self.works.database).read("deliveries", ("due_at", "id"))
        places = [table.columns.index(name) for name in ("channel", "due_at", "accepted_at")]
        found = [tuple(row[place] for place in places) for row in table.rows]
        seconds: list[int] = []
        for channel in self.healthy:
            mine = [accepted - due for name, due, accepted in found if name == channel]
            seconds += mine[backlog:]
        seconds.sort()
        return {"p50_ms": seconds[len(seconds) // 2], "p99_ms": seconds[len(seconds) * 99 // 100]}


async def open_shop(works: Plant, jobs: Jobs, people: int) -> Shop:
    """A shop with people whom every channel reaches."""
    ids = await activate(works.store, [campaign(job.content, name) for name, job in jobs.items()])
    await add_people(works.store, people, 0, partial(_reach, jobs))
    return Shop(works, dict(zip(jobs, ids, strict=True)), people)


def _reach(jobs: Jobs, who: int) -> Reach:
    """By every channel's way."""
    reaches = [job.reach(who) for job in jobs.values()]
    attributes = {name: text for one in reaches for name, text in one.attributes.items()}
    return Reach(attributes, next((one.device for one in reaches if one.device), None))


CASE = Case(
    "HOL",
    "Two channels of a worker beside a third whose provider never answers",
    "the same worker while the third has nothing to send",
    "deliveries/s",
    measure,
)
