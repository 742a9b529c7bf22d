"""Handing over and recording, on both stores, when others change the same rows."""

import asyncio

import msgspec
import pytest

from angarium.core.delivery.promises import (
    after_acceptance,
    after_delay,
    after_doubt,
    after_lost_worker,
    after_refusal,
)
from angarium.core.delivery.record import Delivery, move
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.attempts import Answer, Recent, Suppressed, hand_over, suppress
from angarium.core.store.ledger import Withdrawal, cancel, move_profile, save_moves
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import (
    answered,
    claimed,
    commit,
    handed,
    in_flight,
    judged,
    planned,
    row,
    save_person,
    states,
)

S = DeliveryState
POLICY = RetryPolicy()


async def test_what_is_handed_over_keeps_its_verdicts_and_its_links(store: Store) -> None:
    await planned(store, new_delivery())
    (claim,) = await claimed(store)
    verdict = judged(
        claim, gates='[{"gate": "opt_in"}]', context='{"links": ["https://a.example"]}'
    )
    done = await commit(store, lambda tx, c: hand_over(tx, [verdict], c, NOW))
    assert done == {("default", "dlv_1")}
    now = await row(store)
    assert (now.state, now.provider, now.attempt, now.handed_at) == (S.HANDED, "email_test", 1, NOW)
    assert msgspec.json.decode(now.context) == {"links": ["https://a.example"]}
    async with store.reading() as tx:
        ((_, *_, gates, _, _, _),) = await tx.fetch(
            "read_delivery", workspace="default", id="dlv_1"
        )
    assert msgspec.json.decode(gates) == [{"gate": "opt_in"}]


async def test_a_stop_committed_before_handed_is_never_sent(store: Store) -> None:
    await planned(store, new_delivery())
    (claim,) = await claimed(store)
    stop = [Withdrawal("default", "prf_1")]
    await commit(store, lambda tx, c: cancel(tx, stop, "stopped", c, NOW))
    done = await commit(store, lambda tx, c: hand_over(tx, [judged(claim)], c, NOW))
    assert done == set()
    assert await states(store) == {"cancelled": 1}


async def test_of_a_stop_and_a_hand_over_at_once_exactly_one_wins(
    store: Store, store_url: str
) -> None:
    """G9: 60 races, two connections."""
    await planned(store, *(new_delivery(f"dlv_{n:02}", profile_id=f"prf_{n}") for n in range(60)))
    claims = {claim.id: claim for claim in await claimed(store)}
    other = await open_store(store_url)

    async def stop(n: int) -> bool:
        gone = [Withdrawal("default", f"prf_{n}")]
        return bool(await commit(other, lambda tx, c: cancel(tx, gone, "stopped", c, NOW)))

    async def hand(n: int) -> bool:
        verdict = judged(claims[f"dlv_{n:02}"])
        return bool(await commit(store, lambda tx, c: hand_over(tx, [verdict], c, NOW)))

    try:
        races = [asyncio.gather(stop(n), hand(n)) for n in range(60)]
        results = await asyncio.gather(*races)
    finally:
        await other.close()
    assert all(stopped != sent for stopped, sent in results)
    sent = sum(sent for _, sent in results)
    expected = {"cancelled": 60 - sent, "handed": sent}
    assert await states(store) == {name: n for name, n in expected.items() if n}


async def test_what_another_worker_took_over_is_left_alone(store: Store) -> None:
    await planned(store, new_delivery())
    (claim,) = await claimed(store)
    await commit(store, lambda tx, c: save_moves(tx, [(claim, after_lost_worker(claim))], c, NOW))
    (later,) = await claimed(store, "w2")
    done = await commit(store, lambda tx, c: hand_over(tx, [judged(claim)], c, NOW))
    assert done == set()
    assert await row(store) == later


async def test_who_changed_since_the_gates_looked_is_judged_again(store: Store) -> None:
    await save_person(store, revision=1)
    await planned(store, new_delivery())
    (claim,) = await claimed(store)
    await save_person(store, revision=2)
    verdict = judged(claim, revision=1)
    done = await commit(store, lambda tx, c: hand_over(tx, [verdict], c, NOW))
    assert done == set()
    now = await row(store)
    assert (now.state, now.due_at, now.attempt) == (S.PLANNED, NOW, 0)
    (again,) = await claimed(store)
    verdict = judged(again, revision=2)
    assert await commit(store, lambda tx, c: hand_over(tx, [verdict], c, NOW))


async def test_whose_profile_was_merged_meanwhile_is_judged_again(store: Store) -> None:
    await planned(store, new_delivery())
    (claim,) = await claimed(store)
    await commit(store, lambda tx, c: move_profile(tx, "default", "prf_1", "prf_2", c, NOW))
    assert not await commit(store, lambda tx, c: hand_over(tx, [judged(claim)], c, NOW))
    assert (await row(store)).state is S.PLANNED


