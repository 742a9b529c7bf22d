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

## Reasons

A row that is `held`, `skipped` or `cancelled` says why; `GET /v1/deliveries/stats?group_by=reason`
counts by it, and `GET /v1/profiles/{{userId}}/explain` shows what each gate saw. A row that is held
is asked again, at the latest when it expires.

| reason | state | why |
|---|---|---|
{reasons}

A gate of a plugin adds `plugin.<its name>`, with its own word behind a dot. `failed`, `in_doubt`
and a retry that is `held` give the provider's words, which begin with the provider's name.
"""

REASONS: Final[tuple[tuple[str, str, str], ...]] = (
    ("campaign_paused", "held", "somebody paused the campaign"),
    ("quiet_hours", "held", "it is night for the person (`messages.quiet_hours`): until it ends"),
    ("frequency_cap", "held", "the person had enough (`messages.caps`): until there is room"),
    ("active_hours", "held", "the campaign does not send at this time of the person's day"),
    ("no_provider", "held", "no provider delivers on the channel"),
    ("no_code", "held", "the campaign's list has no promo code left: until more are uploaded"),
    (
        "provider_paused",
        "held",
        "the provider wants no messages now, or fails whatever it is given",
    ),
    ("provider_busy", "held", "the provider has no place free, or its `per_second` is reached"),
    ("gate_error", "held", "a gate failed; the log says how"),
    ("campaign_draft", "skipped", "the campaign was never activated"),
    ("campaign_archived", "skipped", "the campaign is over"),
    ("campaign_gone", "skipped", "there is no such campaign"),
    ("expired", "skipped", "its time was over, also while it was held"),
    ("expires_in_quiet_hours", "skipped", "its time would be over when the person's night is"),
    ("expires_before_active_hours", "skipped", "its time would be over when the campaign sends"),
    ("person_gone", "skipped", "the person was erased"),
    ("left_audience", "skipped", "the person left the audience, and leaving cancels"),
    ("reacted", "skipped", "the person reacted to the message in whose place it would go"),
    ("opted_out", "skipped", "the person does not want the channel's messages"),
    ("not_opted_in", "skipped", "the person has not allowed the channel's messages"),
    ("no_address", "skipped", "nothing is known under which to reach the person"),
    ("bad_address", "skipped", "the address cannot be one"),
    ("address_dead", "skipped", "the provider said that nothing arrives there any more"),
    (
        "suppressed",
        "skipped",
        "the address bounced, complained or answered STOP, or an operator said so",
    ),
    ("app_closed", "skipped", "it is only for an app that is open (`live`), and theirs is not"),
    ("limit_reached", "skipped", "the campaign's own limit for each person"),
    ("stopped", "cancelled", "the stop event happened"),
)
"""Every word of ours: (reason, state, what it means)."""

_DRAWN_LATE: Final = (DeliveryState.HANDED, DeliveryState.IN_DOUBT)


def states_page() -> str:
    """docs/delivery-states.md."""
    receipts = [state for state in DeliveryState if is_receipt(state)]
    ordered = sorted(receipts, key=lambda state: len(TRANSITIONS[state]), reverse=True)
    return _PAGE.format(
        arrows="\n".join(_arrows()),
        rows="\n".join(_row(state) for state in DeliveryState),
        receipts=", ".join(ordered),
        reasons="\n".join(f"| `{name}` | {state} | {why} |" for name, state, why in REASONS),
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
