"""What becomes of a delivery after its provider's answer, or for want of one.

`at_most_once`: when nobody can know whether it was sent, it is kept `in_doubt` until late news or
an operator settles it. `at_least_once`: it is sent again with the same key, and that is counted in
`resends` (architecture.md, "Exactly once, outside"; reliability.md §4).
"""

from typing import Any, Final

from angarium.core.delivery.record import AT_LEAST_ONCE, Delivery, move
from angarium.core.delivery.retries import GiveUp, Retry, RetryPolicy, spread_of
from angarium.core.delivery.status import DeliveryState

RESENDS: Final = 5
"""Times that a message of unknown outcome is sent again; then it stays in doubt."""
REASON_LENGTH: Final = 200
"""Characters of a reason that are kept."""

S = DeliveryState


def clean(text: str) -> str:
    """A reason or id that a plugin or vendor gave, as it can be stored, counted and shown."""
    printable = text if text.isprintable() else "".join(c for c in text if c.isprintable())
    return printable[:REASON_LENGTH]


def after_acceptance(delivery: Delivery, provider_id: str, at: int) -> Delivery:
    """The provider took it."""
    return move(
        delivery,
        S.ACCEPTED,
        reason="",
        worker=None,
        provider_id=clean(provider_id) or None,
        accepted_at=at,
    )


def after_refusal(delivery: Delivery, reason: str) -> Delivery:
    """The provider will never take it."""
    return end_unsent(delivery, S.FAILED, reason, worker=None)


def end_unsent(delivery: Delivery, state: DeliveryState, reason: str, **changes: Any) -> Delivery:
    """End it as `failed`, `skipped` or `cancelled`: it was not sent.

    Unless it was handed over before and nobody knows what came of that: then it is in doubt.
    """
    known = S.IN_DOUBT if delivery.resends else state
    return move(delivery, known, reason=clean(reason), **changes)


def after_delay(
    delivery: Delivery, reason: str, now: int, policy: RetryPolicy, retry_after: int | None
) -> Delivery:
    """The provider surely did not take it, but may later."""
    match next_attempt(delivery, now, policy, retry_after):
        case Retry(at):
            return move(delivery, S.HELD, reason=clean(reason), worker=None, due_at=at)
        case GiveUp(why):
            return after_refusal(delivery, why)


def after_pause(delivery: Delivery, reason: str, until: int) -> Delivery:
    """The provider takes nothing for now: that is not this message's attempt."""
    if until >= delivery.expires_at:
        return after_refusal(delivery, "expired")
    return move(
        delivery,
        S.HELD,
        reason=clean(reason),
        worker=None,
        due_at=until,
        attempt=delivery.attempt - 1,
    )


def after_doubt(delivery: Delivery, reason: str, now: int, policy: RetryPolicy) -> Delivery:
    """It may have been taken: no answer came, or none that could be understood."""
    if delivery.promise == AT_LEAST_ONCE and delivery.resends < RESENDS:
        match next_attempt(delivery, now, policy, None):
            case Retry(at):
                return move(
                    delivery,
                    S.HELD,
                    reason=clean(reason),
                    worker=None,
                    due_at=at,
                    resends=delivery.resends + 1,
                )
            case GiveUp(_):
                pass
    return move(delivery, S.IN_DOUBT, reason=clean(reason))


def after_lost_worker(delivery: Delivery) -> Delivery:
    """Its worker's lease ran out.

    A row in doubt keeps its generation, so that the answer may still settle it if the worker was
    only slow; a row that goes back to `planned` does not.
    """
    fence = delivery.generation + 1
    if delivery.state is S.CLAIMED:
        return move(delivery, S.PLANNED, worker=None, generation=fence)
    if delivery.promise == AT_LEAST_ONCE and delivery.resends < RESENDS:
        return move(
            delivery,
            S.PLANNED,
            reason="worker_lost",
            worker=None,
            generation=fence,
            resends=delivery.resends + 1,
        )
    return move(delivery, S.IN_DOUBT, reason="worker_lost")


def next_attempt(
    delivery: Delivery,
    now: int,
    policy: RetryPolicy,
    retry_after: int | None,
    attempt: int | None = None,
) -> Retry | GiveUp:
    """When its provider may be asked again; `attempt`: if not counted as the delivery's own."""
    return policy.next_at(
        attempt=delivery.attempt if attempt is None else attempt,
        now=now,
        expires_at=delivery.expires_at,
        retry_after=retry_after,
        spread=spread_of(delivery.id),
    )
