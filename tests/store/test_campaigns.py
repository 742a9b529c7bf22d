"""Campaign definitions in the store."""

import pytest

from angarium.core.store import campaigns
from angarium.core.store.campaigns import MOVES, STATES
from angarium.core.store.protocol import Store, Transaction

NOW = 1_795_262_400_000


async def created(tx: Transaction, id_: str = "cmp_1", workspace: str = "default") -> None:
    await campaigns.create_campaign(tx, workspace, id_, "Cart", '{"name": "Cart"}', NOW)


async def activated(tx: Transaction, id_: str = "cmp_1") -> None:
    stored = await campaigns.lock_campaign(tx, "default", id_)
    assert stored is not None
    await campaigns.move(tx, "default", stored, "active", NOW + 1)


async def test_a_campaign_is_made_once(store: Store) -> None:
    async with store.transaction() as tx:
        await created(tx)
    async with store.transaction() as tx:
        again = await campaigns.create_campaign(tx, "default", "cmp_1", "X", "{}", NOW + 1)

    assert (again.name, again.version, again.created_at) == ("Cart", 1, NOW)
    assert again.body == {"name": "Cart"}


async def test_the_definition_of_every_version_stays(store: Store) -> None:
    async with store.transaction() as tx:
        await created(tx)
        stored = await campaigns.lock_campaign(tx, "default", "cmp_1")
        assert stored is not None
        revised = await campaigns.revise(tx, "default", stored, "Two", '{"name": "Two"}', NOW + 1)

    async with store.reading() as tx:
        assert await campaigns.find_campaign(tx, "default", "cmp_1") == revised
        first = await campaigns.find_definition(tx, "default", "cmp_1", 1)
        assert await campaigns.find_definition(tx, "default", "cmp_1", 3) is None
    assert first == '{"name": "Cart"}'


async def test_only_what_is_active_is_in_force_and_every_change_of_it_is_seen(
    store: Store,
) -> None:
    async with store.transaction() as tx:
        await created(tx)
        await created(tx, "cmp_2")
        assert await campaigns.definitions_revision(tx) == 0
        await activated(tx)

    async with store.reading() as tx:
        assert [active.id for active in await campaigns.active_campaigns(tx)] == ["cmp_1"]
        assert await campaigns.definitions_revision(tx) == 1


async def test_a_change_that_is_rolled_back_is_not_seen(store: Store) -> None:
    class Stop(Exception):
        pass

    async with store.transaction() as tx:
        await created(tx)

    async def fail() -> None:
        async with store.transaction() as tx:
            await activated(tx)
            raise Stop

    with pytest.raises(Stop):
        await fail()

    async with store.reading() as tx:
        assert await campaigns.active_campaigns(tx) == []
        assert await campaigns.definitions_revision(tx) == 0


async def test_a_move_to_where_it_stands_changes_nothing(store: Store) -> None:
    async with store.transaction() as tx:
        await created(tx)
        await activated(tx)
        await activated(tx)
        assert await campaigns.definitions_revision(tx) == 1


async def test_a_campaign_of_another_workspace_is_not_found(store: Store) -> None:
    async with store.transaction() as tx:
        await created(tx, workspace="other")
        assert await campaigns.lock_campaign(tx, "default", "cmp_1") is None
        assert await campaigns.find_definition(tx, "default", "cmp_1", 1) is None


async def test_figures_of_runs_are_summed_over_shards(store: Store) -> None:
    rows = [("default", "cmp_1", "enrolled", shard, 2) for shard in range(3)]
    async with store.transaction() as tx:
        await tx.many("count_campaigns", rows)

        assert await campaigns.campaign_totals(tx, "default", "cmp_1") == {"enrolled": 6}


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(STATES)
    assert all(moves <= set(STATES) for moves in MOVES.values())
