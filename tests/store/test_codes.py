"""Promo codes on both stores: one for each delivery, and never one for two."""

import asyncio
from collections import Counter

import pytest

from angarium.core.store.codes import (
    CodeList,
    Wanted,
    add_codes,
    create_list,
    find_list,
    give_codes,
    page_lists,
)
from angarium.core.store.ledger import Key
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from angarium.core.store.retry import transact

NOW = 1_000
LIST = "cdl_1"


async def made(store: Store, *codes: str, id_: str = LIST, name: str = "Spring") -> CodeList | None:
    """A list of these codes."""
    async with store.transaction() as tx:
        await create_list(tx, "default", id_, name, NOW)
        await add_codes(tx, "default", id_, codes)
        return await find_list(tx, "default", id_)


async def given(
    store: Store, *deliveries: str, of: str = LIST, workspace: str = "default"
) -> dict[Key, str]:
    wanted = [Wanted(workspace, of, delivery) for delivery in deliveries]
    return await transact(store, lambda tx: give_codes(tx, wanted, NOW))


async def figures(store: Store, ref: str = LIST) -> tuple[int, int]:
    async with store.reading() as tx:
        found = await find_list(tx, "default", ref)
    assert found is not None
    return found.total, found.free


async def test_codes_are_given_in_the_order_of_their_upload(store: Store) -> None:
    await made(store, "B", "A", "C")

    assert await given(store, "dlv_2", "dlv_1") == {
        ("default", "dlv_2"): "B",
        ("default", "dlv_1"): "A",
    }
    assert await figures(store) == (3, 1)


async def test_a_delivery_keeps_its_code_whoever_asks_again(store: Store) -> None:
    await made(store, "A", "B")
    await made(store, "X", id_="cdl_2", name="Autumn")
    first = await given(store, "dlv_1")

    assert await given(store, "dlv_1") == first
    assert await given(store, "dlv_1", of="cdl_2") == first
    assert await given(store, "dlv_1", "dlv_1") == first
    assert await figures(store) == (2, 1)


async def test_a_list_is_found_by_its_id_or_its_name(store: Store) -> None:
    await made(store, "A", "B")

    assert await given(store, "dlv_1", of="Spring") == {("default", "dlv_1"): "A"}
    assert await figures(store, "Spring") == (2, 1)


@pytest.mark.parametrize("of", [LIST, "Nothing"])
async def test_who_comes_too_late_gets_none(store: Store, of: str) -> None:
    await made(store, "A")
    await given(store, "dlv_1")

    assert await given(store, "dlv_2", "dlv_3", of=of) == {}
    assert await figures(store) == (1, 0)


async def test_what_is_left_goes_to_the_first(store: Store) -> None:
    await made(store, "A")

    assert await given(store, "dlv_2", "dlv_1") == {("default", "dlv_2"): "A"}


async def test_a_code_that_the_list_has_is_not_added_again(store: Store) -> None:
    await made(store, "A", "A", "B")
    await given(store, "dlv_1")

    async with store.transaction() as tx:
        assert await add_codes(tx, "default", LIST, ["B", "A", "C", "C"]) == 1
    assert await figures(store) == (3, 2)


async def test_the_same_code_may_stand_in_two_lists(store: Store) -> None:
    await made(store, "A")
    await made(store, "A", id_="cdl_2", name="Autumn")

    assert await figures(store, "cdl_2") == (1, 1)


async def test_a_name_belongs_to_one_list_of_a_workspace(store: Store) -> None:
    await made(store)

    async with store.transaction() as tx:
        assert await create_list(tx, "default", "cdl_2", "Spring", NOW) is None
        assert await create_list(tx, "default", LIST, "Other", NOW) == CodeList(
            LIST, "Spring", 0, 0, NOW
        )
        assert await create_list(tx, "other", "cdl_2", "Spring", NOW) is not None


async def test_another_workspace_takes_nothing(store: Store) -> None:
    await made(store, "A")

    assert await given(store, "dlv_1", workspace="other") == {}
    assert await figures(store) == (1, 1)


async def test_lists_are_paged_newest_first(store: Store) -> None:
    async with store.transaction() as tx:
        for number in range(3):
            await create_list(tx, "default", f"cdl_{number}", f"List {number}", NOW + number)
    async with store.reading() as tx:
        first = await page_lists(tx, "default", (2**53, ""), 2)
        rest = await page_lists(tx, "default", (first[-1].created_at, first[-1].id), 2)

    assert [one.id for one in (*first, *rest)] == ["cdl_2", "cdl_1", "cdl_0"]


async def test_many_workers_at_once_give_no_code_twice(store_url: str, store: Store) -> None:
    """Two processes' worth of stores; batches overlap, and codes are uploaded meanwhile."""
    other = await open_store(store_url)
    await made(store, *(f"A{n}" for n in range(60)))
    await made(store, *(f"B{n}" for n in range(20)), id_="cdl_2", name="Autumn")

    async def work(worker: int) -> dict[Key, str]:
        mine: dict[Key, str] = {}
        of = store if worker % 2 else other
        for start in range(0, 40, 8):
            batch = [f"dlv_{n}" for n in range(start + worker, start + worker + 12)]
            wanted = [
                Wanted("default", (LIST, "Autumn")[int(one[4:]) % 4 == 0], one) for one in batch
            ]
            mine |= await transact(of, lambda tx, wanted=wanted: give_codes(tx, wanted, NOW))
        return mine

    new = [f"C{n}" for n in range(10)]
    uploading = asyncio.create_task(
        transact(store, lambda tx: add_codes(tx, "default", "cdl_2", new))
    )
    found = await asyncio.gather(*(work(number) for number in range(6)))
    added = await uploading
    await other.close()

    codes: dict[Key, str] = {}
    for mine in found:
        for key, code in mine.items():
            assert codes.setdefault(key, code) == code
    assert max(Counter(codes.values()).values()) == 1
    assert added == 10
    total, free = await figures(store)
    more, left = await figures(store, "Autumn")
    assert (total - free) + (more - left) == len(codes)
