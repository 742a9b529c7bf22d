"""When to try again: arithmetic beside each row. Times in seconds."""

import pytest

from angarium.core.delivery.keys import make_id
from angarium.core.delivery.retries import GiveUp, Retry, RetryPolicy, spread_of

POLICY = RetryPolicy(attempts=5, first=10_000, longest=60_000)
NEVER = 10**6


@pytest.mark.parametrize(
    ("attempt", "retry_after", "spread", "expires", "expected"),
    [
        (1, None, 0.0, NEVER, 10),  # first
        (2, None, 0.0, NEVER, 20),  # 10 * 2
        (3, None, 0.0, NEVER, 40),  # 10 * 2 * 2
        (4, None, 0.0, NEVER, 60),  # 80, but 60 is the longest
        (5, None, 0.0, NEVER, "retries_exhausted"),
        (9, None, 0.0, NEVER, "retries_exhausted"),
        (1, None, 1.0, NEVER, 12),  # a fifth more
        (1, None, 0.5, NEVER, 11),
        (1, 30, 0.0, NEVER, 30),  # as the provider asks
        (1, 30, 1.0, NEVER, 30),  # its wish is no wait of ours: nothing is added
        (1, 3, 0.0, NEVER, 10),  # it may lengthen the wait, not shorten it
        (4, 3600, 0.0, NEVER, 3600),  # even beyond our longest
        (1, None, 0.0, 11, 10),
        (1, None, 0.0, 10, "expired"),  # at its end it is of no use any more
        (1, 3600, 0.0, 3599, "expired"),
    ],
)
def test_next_at(
    attempt: int, retry_after: int | None, spread: float, expires: int, expected: int | str
) -> None:
    found = POLICY.next_at(
        attempt=attempt,
        now=0,
        expires_at=expires * 1000,
        retry_after=None if retry_after is None else retry_after * 1000,
        spread=spread,
    )
    assert found == (GiveUp(expected) if isinstance(expected, str) else Retry(expected * 1000))


def test_a_very_late_attempt_still_has_a_finite_wait() -> None:
    patient = RetryPolicy(attempts=10**6, first=10_000, longest=60_000)
    assert patient.next_at(attempt=10**5, now=0, expires_at=10**9) == Retry(60_000)


def test_what_failed_together_does_not_come_back_together() -> None:
    spreads = [spread_of(make_id("dlv_", str(n))) for n in range(1000)]
    assert all(0 <= spread <= 1 for spread in spreads)
    tenths = {int(spread * 10) for spread in spreads}
    assert tenths >= set(range(10))
    assert spread_of("dlv_abcd") == spread_of("dlv_abcd")
