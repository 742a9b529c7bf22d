"""Keys at rest: what is stored, what is in force, what a text gives away."""

import re

import pytest

from angarium.core.store.keys import (
    Kind,
    find_key,
    hash_key,
    is_genuine,
    list_keys,
    load_link_secret,
    load_live_keys,
    make_key,
    revoke_key,
    save_key,
)
from angarium.core.store.protocol import Store

NOW = 1_795_262_400_000
NEWEST = (2**62, "")


async def add(
    store: Store,
    text: str,
    kind: Kind = "write",
    *,
    now: int = NOW,
    expires_at: int | None = None,
) -> str:
    async with store.transaction() as tx:
        return await save_key(
            tx, "default", kind, text, name="a name", now=now, expires_at=expires_at
        )


@pytest.mark.parametrize(("kind", "prefix"), [("write", "ang_wk_"), ("admin", "ang_ak_")])
def test_a_made_key_is_known_by_its_prefix_and_checksum(kind: Kind, prefix: str) -> None:
    text = make_key(kind)

    assert re.fullmatch(prefix + "[0-9A-Za-z]{49}", text)
    assert is_genuine(text)
    assert make_key(kind) != text


@pytest.mark.parametrize("wrong", ["", "ang_wk_", "operators-own-key", "ang_xx_" + "0" * 49])
def test_other_texts_are_not_genuine(wrong: str) -> None:
    assert not is_genuine(wrong)


def test_every_mistyped_letter_is_noticed() -> None:
    text = make_key("write")

    for place in range(len(text)):
        letter = "a" if text[place] != "a" else "b"
        assert not is_genuine(text[:place] + letter + text[place + 1 :])


async def test_only_the_hash_of_a_key_is_stored(store: Store) -> None:
    text = make_key("admin")

    id_ = await add(store, text, "admin")

    async with store.reading() as tx:
        key = await find_key(tx, "default", id_)
        live = await load_live_keys(tx, NOW)
    assert key is not None
    assert (key.hint, key.scopes, key.created_at) == (f"ang_ak_…{text[-4:]}", ["*"], NOW)
    assert list(live) == [hash_key(text)]
    assert text not in repr((key, live))


async def test_an_operators_own_key_shows_only_its_end(store: Store) -> None:
    id_ = await add(store, "operators-own-key")

    async with store.reading() as tx:
        key = await find_key(tx, "default", id_)
    assert key is not None
    assert key.hint == "…-key"


async def test_a_key_is_in_force_until_it_expires(store: Store) -> None:
    await add(store, "expiring-key", expires_at=NOW + 10)

    async with store.reading() as tx:
        assert len(await load_live_keys(tx, NOW + 9)) == 1
        assert len(await load_live_keys(tx, NOW + 10)) == 0


async def test_a_revoked_key_stays_revoked_when_it_is_saved_again(store: Store) -> None:
    id_ = await add(store, "from-settings")
    async with store.transaction() as tx:
        await revoke_key(tx, "default", id_, NOW + 1)
        await revoke_key(tx, "default", id_, NOW + 2)

    assert await add(store, "from-settings", now=NOW + 3) == id_

    async with store.reading() as tx:
        key = await find_key(tx, "default", id_)
        assert await load_live_keys(tx, NOW + 4) == {}
    assert key is not None
    assert key.revoked_at == NOW + 1


async def test_keys_are_listed_newest_first_in_pages(store: Store) -> None:
    ids = [await add(store, f"key-number-{n}", now=NOW + n // 2) for n in range(5)]
    seen: list[str] = []
    before = NEWEST
    while True:
        async with store.reading() as tx:
            page = await list_keys(tx, "default", before=before, most=2)
        if not page:
            break
        before = (page[-1].created_at, page[-1].id)
        seen += [key.id for key in page]

    assert sorted(seen) == sorted(ids)
    assert seen[0] == ids[4]
    async with store.reading() as tx:
        assert await list_keys(tx, "another", before=NEWEST, most=10) == []


async def test_the_link_secret_is_made_with_the_schema(store: Store) -> None:
    async with store.reading() as tx:
        assert len(await load_link_secret(tx)) == 32
