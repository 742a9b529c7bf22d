"""The table of states as a page: a drawing, and what each state counts as."""

from collections.abc import Iterable
from typing import Final

from angarium.core.delivery.status import TRANSITIONS, DeliveryState, bucket, is_receipt

_PAGE: Final = """\
# States of a delivery

<!-- Made by core/delivery/drawing.py from the table in core/delivery/status.py; do not edit. -->

Every message to one person on one channel is one row of the ledger, in exactly one of these states.
A row only moves along an arrow. Arrows to the receipts lead from every state in which the message
may have been handed over; they are left out of the drawing where it would only be tangled by them,
and stand in the table.

```mermaid
stateDiagram-v2
{arrows}
```

| state | counts as | may become |
|---|---|---|
{rows}

In the statistics, planned is the sum of accepted, failed, skipped, cancelled, in doubt and waiting:
counters are moved in the transaction that moves the row, so they add up at every instant.
Receipts are counted beside accepted. Of two, the one later in this list stands, in whatever order
they come: {receipts}. What people do (shown, opened, clicked, dismissed, complained, unsubscribed,
converted) is counted apart, and moves a row only if nobody knew yet whether it was sent.
"""

_DRAWN_LATE: Final = (DeliveryState.HANDED, DeliveryState.IN_DOUBT)


def states_page() -> str:
    """docs/delivery-states.md."""
    receipts = [state for state in DeliveryState if is_receipt(state)]
    ordered = sorted(receipts, key=lambda state: len(TRANSITIONS[state]), reverse=True)
    return _PAGE.format(
        arrows="\n".join(_arrows()),
        rows="\n".join(_row(state) for state in DeliveryState),
        receipts=", ".join(ordered),
    )


def _arrows() -> Iterable[str]:
    yield "    [*] --> planned"
    for old in DeliveryState:
        for new in DeliveryState:
            if new in TRANSITIONS[old] and _is_drawn(old, new):
                yield f"    {old} --> {new}"
    for state in DeliveryState:
        if not TRANSITIONS[state]:
            yield f"    {state} --> [*]"


def _is_drawn(old: DeliveryState, new: DeliveryState) -> bool:
    """Late news is drawn from where it usually finds a message."""
    if is_receipt(new):
        return old is DeliveryState.ACCEPTED or is_receipt(old)
    return new is not DeliveryState.ACCEPTED or old in _DRAWN_LATE


def _row(state: DeliveryState) -> str:
    nexts = ", ".join(f"`{new}`" for new in DeliveryState if new in TRANSITIONS[state])
    return f"| `{state}` | {bucket(state).replace('_', ' ')} | {nexts or '–'} |"