async def test_a_limit_counts_what_was_handed_over_since_the_gates_looked(store: Store) -> None:
    await planned(store, new_delivery("dlv_1"), new_delivery("dlv_2"))
    first, second = await claimed(store)
    saw = Recent(since=NOW - 1000, count=0)
    one, two = judged(first, recent=saw), judged(second, recent=saw)
    assert await commit(store, lambda tx, c: hand_over(tx, [one], c, NOW)) == {first.key}
    assert await commit(store, lambda tx, c: hand_over(tx, [two], c, NOW)) == set()
    assert await states(store) == {"handed": 1, "planned": 1}


@pytest.mark.parametrize("state", [S.HELD, S.SKIPPED, S.FAILED])
async def test_a_refusal_is_written_with_its_reason(store: Store, state: DeliveryState) -> None:
    await planned(store, new_delivery())
    (claim,) = await claimed(store)
    verdict = judged(claim, move(claim, state, reason="because", due_at=NOW + 5, worker=None))
    await commit(store, lambda tx, c: hand_over(tx, [verdict], c, NOW))
    now = await row(store)
    assert (now.state, now.reason, now.due_at) == (state, "because", NOW + 5)
    assert await states(store) == {state.value: 1}


async def test_an_acceptance_is_recorded_once(store: Store) -> None:
    (sent,) = await in_flight(store, new_delivery())
    answer = Answer(sent, after_acceptance(sent, "mail-7", NOW + 9))
    assert await answered(store, answer) == {sent.key}
    assert await answered(store, answer) == set()
    now = await row(store)
    assert (now.state, now.provider_id, now.accepted_at) == (S.ACCEPTED, "mail-7", NOW + 9)
    assert await states(store) == {"accepted": 1}


def _swept(sent: Delivery) -> Delivery:
    return after_lost_worker(sent)


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (lambda d: after_acceptance(d, "mail-7", NOW), S.ACCEPTED),
        (lambda d: after_refusal(d, "no such user"), S.FAILED),
        (lambda d: after_delay(d, "busy", NOW, POLICY, None), S.HELD),
        (lambda d: after_doubt(d, "lost", NOW, POLICY), S.IN_DOUBT),
    ],
)
async def test_a_late_answer_settles_what_was_put_in_doubt(
    store: Store, late: object, expected: DeliveryState
) -> None:
    assert callable(late)
    (sent,) = await in_flight(store, new_delivery())
    await commit(store, lambda tx, c: save_moves(tx, [(sent, _swept(sent))], c, NOW))
    assert (await row(store)).state is S.IN_DOUBT
    await answered(store, Answer(sent, late(sent)))
    assert await states(store) == {expected.value: 1}


async def test_a_late_answer_of_an_earlier_generation_changes_nothing(store: Store) -> None:
    (sent,) = await in_flight(store, new_delivery(promise="at_least_once"))
    await commit(store, lambda tx, c: save_moves(tx, [(sent, _swept(sent))], c, NOW))
    assert await answered(store, Answer(sent, after_refusal(sent, "no"))) == set()
    now = await row(store)
    assert (now.state, now.resends) == (S.PLANNED, 1)


async def test_an_acceptance_after_its_receipt_adds_what_the_provider_calls_it(
    store: Store,
) -> None:
    (sent,) = await in_flight(store, new_delivery())
    delivered = move(sent, S.DELIVERED, accepted_at=NOW)
    await commit(store, lambda tx, c: save_moves(tx, [(sent, delivered)], c, NOW))
    await answered(store, Answer(sent, after_acceptance(sent, "mail-7", NOW)))
    now = await row(store)
    assert (now.state, now.provider_id) == (S.DELIVERED, "mail-7")
    await answered(store, Answer(sent, after_refusal(sent, "no")))
    assert (await row(store)).state is S.DELIVERED


async def test_a_suppression_keeps_its_first_reason(store: Store) -> None:
    def dead(reason: str) -> Suppressed:
        return Suppressed("default", "email", "a@b.example", reason, NOW)

    async with store.transaction() as tx:
        await suppress(tx, [dead("bounced"), dead("bounced")])
        await suppress(tx, [dead("complained")])
        keys = [("default", "email", "a@b.example"), ("default", "sms", "a@b.example")]
        found = await tx.fetch("find_suppressed", keys=keys)
    assert [tuple(each) for each in found] == [("default", "email", "a@b.example", "bounced")]


async def test_handing_over_many_takes_each_by_itself(store: Store) -> None:
    await planned(store, *(new_delivery(f"dlv_{n}") for n in range(5)))
    claims = await claimed(store)
    assert len(await handed(store, *claims)) == 5
    assert await states(store) == {"handed": 5}
