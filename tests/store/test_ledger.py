"""The ledger on both stores."""

import asyncio

import msgspec
import pytest

from angarium.core.delivery.status import DeliveryState
from angarium.core.store.ledger import Withdrawal, cancel, move_profile, release, take_back
from angarium.core.store.open import open_store
from angarium.core.store.outbox import list_outbox
from angarium.core.store.protocol import Store
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import claimed, commit, in_flight, planned, row, states

S = DeliveryState


async def test_planning_twice_plans_once(store: Store) -> None:
    assert await planned(store, new_delivery("dlv_1"), new_delivery("dlv_2")) == ["dlv_1", "dlv_2"]
    assert await planned(store, new_delivery("dlv_2"), new_delivery("dlv_3")) == ["dlv_3"]
    assert await states(store) == {"planned": 3}


async def test_a_delivery_named_twice_in_one_call_is_planned_once(store: Store) -> None:
    assert await planned(store, new_delivery(), new_delivery()) == ["dlv_1"]
    assert await states(store) == {"planned": 1}


async def test_planning_reports_each_new_delivery(store: Store) -> None:
    await planned(store, new_delivery(request_id="req_1"))
    async with store.reading() as tx:
        (outbox,) = await list_outbox(tx, NOW, 10)
    ((subject, body),) = outbox.messages
    assert subject == "angarium.reports.default.email.planned"
    assert msgspec.json.decode(body) == {
        "delivery": "dlv_1",
        "campaign": "cmp_1",
        "version": 1,
        "step": "",
        "channel": "email",
        "provider": "",
        "status": "planned",
        "reason": "",
        "at": "2027-01-15T08:00:00.000Z",
        "profile": "prf_1",
        "requestId": "req_1",
    }


async def test_a_claim_takes_what_is_due_on_its_channel_the_longest_due_first(store: Store) -> None:
    await planned(
        store,
        new_delivery("dlv_1", due_at=NOW - 1),
        new_delivery("dlv_2", due_at=NOW - 3),
        new_delivery("dlv_3", due_at=NOW + 1),
        new_delivery("dlv_4", due_at=NOW - 2),
        new_delivery("dlv_5", channel="sms"),
    )
    taken = await claimed(store, limit=2)
    assert {one.id for one in taken} == {"dlv_2", "dlv_4"}
    assert {(one.state, one.worker, one.generation) for one in taken} == {(S.CLAIMED, "w1", 1)}
    assert [await row(store, one.id) for one in taken] == taken
    assert [one.id for one in await claimed(store, "w2")] == ["dlv_1"]
    assert await states(store) == {"planned": 2, "claimed": 3}


async def test_workers_that_claim_at_once_never_get_the_same_delivery(
    store: Store, store_url: str
) -> None:
    await planned(store, *(new_delivery(f"dlv_{n:03}") for n in range(200)))
    other = await open_store(store_url)
    try:
        rounds = [claimed(which, f"w{n}", limit=15) for n, which in enumerate([store, other] * 10)]
        taken = [one for some in await asyncio.gather(*rounds) for one in some]
    finally:
        await other.close()
    assert len(taken) == len({one.id for one in taken})
    taken += await claimed(store)
    assert len({one.id for one in taken}) == 200
    assert await states(store) == {"claimed": 200}


@pytest.mark.parametrize(
    ("withdrawal", "left"),
    [
        (Withdrawal("default", "prf_1", "cmp_1"), {"other_campaign", "other_person"}),
        (Withdrawal("default", "prf_1"), {"other_person"}),
        (
            Withdrawal("default", "prf_1", "cmp_1", until=NOW),
            {"later", "other_campaign", "other_person"},
        ),
        (
            Withdrawal("default", "prf_1", "cmp_1", same_device=True, device="d2"),
            {"on_device", "other_campaign", "other_person"},
        ),
        (
            Withdrawal("default", "prf_1", "cmp_1", same_device=True),
            {"on_device", "other_campaign", "other_person"},
        ),
        (
            Withdrawal("elsewhere", "prf_1"),
            {"now", "later", "on_device", "other_campaign", "other_person"},
        ),
    ],
)
async def test_cancelling_takes_exactly_what_was_withdrawn(
    store: Store, withdrawal: Withdrawal, left: set[str]
) -> None:
    await planned(
        store,
        new_delivery("now", triggered_at=NOW),
        new_delivery("later", triggered_at=NOW + 1),
        new_delivery("on_device", device="d1"),
        new_delivery("other_campaign", campaign="cmp_2"),
        new_delivery("other_person", profile_id="prf_2"),
    )
    gone = await commit(
        store, lambda tx, changes: cancel(tx, [withdrawal], "stopped", changes, NOW)
    )
    assert {one.id for one in await claimed(store)} == left
    assert {(one.state, one.reason) for one in gone} <= {(S.CANCELLED, "stopped")}
    assert len(gone) == 5 - len(left)


async def test_several_withdrawals_that_overlap_cancel_each_delivery_once(store: Store) -> None:
    await planned(store, new_delivery())
    both = [Withdrawal("default", "prf_1", "cmp_1"), Withdrawal("default", "prf_1")]
    gone = await commit(store, lambda tx, changes: cancel(tx, both, "stopped", changes, NOW))
    assert [one.id for one in gone] == ["dlv_1"]
    assert await states(store) == {"cancelled": 1}


async def test_a_claimed_delivery_can_still_be_cancelled(store: Store) -> None:
    await planned(store, new_delivery())
    (mine,) = await claimed(store)
    withdrawn = [Withdrawal("default", "prf_1")]
    await commit(store, lambda tx, changes: cancel(tx, withdrawn, "stopped", changes, NOW))
    now = await row(store)
    assert (now.state, now.generation, now.worker) == (S.CANCELLED, mine.generation + 1, None)


async def test_a_released_claim_may_be_claimed_again(store: Store) -> None:
    await planned(store, new_delivery("dlv_1"), new_delivery("dlv_2", channel="sms"))
    await claimed(store)
    await claimed(store, channel="sms")
    assert await commit(store, lambda tx, c: release(tx, "w1", "email", c, NOW)) == 1
    assert (await row(store, "dlv_2")).state is S.CLAIMED
    assert await commit(store, lambda tx, c: release(tx, "w1", None, c, NOW)) == 1
    assert await commit(store, lambda tx, c: release(tx, "w1", None, c, NOW)) == 0
    assert await states(store) == {"planned": 2}


async def test_what_is_known_to_be_unsent_is_taken_back_and_costs_no_attempt(store: Store) -> None:
    (sent,) = await in_flight(store, new_delivery())
    assert await commit(store, lambda tx, c: take_back(tx, [sent], c, NOW)) == 1
    now = await row(store)
    assert (now.state, now.attempt, now.generation) == (S.PLANNED, 0, 2)
    assert await commit(store, lambda tx, c: take_back(tx, [sent], c, NOW)) == 0
    assert await states(store) == {"planned": 1}


async def test_a_merge_takes_deliveries_along_and_has_claimed_ones_judged_anew(
    store: Store,
) -> None:
    await planned(store, new_delivery("dlv_1"), new_delivery("dlv_2", due_at=NOW + 1))
    await claimed(store)
    await commit(store, lambda tx, c: move_profile(tx, "default", "prf_1", "prf_9", c, NOW))
    first, second = await row(store, "dlv_1"), await row(store, "dlv_2")
    assert (first.profile_id, first.state, first.generation) == ("prf_9", S.PLANNED, 2)
    assert (second.profile_id, second.state, second.generation) == ("prf_9", S.PLANNED, 0)
    assert await states(store) == {"planned": 2}
