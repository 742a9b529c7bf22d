"""Where a delivery stands, and where it may go from there.

`TRANSITIONS` is the one table of legal moves (S1.12, N1, N4; architecture.md, "The ledger");
docs/delivery-states.md is drawn from it. Past `handed` the states are a lattice: news may come
late, twice or in any order, and the same state results. Reactions are counted beside the state.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class DeliveryState(StrEnum):
    """One delivery's state; the value is what stands in the ledger, reports and statistics."""

    PLANNED = "planned"  # due at `due_at`; nobody works on it
    HELD = "held"  # asked again at `due_at`; the reason says what it waits for
    CLAIMED = "claimed"  # a worker's, for as long as its lease lives
    HANDED = "handed"  # committed as handed to the provider, answer unknown yet
    ACCEPTED = "accepted"  # the provider took it
    FAILED = "failed"  # it was certainly not sent, and will not be
    IN_DOUBT = "in_doubt"  # nobody can know whether it was sent: kept until news or an operator
    SKIPPED = "skipped"  # a gate refused it
    CANCELLED = "cancelled"  # withdrawn before it was handed over
    DELIVERED = "delivered"  # accepted, and it reached the person's mailbox or device
    UNDELIVERED = "undelivered"  # accepted, and the provider gave up
    BOUNCED = "bounced"  # accepted, and the receiving side sent it back
    EXPIRED = "expired"  # accepted, and its lifetime ended at the provider


class Reaction(StrEnum):
    """What people do with a message: counted once for each delivery, and in all."""

    SHOWN = "shown"  # a device displayed it
    OPENED = "opened"  # opened, or its images were loaded
    CLICKED = "clicked"  # a link or button in it
    DISMISSED = "dismissed"  # wiped away
    COMPLAINED = "complained"  # reported as spam
    UNSUBSCRIBED = "unsubscribed"  # opted out through it
    CONVERTED = "converted"  # reached the campaign's goal


class Bucket(StrEnum):
    """The six that `planned` is the sum of (N4)."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    IN_DOUBT = "in_doubt"


S = DeliveryState

RECEIPTS: Final = (S.UNDELIVERED, S.EXPIRED, S.DELIVERED, S.BOUNCED)
"""What a provider says later, weakest first: of two, the stronger stands whichever came last.

`bounced` is above `delivered`: a mailbox that took a mail and then returned it did not get it.
"""

UNSENT: Final = (S.PLANNED, S.HELD, S.CLAIMED)
"""Not with a provider now: may still be cancelled."""

WAITING: Final = (*UNSENT, S.HANDED)
"""Nothing final is known yet, and something will happen without anyone's doing."""

TERMINAL: Final = (S.FAILED, S.SKIPPED, S.CANCELLED, S.BOUNCED)
"""Nothing moves these."""

_KNOWN = (S.ACCEPTED, *RECEIPTS)

TRANSITIONS: Final[Mapping[DeliveryState, frozenset[DeliveryState]]] = {
    # An unsent row that was handed over before, and is to be sent again because nobody knows what
    # came of it, ends in doubt if it cannot be; news of that first sending makes another needless.
    S.PLANNED: frozenset({S.CLAIMED, S.SKIPPED, S.CANCELLED, S.IN_DOUBT, *_KNOWN}),
    S.HELD: frozenset({S.CLAIMED, S.SKIPPED, S.CANCELLED, S.IN_DOUBT, *_KNOWN}),
    S.CLAIMED: frozenset(
        {S.PLANNED, S.HELD, S.HANDED, S.SKIPPED, S.FAILED, S.CANCELLED, S.IN_DOUBT, *_KNOWN}
    ),
    S.HANDED: frozenset({S.PLANNED, S.HELD, S.FAILED, S.IN_DOUBT, *_KNOWN}),
    S.IN_DOUBT: frozenset({S.PLANNED, S.HELD, S.FAILED, *_KNOWN}),
    S.ACCEPTED: frozenset(RECEIPTS),
    S.UNDELIVERED: frozenset({S.EXPIRED, S.DELIVERED, S.BOUNCED}),
    S.EXPIRED: frozenset({S.DELIVERED, S.BOUNCED}),
    S.DELIVERED: frozenset({S.BOUNCED}),
    S.BOUNCED: frozenset(),
    S.FAILED: frozenset(),
    S.SKIPPED: frozenset(),
    S.CANCELLED: frozenset(),
}


def may_move(old: DeliveryState, new: DeliveryState) -> bool:
    """Whether the table allows it; staying is no move."""
    return new in TRANSITIONS[old]


def is_receipt(state: DeliveryState) -> bool:
    """Whether a provider's later news put it there."""
    return state in RECEIPTS


def base(state: DeliveryState) -> DeliveryState:
    """The state that the totals count: with a receipt, still `accepted`."""
    return S.ACCEPTED if state in RECEIPTS else state


def bucket(state: DeliveryState) -> Bucket:
    """Which of the six totals of api.md a delivery counts in."""
    if state in WAITING:
        return Bucket.WAITING
    return Bucket(base(state).value)


def after_news(state: DeliveryState, news: DeliveryState, *, was_handed: bool) -> DeliveryState:
    """The state after late news of a provider (`accepted` or a receipt); never backwards.

    `was_handed`: the message was given to a provider at least once; without that, news of it
    cannot be true and changes nothing.
    """
    if state in UNSENT and not was_handed:
        return state
    return news if may_move(state, news) else state
