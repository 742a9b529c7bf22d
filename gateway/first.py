"""Prepare the store of an instance, new or old: schema, workspace, first keys."""

from collections.abc import Mapping
from typing import Final

from angarium.config.settings import Keys, Settings
from angarium.core.store.keys import Kind, list_keys, make_key, save_key
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Transaction
from angarium.core.store.retry import transact

WORKSPACE: Final = "default"
NEWEST: Final = (2**62, "")  # before which every key was made


async def prepare_store(settings: Settings, now: int) -> tuple[int, Mapping[Kind, str]]:
    """Bring the schema up to date; give its version and the keys that were made just now.

    Raises StoreError.
    """

    async def work(tx: Transaction) -> Mapping[Kind, str]:
        return await save_first_keys(tx, settings.keys, now)

    store = await open_store(settings.database.url)
    try:
        version = await store.migrate()
        return version, await transact(store, work)
    finally:
        await store.close()


async def save_first_keys(tx: Transaction, keys: Keys, now: int) -> Mapping[Kind, str]:
    """Store the keys of the settings; of a kind that has none at all, make one and return it."""
    there = {key.kind for key in await list_keys(tx, WORKSPACE, before=NEWEST, most=1_000)}
    made: dict[Kind, str] = {}
    given: dict[Kind, str] = {"admin": keys.admin, "write": keys.write}
    for kind, text in given.items():
        if text:
            await save_key(tx, WORKSPACE, kind, text, name="from the settings", now=now)
        elif kind not in there:
            made[kind] = make_key(kind)
            await save_key(tx, WORKSPACE, kind, made[kind], name="first", now=now)
    return made
