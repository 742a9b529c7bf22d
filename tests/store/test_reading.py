"""What the API reads of people and events; the routes' own tests read the rest."""

from collections.abc import AsyncIterator

import pytest

from angarium.core.store import reading
from angarium.core.store.catalogue import QUERIES
from angarium.core.store.errors import StoreError
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from tests.gateway.seed import NOON, SEEDING, Seed


@pytest.fixture
async def seed(store_url: str) -> AsyncIterator[Seed]:
    store = await open_store(store_url, queries=(QUERIES, SEEDING))
    yield Seed(store)
    await store.close()


async def found(store: Store, kind: str, value: str, workspace: str = "default") -> str | None:
    async with store.reading() as tx:
        profile = await reading.find_profile(tx, workspace, kind, value)
    return profile.id if profile else None


async def test_an_id_means_the_person_of_its_own_workspace(seed: Seed) -> None:
    await seed.person("u1", "prf_ours")
    await seed.person("u1", "prf_theirs", workspace="other")

    assert await found(seed.store, "user", "u1") == "prf_ours"
    assert await found(seed.store, "user", "u1", "other") == "prf_theirs"
    assert await found(seed.store, "anonymous", "u1") is None


async def test_an_anonymous_id_that_nobody_claimed_means_nobody(seed: Seed) -> None:
    await seed.identity("anonymous", "a1", None)

    assert await found(seed.store, "anonymous", "a1") is None


async def test_an_identity_whose_person_is_gone_means_nobody(seed: Seed) -> None:
    await seed.identity("user", "u1", "prf_gone")
    await seed.identity("anonymous", "a1", None, bindings=f'[[{NOON}, "u2"]]')

    assert await found(seed.store, "user", "u1") is None
    assert await found(seed.store, "anonymous", "a1") is None


async def test_merges_in_a_circle_end(seed: Seed) -> None:
    await seed.person("u1", "prf_1", merged_into="prf_2")
    await seed.person("u2", "prf_2", merged_into="prf_1")

    assert await found(seed.store, "user", "u1") is None


async def test_nothing_is_written_while_reading(seed: Seed) -> None:
    async with seed.store.reading() as tx:
        with pytest.raises(StoreError):
            await tx.run("seed_known_as", workspace="w", profile_id="p", anonymous_id="a")


async def test_types_are_those_of_the_events_asked_for(seed: Seed) -> None:
    for event, name in (("A", "x"), ("B", "y")):
        row = {"event": event, "property": name, "type": "number"}
        await seed.run("seed_property_type", **row)

    async with seed.store.reading() as tx:
        assert await reading.property_types(tx, "default", []) == {}
        types = await reading.property_types(tx, "default", ["A", "C"])
    assert types == {"A": {"x": "number"}, "C": {}}
