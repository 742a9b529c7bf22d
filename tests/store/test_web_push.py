"""The instance's key for web push: the first one stays."""

from angarium.core.store.protocol import Store
from angarium.core.store.web_push import find_web_push_key, keep_web_push_key


async def test_the_first_key_stays(store: Store) -> None:
    async with store.reading() as tx:
        assert await find_web_push_key(tx) == ""
    async with store.transaction() as tx:
        assert await keep_web_push_key(tx, "first") == "first"
    async with store.transaction() as tx:
        assert await keep_web_push_key(tx, "second") == "first"
    async with store.reading() as tx:
        assert await find_web_push_key(tx) == "first"
