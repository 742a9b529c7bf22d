"""How transactions of every store live beside each other, and how they end.

Fixtures as in store.py.
"""

import asyncio

import pytest

from angarium.core.store.errors import Contention, Refused
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from tests.contracts.store import add, things


class IsolationContract:
    async def test_a_reader_keeps_its_snapshot(self, store: Store, rival: Store) -> None:
        await add(store, "a")
        async with store.reading() as tx:
            before = list(await tx.fetch("list_things"))
            await add(store, "b")
            await add(rival, "c")

            assert list(await tx.fetch("list_things")) == before
        assert len(await things(store)) == 3

    async def test_a_store_may_be_closed_under_a_reader(self, rival: Store) -> None:
        async with rival.reading() as tx:
            await tx.fetch("list_things")
            closing = asyncio.create_task(rival.close())
            await asyncio.sleep(0)
        await closing

    async def test_nobody_sees_what_is_not_committed(self, store: Store, rival: Store) -> None:
        async with store.transaction() as tx:
            await tx.run("add_number", id="a", number=1)

            assert await things(store) == []
            assert await things(rival) == []

    async def test_many_readers_beside_a_writer(self, store: Store) -> None:
        await add(store, "a")
        async with store.transaction() as tx:
            await tx.run("add_number", id="b", number=1)
            found = await asyncio.gather(*(things(store) for _ in range(20)))

        assert all(len(rows) == 1 for rows in found)

    async def test_transactions_of_many_tasks_do_not_lose_updates(
        self, store: Store, rival: Store
    ) -> None:
        await add(store, "a")

        async def count_up(tx: Transaction) -> None:
            [(number,)] = await tx.fetch("lock_thing", id="a")
            await tx.run("set_number", id="a", number=number + 1)

        stores = [store, rival] * 10
        await asyncio.gather(*(transact(of, count_up, attempts=50) for of in stores))
        assert [row[1] for row in await things(store)] == [20]


class CancellationContract:
    async def test_a_cancelled_transaction_rolls_back(self, store: Store) -> None:
        written = asyncio.Event()

        async def work() -> None:
            async with store.transaction() as tx:
                await tx.run("add_number", id="a", number=1)
                written.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await written.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await things(store) == []
        await add(store, "b")
        assert [row[0] for row in await things(store)] == ["b"]

    async def test_a_transaction_may_be_cancelled_while_it_waits(self, store: Store) -> None:
        async with store.transaction() as tx:
            await tx.run("add_number", id="a", number=1)
            task = asyncio.create_task(add(store, "a"))
            await asyncio.sleep(0)  # it begins to wait: for the store, or for the row
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        assert await things(store) == [("a", 1, None, None)]

    @pytest.mark.parametrize("kind", ["transaction", "reading"])
    async def test_a_statement_under_way_is_interrupted(self, store: Store, kind: str) -> None:
        begun = asyncio.Event()

        async def work() -> None:
            block = store.transaction() if kind == "transaction" else store.reading()
            async with block as tx:
                if kind == "transaction":
                    await tx.run("add_number", id="a", number=1)
                begun.set()
                await tx.fetch("take_long")

        task = asyncio.create_task(work())
        await begun.wait()
        await asyncio.sleep(0)  # the statement is on its way
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await things(store) == []
        await add(store, "b")

    async def test_cancelled_anywhere_it_leaves_all_or_nothing(self, store: Store) -> None:
        """The task is cancelled after 0, 1, 2, … rounds of the event loop, to its very end."""
        for rounds in range(60):
            async with store.transaction() as tx:
                await tx.run("delete_things")
            task = asyncio.create_task(_add_two(store))
            for _ in range(rounds):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

            assert len(await things(store)) in (0, 2)


async def _add_two(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.run("add_number", id="a", number=1)
        await tx.run("add_number", id="b", number=1)


class RetryContract:
    async def test_contention_is_tried_again(self, store: Store) -> None:
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        async def work(tx: Transaction) -> str:
            await tx.run("add_number", id="a", number=len(waits))
            if len(waits) < 3:
                raise Contention
            return "done"

        assert await transact(store, work, sleep=sleep, jitter=lambda: 0.5) == "done"
        assert waits == [0.01, 0.02, 0.04]
        assert await things(store) == [("a", 3, None, None)]

    async def test_it_is_not_tried_for_ever(self, store: Store) -> None:
        runs = 0

        async def sleep(_seconds: float) -> None:
            return None

        async def work(_tx: Transaction) -> None:
            nonlocal runs
            runs += 1
            raise Contention

        with pytest.raises(Contention):
            await transact(store, work, attempts=4, sleep=sleep)
        assert runs == 4

    async def test_nothing_else_is_tried_again(self, store: Store) -> None:
        runs = 0

        async def work(tx: Transaction) -> None:
            nonlocal runs
            runs += 1
            await tx.run("add_number", id=None, number=1)

        with pytest.raises(Refused):
            await transact(store, work)
        assert runs == 1
