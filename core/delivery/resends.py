"""A message that was surely not sent, planned once more at an operator's word (D30).

It is another delivery: the old one stays in the figures as what it was. The gates judge the new one
as they judge any. Its id follows from the old one's, so that two words for one message plan one.
"""

from typing import Any, Final

import msgspec

from angarium.core.delivery.keys import make_id
from angarium.core.delivery.record import Delivery, NewDelivery, plan_again
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import MINUTE

EXPIRED: Final = "expired"
SHORTEST: Final = MINUTE
"""Milliseconds for which it is of use, however late the old one was planned."""

_FORGOTTEN: Final = frozenset({"address", "links", "tried"})
"""Of the context: what was written there when the old one was handed over, or passed on."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def resend_id(workspace: str, id: str) -> str:
    """The id of the delivery in whose place the new one goes out."""
    return make_id("dlv_", workspace, "resend", id)


def may_be_resent(state: str, reason: str) -> bool:
    """Whether it was given up without having been sent: it failed, or was in time for nobody.

    What the person, the campaign or a rule stood against is not given up, but refused.
    """
    return state == DeliveryState.FAILED or (state == DeliveryState.SKIPPED and reason == EXPIRED)


def plan_resend(old: Delivery, planned_at: int, run: str | None, now: int) -> NewDelivery:
    """The new delivery, due now, of use for as long as the old one was; times in ms.

    planned_at, run: of the old one, which its Delivery does not hold.
    """
    context = {
        name: value for name, value in _decode(old.context).items() if name not in _FORGOTTEN
    }
    lifetime = max(old.expires_at - planned_at, SHORTEST)
    new = plan_again(
        old,
        id=resend_id(old.workspace, old.id),
        context=context,
        now=now,
        expires_at=now + lifetime,
    )
    return msgspec.structs.replace(new, run=run)
