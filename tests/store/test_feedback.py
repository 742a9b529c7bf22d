"""Receipts, reactions and an operator's word, on both stores."""

import msgspec
import pytest

from angarium.core.delivery.feedback import Feedback, Settlement
from angarium.core.delivery.promises import after_acceptance, after_doubt
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.attempts import Answer
from angarium.core.store.feedback import apply_feedback, find_handed, settle
from angarium.core.store.protocol import Store
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import answered, commit, figures, in_flight, planned, row, states

S = DeliveryState


def opened(at: int = NOW, delivery: str = "dlv_1", kind: str = "opened") -> Feedback:
    return Feedback(kind=kind, at=at, delivery=delivery)


def status(word: str, **facts: str) -> Feedback:
    return Feedback(kind="status", status=word, at=NOW, **({"delivery": "dlv_1"} | facts))


async def heard(store: Store, *items: Feedback) -> int:
    found = await commit(store, lambda tx, c: apply_feedback(tx, "default", items, c, NOW))
    return len(found)


async def reactions(store: Store, id: str = "dlv_1") -> object:
    async with store.reading() as tx:
        ((_, _, text),) = await tx.fetch("read_reactions", keys=[("default", id)])
    return msgspec.json.decode(text)


async def accepted(store: Store) -> None:
    (sent,) = await in_flight(store, new_delivery())
    await answered(store, Answer(sent, after_acceptance(sent, "mail-7", NOW)))


async def test_reactions_count_people_once_and_occurrences_always(store: Store) -> None:
    await accepted(store)
    await heard(store, opened(NOW + 5), opened(NOW + 3), opened(NOW + 9, kind="clicked"))
    await heard(store, opened(NOW + 7))
    assert await reactions(store) == {"opened": [NOW + 3, 3], "clicked": [NOW + 9, 1]}
    assert await figures(store) == {
        ("state", "accepted"): 1,
        ("reaction", "opened"): 1,
        ("reactions", "opened"): 3,
        ("reaction", "clicked"): 1,
        ("reactions", "clicked"): 1,
    }


async def test_receipts_are_counted_beside_the_totals(store: Store) -> None:
    await accepted(store)
    await heard(store, status("delivered"), status("delivered"), status("accepted"))
    expected = {("state", "accepted"): 1, ("receipt", "delivered"): 1}
    assert await figures(store) == expected
    await heard(store, status("undelivered"))
    assert await figures(store) == expected
    await heard(store, status("bounced"))
    assert await figures(store) == {("state", "accepted"): 1, ("receipt", "bounced"): 1}


async def test_a_receipt_may_name_what_the_provider_calls_the_message(store: Store) -> None:
    await accepted(store)
    receipt = status("delivered", delivery="", provider="email_test", provider_id="mail-7")
    assert await heard(store, receipt) == 1
    assert (await row(store)).state is S.DELIVERED
    stranger = status("delivered", delivery="", provider="email_test", provider_id="mail-8")
    assert await heard(store, stranger) == 0


async def test_what_names_nothing_of_ours_is_left_out(store: Store) -> None:
    await planned(store, new_delivery())
    assert await heard(store, opened(delivery="dlv_9"), opened(), status("bounced")) == 0
    assert await states(store) == {"planned": 1}
    async with store.reading() as tx:
        assert await find_handed(tx, "default", [opened(), opened(delivery="dlv_9")]) == [None] * 2


async def test_any_sign_of_life_settles_a_doubt(store: Store) -> None:
    (sent,) = await in_flight(store, new_delivery())
    await answered(store, Answer(sent, after_doubt(sent, "lost", NOW, RetryPolicy())))
    await heard(store, opened(kind="clicked"))
    assert await states(store) == {"accepted": 1}


async def test_a_receipt_makes_a_resend_needless(store: Store) -> None:
    (sent,) = await in_flight(store, new_delivery(promise="at_least_once"))
    await answered(store, Answer(sent, after_doubt(sent, "lost", NOW, RetryPolicy())))
    assert (await row(store)).state is S.HELD
    await heard(store, status("delivered"))
    now = await row(store)
    assert (now.state, now.generation) == (S.DELIVERED, sent.generation + 1)


@pytest.mark.parametrize(
    ("settlement", "state", "resends"),
    [("sent", S.ACCEPTED, 0), ("not_sent", S.FAILED, 0), ("send_again", S.PLANNED, 1)],
)
async def test_an_operator_settles_what_is_in_doubt_and_nothing_else(
    store: Store, settlement: Settlement, state: DeliveryState, resends: int
) -> None:
    (sent,) = await in_flight(store, new_delivery())
    assert (
        await commit(store, lambda tx, c: settle(tx, "default", "dlv_1", settlement, c, NOW))
        is None
    )
    await answered(store, Answer(sent, after_doubt(sent, "lost", NOW, RetryPolicy())))
    found = await commit(store, lambda tx, c: settle(tx, "default", "dlv_1", settlement, c, NOW))
    assert found == await row(store)
    assert found is not None
    assert (found.state, found.reason, found.resends) == (state, "operator", resends)
    assert (
        await commit(store, lambda tx, c: settle(tx, "default", "dlv_9", settlement, c, NOW))
        is None
    )
