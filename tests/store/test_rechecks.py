"""What is looked at again at the hand-over, on both stores, with two workers at once."""

import asyncio
from typing import Any

import pytest

from angarium.core.delivery.rules import Received
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import HOUR
from angarium.core.store.attempts import Suppressed, hand_over, suppress
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from angarium.core.store.rechecks import Seen, list_received
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import (
    claimed,
    commit,
    in_flight,
    judged,
    planned,
    row,
    save_person,
    states,
)

S = DeliveryState
SINCE = NOW - HOUR
ADDRESS = ("default", "email", "ann@example.org")


async def test_an_address_suppressed_since_the_gates_looked_is_judged_again(store: Store) -> None:
    await planned(store, new_delivery())
    (claim,) = await claimed(store)
    async with store.transaction() as tx:
        await suppress(tx, [Suppressed("default", "email", "Ann@Example.org", "complained", NOW)])
    verdict = judged(claim, seen=Seen(ADDRESS))
    assert await commit(store, lambda tx, c: hand_over(tx, [verdict], c, NOW)) == set()
    assert (await row(store)).state is S.PLANNED


async def test_an_address_that_nothing_speaks_against_is_sent_to(store: Store) -> None:
    await planned(store, new_delivery())
    (claim,) = await claimed(store)
    async with store.transaction() as tx:
        await suppress(tx, [Suppressed("default", "sms", "ann@example.org", "complained", NOW)])
    verdict = judged(claim, seen=Seen(ADDRESS))
    assert await commit(store, lambda tx, c: hand_over(tx, [verdict], c, NOW)) == {claim.key}


async def test_a_cap_counts_what_went_out_since_the_gates_looked(store: Store) -> None:
    other = new_delivery("dlv_2", campaign="cmp_2")
    await planned(store, new_delivery("dlv_1"), other)
    first, second = await claimed(store)
    seen = Seen(since=SINCE)
    one, two = judged(first, seen=seen), judged(second, seen=seen)
    assert await commit(store, lambda tx, c: hand_over(tx, [one], c, NOW)) == {first.key}
    assert await commit(store, lambda tx, c: hand_over(tx, [two], c, NOW)) == set()
    assert await states(store) == {"handed": 1, "planned": 1}


async def test_what_the_gates_counted_already_does_not_stand_in_the_way(store: Store) -> None:
    await in_flight(store, new_delivery("dlv_1"))
    await planned(store, new_delivery("dlv_2"))
    (claim,) = await claimed(store)
    seen = Seen(since=SINCE, received=(Received(NOW, "marketing"),))
    verdict = judged(claim, seen=seen)
    assert await commit(store, lambda tx, c: hand_over(tx, [verdict], c, NOW)) == {claim.key}


async def test_of_two_workers_at_once_one_message_passes_a_cap_of_one(
    store: Store, store_url: str
) -> None:
    """40 people, two messages each, handed over at the same time through two connections."""
    for n in range(40):
        await save_person(store, f"prf_{n}")
    both = [
        new_delivery(f"dlv_{n:02}_{k}", profile_id=f"prf_{n}", campaign=f"cmp_{k}")
        for n in range(40)
        for k in "ab"
    ]
    await planned(store, *both)
    claims = {claim.id: claim for claim in await claimed(store)}
    other = await open_store(store_url)

    async def hand(through: Store, id: str) -> int:
        verdict = judged(claims[id], seen=Seen(since=SINCE), revision=1)
        return len(await commit(through, lambda tx, c: hand_over(tx, [verdict], c, NOW)))

    async def race(n: int) -> int:
        return sum(await asyncio.gather(hand(store, f"dlv_{n:02}_a"), hand(other, f"dlv_{n:02}_b")))

    try:
        sent = await asyncio.gather(*(race(n) for n in range(40)))
    finally:
        await other.close()
    assert set(sent) == {1}
    assert await states(store) == {"handed": 40, "planned": 40}


@pytest.mark.parametrize(
    ("changes", "counted"),
    [
        ({}, 1),
        ({"test": True}, 0),
        ({"class_": "transactional"}, 1),
        ({"profile_id": "prf_2"}, 0),
        ({"workspace": "other"}, 0),
    ],
)
async def test_what_counts_is_what_the_person_was_sent(
    store: Store, changes: dict[str, Any], counted: int
) -> None:
    new = new_delivery(**changes)
    await in_flight(store, new)
    async with store.reading() as tx:
        found = await list_received(tx, {("default", "prf_1", SINCE)})
        later = await list_received(tx, {("default", "prf_1", NOW + 1)})
    expected = [Received(NOW, new.class_)] * counted
    assert (found.get(("default", "prf_1"), []), later) == (expected, {})


async def test_what_was_never_handed_over_does_not_count(store: Store) -> None:
    await planned(store, new_delivery("dlv_1"), new_delivery("dlv_2"))
    await claimed(store, limit=1)
    async with store.reading() as tx:
        assert await list_received(tx, {("default", "prf_1", 0)}) == {}


@pytest.mark.parametrize(
    ("reactions", "sent"),
    [("{}", True), ('{"dismissed": [1, 1]}', True), ('{"opened": [1, 1]}', False)],
)
async def test_who_reacted_to_the_message_before_does_not_get_the_next(
    store: Store, reactions: str, sent: bool
) -> None:
    """S1.14: a late reaction, between the judgement and the hand-over."""
    await in_flight(store, new_delivery("dlv_1"))
    await planned(store, new_delivery("dlv_2"))
    (claim,) = await claimed(store)
    async with store.transaction() as tx:
        await tx.many("save_reactions", [("default", "dlv_1", reactions)])
    seen = Seen(earlier=("dlv_1", "dlv_that_is_gone"), unless=frozenset({"opened", "clicked"}))
    verdict = judged(claim, seen=seen)
    done = await commit(store, lambda tx, c: hand_over(tx, [verdict], c, NOW))
    assert bool(done) == sent
