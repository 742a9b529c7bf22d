"""The directory of push addresses keeps what devices have, on both stores."""

from uuid import uuid4

import pytest

from angarium.core.people.devices import address_key
from angarium.core.store import devices as directory
from angarium.core.store.attempts import Suppressed
from angarium.core.store.protocol import Store
from angarium.core.workers.deaths import bury
from angarium.core.workers.old_addresses import (
    BEGINNING,
    KEPT,
    LOOKED_AT,
    forget_left_addresses,
)
from angarium.core.workers.sweeper import Sweeper
from tests.workers.offices import Office
from tests.workers.people import NOW, apply, everybody
from tests.workers.test_devices import on_phone, reached

LATER = NOW + KEPT + 1_000


async def sweep(store: Store, now: int) -> int:
    place, total = BEGINNING, 0
    while True:
        async with store.transaction() as tx:
            place, count = await forget_left_addresses(tx, place, now)
        total += count
        if place == BEGINNING:
            return total


async def known(store: Store, *tokens: str) -> set[str]:
    """Those of these tokens that the directory knows."""
    async with store.reading() as tx:
        page = await directory.page_addresses(tx, BEGINNING, 10_000)
    keys = {key for _, key, _, _ in page}
    return {token for token in tokens if address_key(token) in keys}


async def test_an_address_that_its_device_left_is_forgotten_in_time(store: Store) -> None:
    workspace = uuid4().hex
    await apply(store, workspace, [on_phone("m1", 1, "u1", "t1"), on_phone("m2", 2, "u1", "t2")])

    assert await sweep(store, NOW + KEPT) == 0
    assert await sweep(store, LATER) == 1
    assert await known(store, "t1", "t2") == {"t2"}


async def test_an_address_that_a_device_has_is_never_forgotten(store: Store) -> None:
    workspace = uuid4().hex
    await apply(store, workspace, [on_phone("m1", 1, "u1", "t1")])
    await sweep(store, LATER * 2)
    async with store.transaction() as tx:
        await bury(tx, [Suppressed(workspace, "push", "t1", "bounced", NOW + 5, "gone")])

    assert await known(store, "t1") == {"t1"}
    assert reached(await everybody(store, workspace)) == {"u1": "address_dead"}


async def test_a_device_that_went_to_somebody_else_keeps_its_address(store: Store) -> None:
    workspace = uuid4().hex
    await apply(store, workspace, [on_phone("m1", 1, "u1", "t1")])
    await apply(store, workspace, [on_phone("m2", 2, "u2")])

    assert await sweep(store, LATER) == 0
    assert reached(await everybody(store, workspace)) == {"u2": "t1"}


async def test_an_address_that_died_lately_is_still_known(store: Store) -> None:
    workspace = uuid4().hex
    await apply(store, workspace, [on_phone("m1", 1, "u1", "t1")])
    async with store.transaction() as tx:
        await bury(tx, [Suppressed(workspace, "push", "t1", "bounced", NOW + KEPT, "gone")])
    await apply(store, workspace, [on_phone("m2", 2, "u1", "t2")])

    assert await sweep(store, LATER) == 0
    assert await sweep(store, LATER + KEPT) == 1


async def test_the_address_of_a_device_that_was_dropped_is_forgotten(store: Store) -> None:
    workspace = uuid4().hex
    await apply(store, workspace, [on_phone("m1", 1, "u1", "t1")])
    async with store.transaction() as tx:
        await tx.run("drop_devices", workspace=workspace, ids=["phone"])

    assert await sweep(store, LATER) == 1


@pytest.mark.parametrize("tokens", [LOOKED_AT - 1, LOOKED_AT, LOOKED_AT + 3])
async def test_all_are_looked_at_a_page_after_the_other(store: Store, tokens: int) -> None:
    rows = [("default", f"adr_{n:04}", "gone", 1, 0, None, "") for n in range(tokens)]
    async with store.transaction() as tx:
        await tx.many("save_push_addresses", rows)

    assert await sweep(store, LATER) == tokens


async def test_the_sweeper_does_it(office: Office) -> None:
    rows = [("default", "adr_1", "gone", 1, 0, None, "")]
    async with office.store.transaction() as tx:
        await tx.many("save_push_addresses", rows)
    office.now = LATER
    await Sweeper(office.store, office.publisher, lambda: office.now).sweep()
    async with office.store.reading() as tx:
        assert await directory.page_addresses(tx, BEGINNING, 10) == []
