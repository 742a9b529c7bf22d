"""What recipients and providers say after a message was handed over, and what follows from it.

News of one delivery may come in any order and more than once; the same state results (G13.89-91).
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from angarium.core.delivery.keys import make_id
from angarium.core.delivery.promises import clean
from angarium.core.delivery.record import Delivery, move
from angarium.core.delivery.status import UNSENT, DeliveryState, Reaction, after_news, base
from angarium.plugins.callback import StatusUpdate

S = DeliveryState

STATUS: Final = "status"
OPERATOR: Final = "operator"
CONSENT: Final = "consent"

Settlement = Literal["sent", "not_sent", "send_again"]
SETTLEMENTS: Final[Mapping[str, Settlement]] = {
    "accepted": "sent",
    "failed": "not_sent",
    "resend": "send_again",
}
"""What an operator may say of a delivery in doubt, and what is done about it."""
RESEND: Final = "resend_failed"
"""What an operator says of a delivery that was given up: plan it once more."""

Reactions = dict[str, list[int]]
"""By kind: [first time (ms), how often]."""


class Feedback(msgspec.Struct, frozen=True, rename="camel"):
    """One message of the FEEDBACK stream.

    kind: a reaction; `status` with `status`; `operator` with RESEND or a key of SETTLEMENTS as
    `status`; or `consent` with `choices`: the channels that the recipient wants, and those that
    they do not. The delivery is named by `delivery`, or by `provider` and `provider_id`; an
    `unsubscribed` may name `channel` and `address` alone (an SMS "STOP"). `id` is unique to what
    happened. `at` in ms.
    """

    kind: str
    at: int
    id: str = ""
    delivery: str = ""
    channel: str = ""
    provider: str = ""
    provider_id: str = ""
    status: str = ""
    reason: str = ""
    address: str = ""
    address_dead: bool = False
    link: str | int | None = None
    choices: Mapping[str, bool] = {}

    @property
    def word(self) -> str:
        """What is said: a reaction or a status."""
        return self.status if self.kind == STATUS else self.kind


class Heard(msgspec.Struct, frozen=True):
    """A delivery before and after one piece of feedback; `old` is `new` where it stayed.

    reaction: that was counted, "" for a status; first: of its kind to this delivery.
    """

    old: Delivery
    new: Delivery
    reaction: str = ""
    first: bool = False


_NEWS: Final = frozenset({"accepted", "failed", "delivered", "undelivered", "bounced", "expired"})
_REACTIONS: Final = frozenset(reaction.value for reaction in Reaction)


def parse_feedback(body: bytes) -> Feedback:
    """Read one message. Raises ValueError that says what is wrong with it."""
    feedback = msgspec.json.decode(body, type=Feedback)
    if feedback.kind == OPERATOR and feedback.status in (RESEND, *SETTLEMENTS):
        return feedback
    if feedback.kind == CONSENT and feedback.choices and feedback.id:
        return feedback
    if feedback.word not in _NEWS | _REACTIONS:
        raise ValueError(f"unknown kind or status {feedback.word[:40]!r}")
    return feedback


def feedback_of(provider: str, channel: str, update: StatusUpdate, now: int) -> Feedback:
    """What a provider (named as its section) said, by callback or otherwise; `now`: when it came.

    The same update has the same id.
    """
    reaction = update.status in _REACTIONS
    named = update.provider_id or update.key or update.address
    same = update.id or f"{named}/{update.key}/{update.status}/{update.at}"
    return Feedback(
        kind=update.status if reaction else STATUS,
        at=update.at or now,
        id=make_id("fbk_", provider, same),
        delivery=update.key,
        channel=channel,
        provider=provider,
        provider_id=clean(update.provider_id),  # as the ledger has it
        status="" if reaction else update.status,
        reason=update.reason,
        address=update.address,
        address_dead=update.address_dead,
    )


def hear(delivery: Delivery, reactions: Reactions, feedback: Feedback) -> Heard | None:
    """What becomes of a delivery; `reactions` is changed in place. None: it cannot be true.

    Any reaction proves that the provider took the message, and so settles a doubt.
    """
    if delivery.handed_at is None:
        return None
    if feedback.word in _REACTIONS:
        first = react(reactions, feedback.word, feedback.at)
        new = _settled(delivery, S.ACCEPTED, feedback)
        return Heard(delivery, new, feedback.word, first)
    return Heard(delivery, _settled(delivery, _news(delivery, feedback.word), feedback))


def react(reactions: Reactions, kind: str, at: int) -> bool:
    """Count one reaction; whether it is the first of its kind."""
    before = reactions.get(kind)
    if before is None:
        reactions[kind] = [at, 1]
        return True
    reactions[kind] = [min(before[0], at), before[1] + 1]
    return False


def address_of(context: str) -> str:
    """The address that a delivery was handed over to, as its context keeps it; "" if none is."""
    found: Mapping[str, Any] = msgspec.json.decode(context)
    return str(found.get("address", ""))


def _news(delivery: Delivery, status: str) -> DeliveryState:
    """A provider that fails a message which it had taken has not delivered it."""
    if status == S.FAILED and base(delivery.state) is S.ACCEPTED:
        return S.UNDELIVERED
    return S(status)


def _settled(delivery: Delivery, news: DeliveryState, feedback: Feedback) -> Delivery:
    if news is S.FAILED and delivery.state not in (S.HANDED, S.IN_DOUBT):
        return delivery
    state = after_news(delivery.state, news, was_handed=True)
    if state is delivery.state:
        return delivery
    changes: dict[str, Any] = {"reason": clean(feedback.reason), "worker": None}
    if delivery.state in UNSENT:  # it was going to be sent again
        changes["generation"] = delivery.generation + 1
    if state is not S.FAILED:
        changes["accepted_at"] = delivery.accepted_at or feedback.at
        changes["provider_id"] = delivery.provider_id or clean(feedback.provider_id) or None
    return move(delivery, state, **changes)
