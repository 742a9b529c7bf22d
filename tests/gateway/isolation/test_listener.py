"""Report listeners of a stranger's plugin: called here, running there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from angarium.config.settings import Plugins as PluginsSettings
from angarium.core.workers.listeners import Unavailable
from angarium.gateway.isolation.home import make_home
from angarium.gateway.isolation.listener import (
    IsolatedListener,
    ListenerFailed,
    isolate_listeners,
)
from angarium.plugins.reports import Report

POINT = ("sms_rogue", "angarium_rogue")
Make = Callable[..., IsolatedListener]


@pytest.fixture
async def make(environ: Mapping[str, str]) -> AsyncIterator[Make]:
    made: list[IsolatedListener] = []

    def make(**settings: Any) -> IsolatedListener:
        home = make_home(PluginsSettings(environ=("ROGUE_LOG",), **settings), environ)
        [listener] = isolate_listeners(POINT, ["rogue_keep"], home).values()
        assert isinstance(listener, IsolatedListener)
        made.append(listener)
        return listener

    yield make
    for listener in made:
        await listener.close()


def report(delivery: str = "dlv_1") -> Report:
    return Report(
        sequence=7,
        workspace="default",
        delivery=delivery,
        campaign="cmp_1",
        version=1,
        channel="sms",
        status="accepted",
        at="2026-01-01T00:00:00.000Z",
        profile="prf_1",
    )


async def test_it_hears_what_it_is_told(make: Make, environ: Mapping[str, str]) -> None:
    listener = make()

    await listener(report("dlv_heard"))

    assert "dlv_heard accepted" in Path(environ["ROGUE_LOG"]).read_text()


async def test_one_that_raises_says_no_more_than_what(make: Make) -> None:
    listener = make()
    with capture_logs() as lines, pytest.raises(ListenerFailed, match="raised KeyError"):
        await listener(report("raise"))
    await listener(report())

    assert "secret" not in str(lines)


@pytest.mark.parametrize("delivery", ["exit", "block"])
async def test_one_that_dies_is_away_until_it_is_started_again(make: Make, delivery: str) -> None:
    listener = make(hang_seconds=2.0)

    with pytest.raises(ListenerFailed, match="its process"):
        await listener(report(delivery))
    with pytest.raises(Unavailable):
        await listener(report())
    await asyncio.sleep(listener.keeper.rest)
    await listener(report())


async def test_one_that_is_put_aside_is_away(make: Make) -> None:
    listener = make(failures=1)

    with pytest.raises(ListenerFailed):
        await listener(report("raise"))
    with pytest.raises(Unavailable, match="put aside after 1 failures"):
        await listener(report())
