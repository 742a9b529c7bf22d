"""What was given up is planned once more, on both stores."""

from typing import Any

import msgspec
import pytest

from angarium.core.delivery.promises import after_acceptance, after_doubt, after_refusal, end_unsent
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.resends import SHORTEST, resend_id
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import DAY, HOUR
from angarium.core.store.attempts import Answer, hand_over
from angarium.core.store.protocol import Store
from angarium.core.store.resends import resend
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
    states,
)

S = DeliveryState
LATER = NOW + 3 * DAY
AGAIN = resend_id("default", "dlv_1")


async def failed(store: Store, **changes: Any) -> Delivery:
    (flying,) = await in_flight(store, new_delivery(**changes))
    await answered(store, Answer(flying, after_refusal(flying, "retries_exhausted")))
    return await row(store)


async def skipped(store: Store, reason: str, **changes: Any) -> None:
    await planned(store, new_delivery(**changes))
    (claim,) = await claimed(store)
    wanted = end_unsent(claim, S.SKIPPED, reason, worker=None)
    ended = [judged(claim, wanted, context=claim.context)]
    await commit(store, lambda tx, changes: hand_over(tx, ended, changes, NOW))


async def resent(store: Store, id: str = "dlv_1", workspace: str = "default") -> str | None:
    return await commit(store, lambda tx, c: resend(tx, workspace, id, c, LATER), LATER)


async def test_what_failed_is_planned_anew_and_stays_as_it_was(store: Store) -> None:
    old = await failed(store, run="run_1", class_="transactional", step="s1", device="dev_1")

    assert await resent(store) == AGAIN

    new = await row(store, AGAIN)
    assert (new.state, new.due_at, new.expires_at) == (S.PLANNED, LATER, LATER + HOUR)
    assert (new.attempt, new.resends, new.provider, new.generation) == (0, 0, "", 0)
    assert (new.class_, new.step, new.device, new.promise) == (
        "transactional",
        "s1",
        "dev_1",
        old.promise,
    )
    assert await row(store) == old
    assert await states(store) == {"failed": 1, "planned": 1}


async def test_a_second_word_plans_no_second_one(store: Store) -> None:
    await failed(store)
    await resent(store)
    assert await resent(store) is None
    assert await states(store) == {"failed": 1, "planned": 1}


async def test_what_failed_again_may_be_resent_again_under_its_own_id(store: Store) -> None:
    await failed(store)
    await resent(store)
    (claim,) = await claimed(store, now=LATER)
    (flying,) = await handed(store, claim)
    await answered(store, Answer(flying, after_refusal(flying, "retries_exhausted")))

    assert await resent(store) is None
    assert await resent(store, AGAIN) == resend_id("default", AGAIN)
    assert await states(store) == {"failed": 2, "planned": 1}


async def test_what_came_too_late_for_its_provider_counts_as_given_up(store: Store) -> None:
    await skipped(store, "expired")
    assert await resent(store) == AGAIN


@pytest.mark.parametrize("reason", ["opted_out", "suppressed", "limit_reached", "campaign_paused"])
async def test_what_a_gate_refused_is_not_given_up(store: Store, reason: str) -> None:
    await skipped(store, reason)
    assert await resent(store) is None


async def test_what_may_have_been_sent_or_waits_is_not_resent(store: Store) -> None:
    flying = await in_flight(store, *(new_delivery(f"dlv_{n}") for n in range(3)))
    taken, doubted, _ = flying
    await answered(
        store,
        Answer(taken, after_acceptance(taken, "", NOW)),
        Answer(doubted, after_doubt(doubted, "lost", NOW, RetryPolicy())),
    )
    await planned(store, new_delivery("dlv_9"))

    for id in ("dlv_0", "dlv_1", "dlv_2", "dlv_9", "nobody"):
        assert await resent(store, id) is None
    assert await resent(store, "dlv_0", "other") is None


async def test_it_is_made_from_what_the_first_was_made_from_and_of_use_for_a_moment(
    store: Store,
) -> None:
    context: dict[str, Any] = {"event": {"name": "Visit"}, "code": "NOWRUZ-1", "tried": {"x": 1}}
    await skipped(store, "expired", context=context, planned_at=NOW + 2 * HOUR)
    await resent(store)
    new = await row(store, AGAIN)
    assert msgspec.json.decode(new.context) == {"event": {"name": "Visit"}, "code": "NOWRUZ-1"}
    assert new.expires_at == LATER + SHORTEST
