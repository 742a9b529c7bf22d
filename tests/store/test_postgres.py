"""What is particular to PostgreSQL: conflicts, lost connections, restarts."""

import asyncio
import os
import signal

import asyncpg
import pytest

from angarium.core.store import postgres as postgres_module
from angarium.core.store.errors import Contention, StoreUnavailable
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from tests.contracts.store import add
from tests.databases import PostgresServer
from tests.store.conftest import opened


async def backend(tx: Transaction) -> int:
    [(pid, _)] = await tx.fetch("name_database")
    return int(pid)


async def test_a_deadlock_is_contention_and_passes_when_tried_again(
    postgres_things: Store,
) -> None:
    await add(postgres_things, "a", "b")
    meeting = asyncio.Barrier(2)
    conflicts: list[Contention] = []

    async def raise_both(first: str, second: str) -> None:
        async def work(tx: Transaction) -> None:
            try:
                await tx.run("raise_number", id=first, by=1)
                if not conflicts:
                    await meeting.wait()
                await tx.run("raise_number", id=second, by=1)
            except Contention as error:
                conflicts.append(error)
                raise

        await transact(postgres_things, work)

    await asyncio.gather(raise_both("a", "b"), raise_both("b", "a"))
    assert isinstance(conflicts[0].__cause__, asyncpg.DeadlockDetectedError)
    async with postgres_things.reading() as tx:
        assert [number for _, number, _, _ in await tx.fetch("list_things")] == [2, 2]


async def test_a_lock_that_is_not_to_be_had_is_contention(
    postgres_url: str, postgres_things: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(postgres_things, "a")
    settings = {**postgres_module.SETTINGS, "lock_timeout": "10ms"}
    monkeypatch.setattr(postgres_module, "SETTINGS", settings)
    async with opened(postgres_url) as impatient, postgres_things.transaction() as tx:
        await tx.run("set_number", id="a", number=1)
        with pytest.raises(Contention):
            await add(impatient, "a", number=2)


async def test_all_connections_busy_for_too_long_is_contention(
    postgres_things: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = asyncio.Barrier(postgres_module.CONNECTIONS + 1)
    done = asyncio.Event()

    async def occupy() -> None:
        async with postgres_things.reading():
            await ready.wait()
            await done.wait()

    tasks = [asyncio.create_task(occupy()) for _ in range(postgres_module.CONNECTIONS)]
    await ready.wait()
    monkeypatch.setattr(postgres_module, "ACQUIRE_SECONDS", 0.05)
    with pytest.raises(Contention, match="busy"):
        async with postgres_things.reading():
            pass
    done.set()
    await asyncio.gather(*tasks)


async def test_a_lost_connection_is_unavailable_and_the_next_one_works(
    postgres_things: Store, postgres: PostgresServer
) -> None:
    await add(postgres_things, "a")

    async def lose() -> None:
        async with postgres_things.transaction() as tx:
            await tx.run("set_number", id="a", number=1)
            await postgres.execute(f"select pg_terminate_backend({await backend(tx)})")
            await tx.run("set_number", id="a", number=2)

    with pytest.raises(StoreUnavailable) as caught:
        await lose()
    assert caught.value.__cause__ is not None
    async with postgres_things.transaction() as tx:
        assert [number for _, number, _, _ in await tx.fetch("list_things")] == [0]


async def test_a_connection_lost_while_idle_is_replaced(
    postgres_things: Store, postgres: PostgresServer
) -> None:
    async with postgres_things.reading() as tx:
        pid = await backend(tx)
    await postgres.execute(f"select pg_terminate_backend({pid}, 10000)")

    async with asyncio.timeout(30):
        await _until_served(postgres_things)


async def test_the_pool_survives_a_crash_of_the_server(
    postgres_things: Store,
) -> None:
    """Killing one backend makes the server throw out all, recover, and begin anew."""
    await add(postgres_things, "a", number=7)

    async def crash() -> None:
        async with postgres_things.transaction() as tx:
            os.kill(await backend(tx), signal.SIGKILL)
            await tx.fetch("take_long")

    with pytest.raises(StoreUnavailable):
        await crash()
    await _until_served(postgres_things)
    async with postgres_things.transaction() as tx:
        assert list(await tx.fetch("lock_thing", id="a")) == [(7,)]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody@127.0.0.1:1/none?connect_timeout=5",
        "postgresql://nobody@/none?host=/nowhere",
        "postgresql://u@127.0.0.1:none/x",
    ],
)
async def test_a_server_that_is_not_there_is_unavailable(url: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        await open_store(url)
    assert caught.value.__cause__ is not None


async def test_a_database_that_is_not_there_is_unavailable(postgres: PostgresServer) -> None:
    with pytest.raises(StoreUnavailable, match="does not exist"):
        await open_store(postgres.url("absent"))


async def test_more_tasks_may_write_than_there_are_connections(postgres_things: Store) -> None:
    await asyncio.gather(*(add(postgres_things, f"t{n:03}") for n in range(60)))
    async with postgres_things.reading() as tx:
        assert list(await tx.fetch("count_things")) == [(60,)]


async def _until_served(store: Store) -> None:
    while True:
        try:
            async with store.reading() as tx:
                await tx.fetch("count_things")
                return
        except StoreUnavailable:
            await asyncio.sleep(0.05)
