"""Which triggers count, judged by event time alone, so that any order of arrival gives the same.

A trigger is *alive* while no stop that counts for it is known at or after it. Of a person's alive
triggers `restart` sends for the latest, `ignore` for the earliest of each time of waiting, and
`each` for every one. So a stop that comes late may bring back a trigger that had given way to the
one it stops: the waiting run remembers those.

Which stops count for a trigger: every one; with `same_device` those from its device (for a trigger
without a device, every one). At the very instant of the trigger a stop counts as later, unless it
is the same message. Of two messages at one instant that are trigger and stop in one, the larger
message id counts as later.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from angarium.core.campaigns.rules import Rule
from angarium.core.campaigns.runs import Run
from angarium.core.campaigns.schedule import EventMatch
from angarium.core.segments.conditions import where_matches

OTHERS_KEPT = 20
"""Triggers that one run remembers: the earliest ones and the last."""


class Trigger(msgspec.Struct, frozen=True, array_like=True):
    """A message as trigger or stop."""

    at: int
    message_id: str
    device: str | None
    properties: Mapping[str, Any]


Due = Callable[[int], int]
"""When the message for a trigger at that instant is due, in ms."""

Chosen = Mapping[str, tuple[Trigger, tuple[Trigger, ...]]]
"""By message id: a trigger that waits, and those it remembers."""


def fits(match: EventMatch, name: str, properties: Mapping[str, Any], at: int) -> bool:
    """Whether an event is the one that is meant."""
    if match.event != name:
        return False
    return match.where is None or where_matches(match.where, properties, at)


def triggers_of(run: Run) -> list[Trigger]:
    """The trigger of a waiting run, and those it remembers."""
    context = run.context
    properties = context["event"]["properties"]
    own = Trigger(run.triggered_at, context["messageId"], run.device, properties)
    others = context.get("others")
    return [own, *msgspec.convert(others, list[Trigger])] if others else [own]


def kills(rule: Rule, stop: Trigger, trigger: Trigger) -> bool:
    """Whether a stop counts for a trigger and is later."""
    if stop.message_id == trigger.message_id:
        return False
    if rule.same_device and trigger.device is not None and trigger.device != stop.device:
        return False
    if stop.at != trigger.at:
        return stop.at > trigger.at
    return not (is_both(rule, stop) and is_both(rule, trigger)) or (
        stop.message_id > trigger.message_id
    )


def is_both(rule: Rule, said: Trigger) -> bool:
    """Whether a message that is a trigger or a stop is trigger and stop in one (S1.6)."""
    if not rule.same_event or rule.stop is None:
        return False
    name = rule.trigger.event
    return all(fits(m, name, said.properties, said.at) for m in (rule.trigger, rule.stop))


def arrange(rule: Rule, alive: Iterable[Trigger], due: Due) -> Chosen:
    """Which of the alive triggers wait, and which of the rest each of them remembers."""
    triggers = sorted(alive, key=_order)
    if rule.retrigger == "each":
        return {trigger.message_id: (trigger, ()) for trigger in triggers}
    if rule.retrigger == "restart":
        return _latest(triggers, rule.same_device)
    return _earliest(triggers, due)


def _order(trigger: Trigger) -> tuple[int, str]:
    return (trigger.at, trigger.message_id)


def _latest(triggers: Sequence[Trigger], same_device: bool) -> Chosen:
    """Whatever stops the latest stops the earlier ones too, but those of other devices."""
    if not triggers:
        return {}
    chosen = triggers[-1]
    others: dict[str, Trigger] = {}
    if same_device:
        for trigger in triggers:
            if trigger.device is not None and trigger.device != chosen.device:
                others[trigger.device] = trigger
    kept = sorted(others.values(), key=_order)[-OTHERS_KEPT:]
    return {chosen.message_id: (chosen, tuple(kept))}


def _earliest(triggers: Sequence[Trigger], due: Due) -> Chosen:
    chosen: dict[str, tuple[Trigger, tuple[Trigger, ...]]] = {}
    first: Trigger | None = None
    others: list[Trigger] = []
    until = 0
    for trigger in triggers:
        if first is not None and trigger.at < until:
            others.append(trigger)
            continue
        if first is not None:
            chosen[first.message_id] = (first, _kept(others))
        first, others, until = trigger, [], due(trigger.at)
    if first is not None:
        chosen[first.message_id] = (first, _kept(others))
    return chosen


def _kept(others: list[Trigger]) -> tuple[Trigger, ...]:
    if len(others) > OTHERS_KEPT:
        return (*others[: OTHERS_KEPT - 1], others[-1])
    return tuple(others)
