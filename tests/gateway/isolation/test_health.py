"""What is told of plugins costs the store little, however they behave."""

import asyncio

import pytest

from angarium.core.store.plugins import list_health
from angarium.core.store.protocol import Store
from angarium.gateway.isolation.health import keepers_of, telling
from tests.delivery.examples import NOW
from tests.gateway.isolation.conftest import Load
from tests.parts.waiting import until


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """It does not matter here which."""
    return sqlite_url


async def test_one_that_behaves_and_breaks_in_turns_does_not_write_each_time(
    store: Store, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take the writing of a small store from everybody else."""
    monkeypatch.setattr("angarium.gateway.isolation.health.PAUSE_SECONDS", 3600.0)
    [keeper] = keepers_of([load().create_provider("sms_rogue", {})])

    async def told() -> list[int]:
        async with store.reading() as tx:
            return [one.failures for one in await list_health(tx, 0)]

    async def any_told() -> bool:
        return bool(await told())

    async with telling(store, "deliver", [keeper], lambda: NOW):
        await until(any_told)
        for _ in range(20):
            keeper.broke("raised KeyError")
            keeper.behaved()
            await told()  # time enough for a write
            await asyncio.sleep(0)

        assert await told() == [0]
