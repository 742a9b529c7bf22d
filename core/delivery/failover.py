"""A message that a provider surely did not take may go to another, at once.

What was tried stands in the delivery's context: `tried`, by provider, with the instant (ms) from
which that one may be asked again: a Retry-After is obeyed, whoever else is asked meanwhile.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from angarium.core.delivery.promises import after_refusal, clean, next_attempt
from angarium.core.delivery.record import Delivery, move
from angarium.core.delivery.retries import GiveUp, Retry, RetryPolicy
from angarium.core.delivery.status import DeliveryState


class _Context(msgspec.Struct):
    tried: dict[str, int] = {}


_read = msgspec.json.Decoder(_Context).decode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def tried(delivery: Delivery) -> Mapping[str, int]:
    """From when providers that did not take it may be asked again, by name."""
    return _read(delivery.context).tried if delivery.attempt else {}


def after_delay_of_one(
    delivery: Delivery,
    reason: str,
    now: int,
    policy: RetryPolicy,
    retry_after: int | None,
    others: Mapping[str, int],
) -> Delivery:
    """As `after_delay`, where others may take it (by name: from when on, in ms; not empty).

    A round through all of them counts as one attempt of the policy.
    """
    rounds = -(-delivery.attempt // (len(others) + 1))
    again = delivery.expires_at
    match next_attempt(delivery, now, policy, retry_after, attempt=rounds):
        case Retry(at):
            again = at
        case GiveUp("expired"):
            pass
        case GiveUp(why):
            return after_refusal(delivery, why)
    return _passed_on(delivery, reason, now, again, others, delivery.attempt)


def after_pause_of_one(
    delivery: Delivery, reason: str, now: int, until: int, others: Mapping[str, int]
) -> Delivery:
    """As `after_pause`, where others may take it."""
    return _passed_on(delivery, reason, now, until, others, delivery.attempt - 1)


def _passed_on(
    delivery: Delivery,
    reason: str,
    now: int,
    again: int,
    others: Mapping[str, int],
    attempt: int,
) -> Delivery:
    known = {**tried(delivery), delivery.provider: again}
    waits = [max(at, known.get(name, 0)) for name, at in others.items()]
    due_at = max(now, min(again, *waits))
    if due_at >= delivery.expires_at:
        return after_refusal(delivery, "expired")
    context = _encode({**_decode(delivery.context), "tried": known}).decode()
    return move(
        delivery,
        DeliveryState.HELD,
        reason=clean(reason),
        worker=None,
        due_at=due_at,
        attempt=attempt,
        context=context,
    )
