"""How plugins fare is kept for as long as somebody tells it."""

import msgspec

from angarium.core.store.plugins import PluginHealth, forget_health, list_health, save_health
from angarium.core.store.protocol import Store

HEALTH = PluginHealth(
    plugin="chat_bale",
    serves="chat_bale",
    process="deliver",
    host="one",
    pid=7,
    state="runs",
    failures=0,
    last="",
    at=1_000,
)


def changed(**changes: object) -> PluginHealth:
    return msgspec.structs.replace(HEALTH, **changes)


async def test_the_last_word_of_each_process_is_kept(store: Store) -> None:
    async with store.transaction() as tx:
        await save_health(tx, HEALTH)
        await save_health(tx, changed(pid=8))
        await save_health(tx, changed(state="aside", failures=5, last="called exit()", at=2_000))

    async with store.reading() as tx:
        assert await list_health(tx, 0) == [
            changed(state="aside", failures=5, last="called exit()", at=2_000),
            changed(pid=8),
        ]
        assert [one.pid for one in await list_health(tx, 1_500)] == [7]


async def test_what_is_old_or_ones_own_is_forgotten(store: Store) -> None:
    async with store.transaction() as tx:
        for health in (HEALTH, changed(pid=8, at=5_000), changed(pid=9, at=5_000)):
            await save_health(tx, health)
        await forget_health(tx, 2_000, [changed(pid=9)])

    async with store.reading() as tx:
        assert [one.pid for one in await list_health(tx, 0)] == [8]
