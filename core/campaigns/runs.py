"""Runs, what happens to people, and what is to be done about it: the values that the machine takes
and gives."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

WAITING: Literal["waiting"] = "waiting"
SENT: Literal["sent"] = "sent"
CANCELLED: Literal["cancelled"] = "cancelled"

WAIT = "wait"
SEND = "send"


class Occurrence(msgspec.Struct, frozen=True):
    """The event at hand. at: its own time in ms. device: its id, or None."""

    name: str
    properties: Mapping[str, Any]
    at: int
    message_id: str
    device: str | None = None


class Run(msgspec.Struct, frozen=True):
    """One person's way through one version of a campaign; instants in ms.

    state: `waiting` until it is due, `sent` once its message is planned, `cancelled`. step: `wait`
    or `send`. device: that of the trigger. reason: why it was cancelled. context, as JSON:
    `event` (the trigger's name, properties, timestamp, for templates), `messageId`, and, while the
    run waits, `others`: triggers that take its place if it is stopped.
    """

    id: str
    campaign: str
    version: int
    state: Literal["waiting", "sent", "cancelled"]
    step: str
    due_at: int | None
    triggered_at: int
    device: str | None
    context: Mapping[str, Any]
    reason: str | None = None


class Start(msgspec.Struct, frozen=True):
    """Save a run that waits until `run.due_at`: a new one, or one that had given way to another."""

    run: Run


class Remember(msgspec.Struct, frozen=True):
    """Save the context of a run that goes on waiting."""

    run: Run


class Plan(msgspec.Struct, frozen=True):
    """Save the run, new or not, as sent, and plan its delivery, due at `run.due_at`."""

    run: Run


class Cancel(msgspec.Struct, frozen=True):
    """End a waiting run without a message.

    reason: `stopped`, `restarted` (a later trigger counts instead), `replaced` (an earlier one
    does), `left_audience`, `merged`.
    """

    run_id: str
    reason: str
    saw: Mapping[str, Any] = {}


class CancelDeliveries(msgspec.Struct, frozen=True):
    """Cancel what is planned and not yet handed over, of triggers at or before `until` (ms).

    same_device: only of triggers from `device`, or from no device. It changes nothing where
    nothing is open, so that it may be done for many stops in one statement.
    """

    campaign: str
    version: int
    until: int
    same_device: bool
    device: str | None


class Refuse(msgspec.Struct, frozen=True):
    """A trigger that starts no run of its own; `saw` is what decided it.

    reason: `stopped`, `not_in_audience`, `already_waiting`, `superseded` (a later one counts),
    `before_activation`.
    """

    reason: str
    saw: Mapping[str, Any]


class Wait(msgspec.Struct, frozen=True):
    """Ask again at `until` (ms)."""

    run_id: str
    until: int


Action = Start | Remember | Plan | Cancel | CancelDeliveries | Refuse | Wait
