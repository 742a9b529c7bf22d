"""A lane does its jobs one after the other, whoever waits for them."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from angarium.core.store.lane import Lane


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane("test")
    yield lane
    lane.stop()


async def test_jobs_are_done_in_order_in_one_other_thread(lane: Lane) -> None:
    done: list[int] = []
    threads: set[int] = set()

    def job(number: int) -> int:
        done.append(number)
        threads.add(threading.get_ident())
        return number * 2

    futures = [lane.put(partial(job, number)) for number in range(50)]

    assert await asyncio.gather(*futures) == [number * 2 for number in range(50)]
    assert done == list(range(50))
    assert len(threads - {threading.get_ident()}) == len(threads) == 1


async def test_an_exception_reaches_who_waits_and_nobody_else(lane: Lane) -> None:
    failing = lane.put(lambda: 1 // 0)
    following = lane.put(lambda: 1)
    with pytest.raises(ZeroDivisionError):
        await failing

    assert await following == 1


async def test_a_job_is_done_though_nobody_waits_any_more(lane: Lane) -> None:
    gate = threading.Event()
    done = threading.Event()
    lane.put(gate.wait)
    unwanted = lane.put(done.set)
    unwanted.cancel()
    gate.set()
    await lane.put(lambda: None)

    assert done.is_set()


def test_a_job_may_outlive_its_event_loop(lane: Lane) -> None:
    gate = threading.Event()

    async def leave() -> None:
        lane.put(gate.wait)

    async def come_back() -> int:
        return await lane.put(lambda: 1)

    asyncio.run(leave())
    gate.set()
    assert asyncio.run(come_back()) == 1


def test_stopping_finishes_what_is_queued() -> None:
    lane = Lane("test")
    done = threading.Event()

    async def work() -> None:
        lane.put(done.set)
        lane.stop()

    asyncio.run(work())
    assert done.wait(10)
