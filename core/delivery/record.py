"""A delivery as the ledger keeps it, and as it is planned."""

from collections.abc import Mapping
from typing import Any

import msgspec

from angarium.core.delivery.counts import HOUR, Place, Standing
from angarium.core.delivery.status import DeliveryState, may_move

AT_MOST_ONCE = "at_most_once"
AT_LEAST_ONCE = "at_least_once"
CODE = "code"
"""A promo code's name in templates, and in a delivery's context."""


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message that is to be sent; times in ms.

    id: made with `make_id("dlv_", …)` from the send key, so that planning twice plans once.
    source: what planned it: `campaign`, `journey`, `decision` or `test`.
    promise: `at_most_once` or `at_least_once`: what becomes of it when a worker dies while sending.
    context: what templates see besides the person: `event`, `data`, `code`. fallback_after: how
    long (ms) to wait for a reaction before the next channel is tried; None: there is no next.
    """

    workspace: str
    id: str
    source: str
    campaign: str
    version: int
    profile_id: str
    channel: str
    class_: str
    promise: str
    due_at: int
    expires_at: int
    planned_at: int
    context: Mapping[str, Any]
    step: str = ""
    run: str | None = None
    test: bool = False
    triggered_at: int | None = None
    device: str | None = None
    request_id: str | None = None
    fallback_after: int | None = None

    @property
    def place(self) -> Place:
        """Where it is counted."""
        return Place(
            self.workspace, self.planned_at // HOUR, self.campaign, self.step, self.channel
        )


class Delivery(msgspec.Struct, frozen=True):
    """A row of the ledger, in the order in which `lock_deliveries` reads it.

    generation: grows with every claim; who holds an older one may no longer hand it over.
    attempt: how often it was handed over. resends: how often again without knowing the outcome.
    """

    workspace: str
    id: str
    # What moves.
    state: DeliveryState
    reason: str
    provider: str
    provider_id: str | None
    due_at: int
    worker: str | None
    generation: int
    attempt: int
    resends: int
    handed_at: int | None
    accepted_at: int | None
    # What stays as it was planned.
    source: str
    campaign: str
    version: int
    step: str
    profile_id: str
    channel: str
    class_: str
    promise: str
    test: bool
    expires_at: int
    hour: int
    triggered_at: int | None
    device: str | None
    request_id: str | None
    context: str

    @property
    def place(self) -> Place:
        """Where it is counted."""
        return Place(self.workspace, self.hour, self.campaign, self.step, self.channel)

    @property
    def standing(self) -> Standing:
        """Under what it is counted now."""
        return Standing(self.state, self.provider, self.reason)

    @property
    def key(self) -> tuple[str, str]:
        """Its key in the ledger; rows are locked in the order of these."""
        return (self.workspace, self.id)


def plan_again(
    old: Delivery, *, id: str, context: Mapping[str, Any], now: int, expires_at: int
) -> NewDelivery:
    """The same message to the same person, due now, as another delivery; times in ms."""
    return NewDelivery(
        workspace=old.workspace,
        id=id,
        source=old.source,
        campaign=old.campaign,
        version=old.version,
        step=old.step,
        profile_id=old.profile_id,
        channel=old.channel,
        class_=old.class_,
        promise=old.promise,
        test=old.test,
        due_at=now,
        expires_at=expires_at,
        planned_at=now,
        context=context,
        triggered_at=old.triggered_at,
        device=old.device,
        request_id=old.request_id,
    )


class IllegalMove(ValueError):
    """The table of transitions does not allow this move: a mistake in the calling code."""

    def __init__(self, delivery: Delivery, state: DeliveryState) -> None:
        super().__init__(f"{delivery.id}: {delivery.state} may not become {state}")


def move(delivery: Delivery, state: DeliveryState, **changes: Any) -> Delivery:
    """The row in another state, with other changes beside it. Raises IllegalMove."""
    if not may_move(delivery.state, state):
        raise IllegalMove(delivery, state)
    return msgspec.structs.replace(delivery, state=state, **changes)
