"""A message on another channel, in place of one that nobody reacted to (S1.14).

Each is a delivery of its own. It knows those before it by their ids, which stand in its context;
whoever reacts to one of them, however late, does not get the next.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from angarium.core.delivery.keys import make_id
from angarium.core.delivery.record import CODE, Delivery, NewDelivery, plan_again
from angarium.core.delivery.status import DeliveryState

EARLIER: Final = "inPlaceOf"
"""In a delivery's context: the ids of those in whose place it goes, the first one first."""
EXPIRES: Final = "expires"
"""The same: until when (ms) any of them may go, where a service said so."""

S = DeliveryState

_KEPT: Final = ("event", "data", CODE, EXPIRES)
_MARK: Final = f'"{EARLIER}"'
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def earlier_than(delivery: Delivery) -> tuple[str, ...]:
    """The deliveries in whose place this one goes; () for most."""
    if _MARK not in delivery.context:  # which is cheaper than to decode them all
        return ()
    return tuple(_decode(delivery.context).get(EARLIER, ()))


def ask_at(delivery: Delivery, after: int, now: int) -> int | None:
    """When (ms) the time to react to a delivery is over; at `now` or before: it is.

    The time runs from the hand-over. Nobody can react to what was refused or failed, so for that it
    is over. None: never; it was withdrawn, and so is what would go in its place.
    """
    match delivery.state:
        case S.CANCELLED:
            return None
        case S.SKIPPED | S.FAILED:
            return now
        case S.PLANNED | S.HELD | S.CLAIMED:
            return max(delivery.due_at, now) + after
        case _:
            return (delivery.handed_at or now) + after


def in_its_place(
    delivery: Delivery, channel: str, now: int, expires_at: int, after: int | None
) -> NewDelivery:
    """The delivery on another channel that comes now; planning it twice plans it once.

    after: how long, in ms, to wait for a reaction to it before the next; None: it is the last.
    """
    context: Mapping[str, Any] = _decode(delivery.context)
    kept = {name: context[name] for name in _KEPT if name in context}
    earlier: Sequence[str] = (*context.get(EARLIER, ()), delivery.id)
    new = plan_again(
        delivery,
        id=make_id("dlv_", delivery.workspace, "fallback", delivery.id, channel),
        context={**kept, EARLIER: list(earlier)},
        now=now,
        expires_at=min(expires_at, context.get(EXPIRES, expires_at)),
    )
    return msgspec.structs.replace(new, channel=channel, fallback_after=after)
