"""Who gets tests, on both stores."""

from angarium.core.store.protocol import Store
from angarium.core.store.testers import Marked, add_tester, list_testers, remove_tester


async def test_testers_are_listed_by_user_id(store: Store) -> None:
    async with store.transaction() as tx:
        for at, user in enumerate(("b", "a", "c", "b")):
            assert await add_tester(tx, "default", user, at, most=3)
        await add_tester(tx, "other", "d", 9, most=3)

    async with store.reading() as tx:
        found = await list_testers(tx, "default", 2)
        rest = await list_testers(tx, "default", 2, found[-1].user_id)

    assert (found, rest) == ([Marked("a", 1), Marked("b", 0)], [Marked("c", 2)])


async def test_one_too_many_is_told(store: Store) -> None:
    async with store.transaction() as tx:
        assert await add_tester(tx, "default", "a", 1, most=1)
        assert await add_tester(tx, "default", "a", 2, most=1)
        assert not await add_tester(tx, "default", "b", 3, most=1)


async def test_who_is_not_marked_cannot_be_unmarked(store: Store) -> None:
    async with store.transaction() as tx:
        await add_tester(tx, "default", "a", 1, most=3)
        assert not await remove_tester(tx, "other", "a")
        assert await remove_tester(tx, "default", "a")
        assert not await remove_tester(tx, "default", "a")
