"""A delivery worker as the benchmarks start it."""

from pathlib import Path

import pytest

from benchmarks.delivering import Job, campaign, until_accepted, working
from benchmarks.processes import BenchFailed, plant
from benchmarks.seeding import add_people, plan_deliveries
from benchmarks.sick_neighbour import SICK, Size, open_shop
from benchmarks.sink_http import open_sink
from benchmarks.traffic import activate
from benchmarks.vendors import PUSH, VENDORS
from tests.benchmarks.sinks import listening

[FCM] = [one for one in VENDORS if one.provider == "push_fcm"]
[WEBHOOK] = [one for one in VENDORS if one.provider == "webhook_http"]


async def test_steady_traffic_is_accepted_and_its_latencies_are_told(tmp_path: Path) -> None:
    size = Size(backlog=30, ticks=3)
    async with listening(open_sink, tmp_path) as port, plant(tmp_path) as works:
        jobs = {job.channel: job for one in (FCM, WEBHOOK) for job in [one.job(tmp_path, port)]}
        environ = {name: text for job in jobs.values() for name, text in job.environ.items()}
        shop = await open_shop(works, jobs, size.all)
        for channel in jobs:
            await shop.plan(channel, range(size.backlog))
        async with working(works, environ) as worker:
            await until_accepted(works, worker, 2 * size.backlog, jobs)
            await shop.go_on(worker, size)
        latencies = await shop.latencies(size.backlog)
    assert shop.healthy == ["push", "webhook"]
    assert SICK not in shop.healthy
    assert 0 <= latencies["p50_ms"] <= latencies["p99_ms"]


async def test_a_delivery_that_is_not_accepted_spoils_the_measurement(tmp_path: Path) -> None:
    async with listening(open_sink, tmp_path) as port, plant(tmp_path) as works:
        job = Job("push", {"push": PUSH}, FCM.job(tmp_path, port).environ)
        [id] = await activate(works.store, [campaign(job.content)])
        await add_people(works.store, 5, 0, job.reach)  # none of them has a device
        await plan_deliveries(works.store, id, range(5), 5, job.channel)
        async with working(works, job.environ) as worker:
            with pytest.raises(BenchFailed, match=r"on push: .'skipped': 5"):
                await until_accepted(works, worker, 5, [job.channel])
