"""What becomes of a delivery, by its promise."""

import pytest

from angarium.core.delivery.promises import (
    REASON_LENGTH,
    RESENDS,
    after_acceptance,
    after_delay,
    after_doubt,
    after_lost_worker,
    after_pause,
    after_refusal,
    clean,
    end_unsent,
)
from angarium.core.delivery.record import AT_LEAST_ONCE, IllegalMove, move
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.status import DeliveryState
from tests.delivery.examples import NOW, delivery

S = DeliveryState
POLICY = RetryPolicy()
HANDED = delivery(S.HANDED, attempt=1, generation=1, worker="w1", handed_at=NOW)
AGAIN = delivery(S.HANDED, attempt=1, generation=1, promise=AT_LEAST_ONCE, handed_at=NOW)


def test_an_accepted_one_keeps_what_the_provider_calls_it() -> None:
    new = after_acceptance(HANDED, "m-1", NOW)
    assert (new.state, new.provider_id, new.accepted_at, new.worker) == (
        S.ACCEPTED,
        "m-1",
        NOW,
        None,
    )
    assert after_acceptance(HANDED, "", NOW).provider_id is None


def test_a_delay_waits_and_keeps_count() -> None:
    new = after_delay(HANDED, "busy", NOW, POLICY, 30_000)
    assert (new.state, new.reason, new.due_at, new.attempt) == (S.HELD, "busy", NOW + 30_000, 1)


def test_a_delay_beyond_its_use_fails() -> None:
    new = after_delay(HANDED, "busy", NOW, POLICY, 3_600_000)
    assert (new.state, new.reason) == (S.FAILED, "expired")
    spent = delivery(S.HANDED, attempt=POLICY.attempts)
    assert after_delay(spent, "busy", NOW, POLICY, None).reason == "retries_exhausted"


def test_a_pause_costs_no_attempt() -> None:
    new = after_pause(HANDED, "away", NOW + 5)
    assert (new.state, new.due_at, new.attempt) == (S.HELD, NOW + 5, 0)
    assert after_pause(HANDED, "away", HANDED.expires_at).state is S.FAILED


def test_at_most_once_is_kept_in_doubt() -> None:
    new = after_doubt(HANDED, "lost", NOW, POLICY)
    assert (new.state, new.reason, new.generation) == (S.IN_DOUBT, "lost", 1)
    new = after_lost_worker(HANDED)
    assert (new.state, new.reason, new.generation) == (S.IN_DOUBT, "worker_lost", 1)


def test_at_least_once_is_sent_again_and_counted() -> None:
    new = after_doubt(AGAIN, "lost", NOW, POLICY)
    assert (new.state, new.resends) == (S.HELD, 1)
    assert new.due_at > NOW
    new = after_lost_worker(AGAIN)
    assert (new.state, new.resends, new.generation, new.worker) == (S.PLANNED, 1, 2, None)


@pytest.mark.parametrize(
    "worn",
    [
        {"resends": RESENDS},
        {"attempt": POLICY.attempts},
        {"expires_at": NOW + 1},
    ],
)
def test_at_least_once_is_not_for_ever(worn: dict[str, int]) -> None:
    last = delivery(S.HANDED, **({"attempt": 1, "promise": AT_LEAST_ONCE} | worn))
    assert after_doubt(last, "lost", NOW, POLICY).state is S.IN_DOUBT


def test_a_claim_of_a_lost_worker_is_planned_anew_and_fenced() -> None:
    claimed = delivery(S.CLAIMED, generation=1, worker="w1")
    new = after_lost_worker(claimed)
    assert (new.state, new.generation, new.worker, new.resends) == (S.PLANNED, 2, None, 0)


def test_what_may_have_been_sent_never_ends_as_surely_unsent() -> None:
    """N1: what could not be known is in doubt."""
    resend = delivery(S.CLAIMED, resends=1)
    assert end_unsent(resend, S.SKIPPED, "expired").state is S.IN_DOUBT
    assert end_unsent(delivery(S.CLAIMED), S.SKIPPED, "expired").state is S.SKIPPED
    assert after_refusal(delivery(S.HANDED, resends=1), "no").state is S.IN_DOUBT


def test_a_move_that_the_table_does_not_know_is_a_mistake() -> None:
    with pytest.raises(IllegalMove, match="dlv_1: accepted may not become planned"):
        move(delivery(S.ACCEPTED), S.PLANNED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("busy", "busy"),
        ("a\x00b\nc\u2028d", "abcd"),
        ("خطا", "خطا"),
        ("x" * 500, "x" * REASON_LENGTH),
    ],
)
def test_a_reason_is_cleaned_before_it_is_stored(text: str, expected: str) -> None:
    assert clean(text) == expected
