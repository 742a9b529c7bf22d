"""The keys in memory: how old they may be, and what holds while the store is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from angarium.core.store.errors import StoreUnavailable
from angarium.core.store.keys import make_key, revoke_key, save_key
from angarium.core.store.protocol import Dialect, Store, Transaction
from angarium.gateway.keyring import FRESH_MS, UNKNOWN_MS, Keyring
from tests.gateway.doors import Clock


class Cable:
    """The way to a real store, which a test may cut (`cut`) or block (`open` cleared)."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cut = False
        self.open = asyncio.Event()
        self.open.set()
        self.reads = 0

    @property
    def dialect(self) -> Dialect:
        return self.store.dialect

    async def migrate(self) -> int:
        return await self.store.migrate()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        self.reads += 1
        await self.open.wait()
        if self.cut:
            raise StoreUnavailable("cut")
        async with self.store.reading() as tx:
            yield tx

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self.store.transaction() as tx:
            yield tx

    async def close(self) -> None:
        await self.store.close()


@pytest.fixture
def cable(store: Store) -> Cable:
    return Cable(store)


@pytest.fixture
async def keyring(cable: Cable, clock: Clock) -> AsyncIterator[Keyring]:
    keyring = Keyring(cable, clock)
    yield keyring
    await keyring.close()


async def add(cable: Cable, text: str, expires_at: int | None = None) -> str:
    async with cable.transaction() as tx:
        return await save_key(tx, "default", "write", text, name="t", now=0, expires_at=expires_at)


async def test_a_key_is_found_with_its_workspace_and_scopes(cable: Cable, keyring: Keyring) -> None:
    text = make_key("write")
    id_ = await add(cable, text)

    holder = await keyring.find(text)

    assert holder is not None
    assert (holder.key, holder.workspace, holder.kind) == (id_, "default", "write")
    assert holder.may("ingest")


async def test_the_store_is_asked_once_in_a_while_only(
    cable: Cable, keyring: Keyring, clock: Clock
) -> None:
    text = make_key("write")
    await add(cable, text)

    await asyncio.gather(*[keyring.find(text) for _ in range(50)])
    assert cable.reads == 1
    clock.at += FRESH_MS - 1
    await keyring.find(text)
    assert cable.reads == 1
    clock.at += 1
    await asyncio.gather(*[keyring.find(text) for _ in range(50)])
    assert cable.reads == 2


async def test_a_revoked_key_opens_nothing_once_the_memory_is_old(
    cable: Cable, keyring: Keyring, clock: Clock
) -> None:
    text = make_key("write")
    id_ = await add(cable, text)
    await keyring.find(text)
    async with cable.transaction() as tx:
        await revoke_key(tx, "default", id_, clock.at)

    clock.at += FRESH_MS

    assert await keyring.find(text) is None


async def test_a_key_that_was_revoked_here_opens_nothing_at_once(
    cable: Cable, keyring: Keyring, clock: Clock
) -> None:
    text = make_key("write")
    id_ = await add(cable, text)
    await keyring.find(text)
    async with cable.transaction() as tx:
        await revoke_key(tx, "default", id_, clock.at)

    keyring.forget()

    assert await keyring.find(text) is None


async def test_a_key_expires_without_a_look_at_the_store(
    cable: Cable, keyring: Keyring, clock: Clock
) -> None:
    text = make_key("write")
    await add(cable, text, expires_at=clock.at + 10)

    assert await keyring.find(text) is not None
    clock.at += 10
    assert await keyring.find(text) is None
    assert cable.reads == 1


async def test_a_key_made_elsewhere_is_known_a_moment_later(
    cable: Cable, keyring: Keyring, clock: Clock
) -> None:
    text = make_key("write")
    assert await keyring.find(text) is None
    await add(cable, text)

    assert await keyring.find(text) is None
    clock.at += UNKNOWN_MS
    assert await keyring.find(text) is not None


async def test_wrong_keys_do_not_reach_the_store(
    cable: Cable, keyring: Keyring, clock: Clock
) -> None:
    await keyring.find("wrong")
    clock.at += UNKNOWN_MS

    for n in range(100):
        assert await keyring.find(f"ang_wk_{n:049}") is None
        assert await keyring.find(make_key("write")) is None

    assert cable.reads == 2, "one at first, and one for all the genuine ones together"


async def test_what_was_known_holds_while_the_store_is_away(
    cable: Cable, keyring: Keyring, clock: Clock
) -> None:
    text = make_key("write")
    await add(cable, text)
    await keyring.find(text)

    cable.cut = True
    clock.at += 100 * FRESH_MS
    assert await keyring.find(text) is not None
    assert await keyring.find(make_key("write")) is None

    cable.cut = False
    clock.at += FRESH_MS
    await keyring.find(text)
    await asyncio.sleep(0)
    assert cable.reads == 3


async def test_nobody_waits_for_a_store_that_does_not_answer(
    cable: Cable, keyring: Keyring, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = make_key("write")
    await add(cable, text)
    await keyring.find(text)

    monkeypatch.setattr("angarium.gateway.keyring.PATIENCE_SECONDS", 0.01)
    cable.open.clear()
    clock.at += FRESH_MS

    assert await keyring.find(text) is not None
    assert await keyring.find(text) is not None
    assert cable.reads == 2


async def test_before_the_first_look_nobody_is_judged(cable: Cable, keyring: Keyring) -> None:
    cable.cut = True

    with pytest.raises(StoreUnavailable):
        await keyring.find(make_key("write"))

    cable.cut = False
    text = make_key("write")
    await add(cable, text)
    assert await keyring.find(text) is not None


async def test_a_clock_that_goes_back_means_looking_again(
    cable: Cable, keyring: Keyring, clock: Clock
) -> None:
    await keyring.find("wrong")
    clock.at -= 3_600_000

    await keyring.find("wrong")

    assert cable.reads == 2
