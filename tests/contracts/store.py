"""What every store must do, whatever the engine; see also transactions.py.

A suite is `class TestX(StoreContract)` with two fixtures: `store`, open, with the queries and
tables of `things.sql`; and `rival`, a second store open on the same database.
"""

import json
from typing import Any

import pytest

from angarium.core.store.errors import QueryMistake, Refused, StoreUnavailable
from angarium.core.store.protocol import Store

WORDS = ["سلام", "می\u200cروم", "😀", "O'Brien; -- \\", "{json} :id", "", "a\nb\tc", "ﷺ"]


async def things(store: Store) -> list[Any]:
    async with store.reading() as tx:
        return [tuple(row) for row in await tx.fetch("list_things")]


async def add(store: Store, *ids: str, number: int = 0) -> None:
    async with store.transaction() as tx:
        await tx.many("save_things", [(id, number, None, None) for id in ids])


class StoreContract:
    async def test_what_is_committed_is_there(self, store: Store) -> None:
        await add(store, "a")

        assert await things(store) == [("a", 0, None, None)]

    async def test_an_exception_rolls_everything_back(self, store: Store) -> None:
        async def work() -> None:
            async with store.transaction() as tx:
                await tx.run("add_number", id="a", number=1)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await work()
        assert await things(store) == []

    async def test_a_transaction_sees_its_own_writes(self, store: Store) -> None:
        async with store.transaction() as tx:
            await tx.run("add_number", id="a", number=1)

            assert list(await tx.fetch("count_things")) == [(1,)]

    async def test_run_says_how_many_rows_changed(self, store: Store) -> None:
        async with store.transaction() as tx:
            assert await tx.run("add_number", id="a", number=1) == 1
            await tx.run("add_number", id="b", number=2)
            assert await tx.run("set_number", id="b", number=3) == 1
            assert await tx.run("set_number", id="absent", number=3) == 0
            assert await tx.run("raise_above", floor=0) == 2
            assert await tx.run("delete_things") == 2

    async def test_returning_gives_rows(self, store: Store) -> None:
        await add(store, "a", number=40)
        async with store.transaction() as tx:
            assert list(await tx.fetch("raise_number", id="a", by=2)) == [(42,)]
            assert list(await tx.fetch("raise_number", id="absent", by=2)) == []

    async def test_rows_can_be_unpacked(self, store: Store) -> None:
        await add(store, "a", "b", number=7)
        async with store.reading() as tx:
            assert [(id, number) for id, number, _, _ in await tx.fetch("list_things")] == [
                ("a", 7),
                ("b", 7),
            ]

    async def test_many_writes_hundreds_of_rows_over_what_is_there(self, store: Store) -> None:
        await add(store, "0007", number=-1)
        rows = [(f"{n:04}", n, json.dumps({"n": n}), n % 2 == 0) for n in range(700)]
        async with store.transaction() as tx:
            await tx.many("save_things", rows)

        found = [(id, n, json.loads(text), bool(flag)) for id, n, text, flag in await things(store)]
        assert found == [(id, n, json.loads(text), flag) for id, n, text, flag in rows]

    async def test_many_without_rows_does_nothing(self, store: Store) -> None:
        async with store.transaction() as tx:
            await tx.many("save_things", [])

        assert await things(store) == []

    async def test_rows_of_a_wrong_width_are_a_mistake(self, store: Store) -> None:
        async with store.transaction() as tx:
            with pytest.raises(QueryMistake, match="rows of 4 values"):
                await tx.many("save_things", [("a", 1)])

    async def test_a_list_finds_rows(self, store: Store) -> None:
        await add(store, "a", "b", "c", number=2**60)
        async with store.reading() as tx:
            assert list(await tx.fetch("find_things", ids=["c", "a", "x"])) == [("a",), ("c",)]
            assert list(await tx.fetch("find_things", ids=[])) == []
            assert len(await tx.fetch("find_numbers", numbers=(1, 2**60))) == 3

    async def test_pairs_find_rows(self, store: Store) -> None:
        await add(store, "a", "b", "c", number=2**60 + 1)
        keys = [("a", 2**60 + 1, "first"), ("b", 1, None), ("c", 2**60 + 1, None)]
        async with store.reading() as tx:
            assert list(await tx.fetch("match_things", keys=keys)) == [("first", "a"), (None, "c")]
            assert list(await tx.fetch("match_things", keys=[])) == []

    async def test_pairs_carry_every_type_into_an_insert(self, store: Store) -> None:
        await add(store, "b", number=-5)
        given = [("a", 1, '{"x":[1,null]}', True), ("b", 2, None, False), ("c", None, "3", False)]
        async with store.transaction() as tx:
            added = [id for (id,) in await tx.fetch("add_absent_things", given=given)]

        assert sorted(added) == ["a", "c"]
        first, second, third = await things(store)
        assert (first[1], json.loads(first[2]), bool(first[3])) == (1, {"x": [1, None]}, True)
        assert second == ("b", -5, None, None)
        assert (third[1], json.loads(third[2]), bool(third[3])) == (None, 3, False)

    @pytest.mark.parametrize("text", WORDS)
    async def test_text_comes_back_as_it_went(self, store: Store, text: str) -> None:
        await add(store, text)
        async with store.reading() as tx:
            assert list(await tx.fetch("find_things", ids=[text, "other"])) == [(text,)]
            assert [row[1] for row in await tx.fetch("ask_literals", value=text)] == [text]

    @pytest.mark.parametrize("text", WORDS)
    async def test_json_is_text_both_ways(self, store: Store, text: str) -> None:
        document = {"name": text, "list": [1, 2.5, None, True], "big": 2**53 + 1, "تو": {}}
        async with store.transaction() as tx:
            for id, flag in (("a", True), ("b", False)):
                dumped = json.dumps(document, ensure_ascii=flag)
                await tx.run("add_thing", id=id, number=None, document=dumped, flag=flag)

        for _, _, found, _ in await things(store):
            assert isinstance(found, str)
            assert json.loads(found) == document

    @pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0, 2**53 + 1])
    async def test_numbers_have_64_bits(self, store: Store, number: int) -> None:
        async with store.transaction() as tx:
            await tx.run("add_number", id="a", number=number)
            await tx.many("save_things", [("b", number, None, None)])

        assert [row[1] for row in await things(store)] == [number, number]

    @pytest.mark.parametrize("flag", [True, False])
    async def test_booleans_keep_their_truth(self, store: Store, flag: bool) -> None:
        async with store.transaction() as tx:
            await tx.run("add_thing", id="a", number=1, document="{}", flag=flag)

        assert [bool(row[3]) for row in await things(store)] == [flag]

    async def test_literals_and_comments_hold_no_parameters(self, store: Store) -> None:
        async with store.reading() as tx:
            assert list(await tx.fetch("ask_literals", value="v")) == [(":id {json} ':x'", "v")]

    async def test_a_query_of_one_engine_is_found(self, store: Store) -> None:
        async with store.reading() as tx:
            assert ("things",) in list(await tx.fetch("table_names"))


