"""Deliveries for tests: ordinary ones, of which each test changes what it is about."""

from typing import Any

from angarium.core.delivery.record import AT_MOST_ONCE, Delivery, NewDelivery
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import HOUR, MINUTE

NOW = 1_800_000_000_000
"""2027-01-15T08:00:00Z, a Friday."""


def new_delivery(id: str = "dlv_1", **changes: Any) -> NewDelivery:
    """A marketing mail of one campaign, due at once, of use for an hour."""
    facts: dict[str, Any] = {
        "workspace": "default",
        "id": id,
        "source": "campaign",
        "campaign": "cmp_1",
        "version": 1,
        "profile_id": "prf_1",
        "channel": "email",
        "class_": "marketing",
        "promise": AT_MOST_ONCE,
        "due_at": NOW,
        "expires_at": NOW + HOUR,
        "planned_at": NOW,
        "context": {"event": {"name": "Visit", "properties": {}, "timestamp": "now"}},
        "triggered_at": NOW - MINUTE,
    }
    return NewDelivery(**(facts | changes))


def delivery(state: DeliveryState = DeliveryState.PLANNED, **changes: Any) -> Delivery:
    """The same as a row of the ledger, in some state."""
    facts: dict[str, Any] = {
        "workspace": "default",
        "id": "dlv_1",
        "state": state,
        "reason": "",
        "provider": "",
        "provider_id": None,
        "due_at": NOW,
        "worker": None,
        "generation": 0,
        "attempt": 0,
        "resends": 0,
        "handed_at": None,
        "accepted_at": None,
        "source": "campaign",
        "campaign": "cmp_1",
        "version": 1,
        "step": "",
        "profile_id": "prf_1",
        "channel": "email",
        "class_": "marketing",
        "promise": AT_MOST_ONCE,
        "test": False,
        "expires_at": NOW + HOUR,
        "hour": NOW // HOUR,
        "triggered_at": NOW - MINUTE,
        "device": None,
        "request_id": None,
        "context": "{}",
    }
    return Delivery(**(facts | changes))