class MistakesContract:
    @pytest.mark.parametrize(
        ("query", "params", "message"),
        [
            ("absent", {}, "no query 'absent'"),
            ("add_number", {"id": "a"}, "takes id, number; given: id"),
            ("add_number", {"id": "a", "number": 1, "more": 2}, "given: id, more, number"),
            ("save_things", {}, "call it with many"),
        ],
    )
    async def test_a_wrong_call_is_a_mistake(
        self, store: Store, query: str, params: dict[str, Any], message: str
    ) -> None:
        async with store.transaction() as tx:
            with pytest.raises(QueryMistake, match=message):
                await tx.run(query, **params)
            with pytest.raises(QueryMistake, match=message):
                await tx.fetch(query, **params)

    async def test_many_needs_a_query_for_rows(self, store: Store) -> None:
        async with store.transaction() as tx:
            with pytest.raises(QueryMistake, match="call it with run"):
                await tx.many("add_number", [("a", 1)])

    @pytest.mark.parametrize(
        "params",
        [{"id": "a", "number": 1}, {"id": None, "number": 1}, {"id": "b", "number": 2**63}],
        ids=["unique", "null", "too big"],
    )
    async def test_what_can_never_be_stored_is_refused(
        self, store: Store, params: dict[str, Any]
    ) -> None:
        await add(store, "a")
        with pytest.raises(Refused) as caught:
            async with store.transaction() as tx:
                await tx.run("add_number", **params)

        assert caught.value.__cause__ is not None
        assert len(await things(store)) == 1

    async def test_half_a_character_is_refused(self, store: Store) -> None:
        with pytest.raises(Refused):
            await add(store, "\ud800")

    async def test_nothing_is_written_while_reading(self, store: Store) -> None:
        with pytest.raises(Refused):
            async with store.reading() as tx:
                await tx.run("add_number", id="a", number=1)

        assert await things(store) == []

    async def test_an_ended_transaction_does_nothing_more(self, store: Store) -> None:
        async with store.transaction() as tx:
            pass
        with pytest.raises(QueryMistake, match="ended"):
            await tx.run("add_number", id="a", number=1)
        with pytest.raises(QueryMistake, match="ended"):
            await tx.many("save_things", [("a", 1, None, None)])
        with pytest.raises(QueryMistake, match="ended"):
            await tx.fetch("list_things")

    async def test_a_task_cannot_begin_twice(self, store: Store) -> None:
        async with store.transaction():
            with pytest.raises(QueryMistake, match="already"):
                async with store.transaction():
                    pass

    async def test_a_closed_store_is_unavailable(self, rival: Store) -> None:
        await rival.close()
        with pytest.raises(StoreUnavailable):
            async with rival.transaction():
                pass
        with pytest.raises(StoreUnavailable):
            async with rival.reading():
                pass
