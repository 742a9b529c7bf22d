"""The machine that takes people through campaigns: (rule, runs, what happened) → what to do.

A campaign is a journey of two steps, `wait` and `send`. Everything is judged by event time, so that
whatever order messages arrive in, the same comes of them as long as nothing has been sent
(triggers.py says how). The caller saves what the actions say in the transaction in which it saves
the event, one rule's before it asks the next rule of the same campaign.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from angarium.core.campaigns.hours import next_open, zone_of
from angarium.core.campaigns.rules import Rule
from angarium.core.campaigns.runs import (
    SEND,
    SENT,
    WAIT,
    WAITING,
    Action,
    Cancel,
    CancelDeliveries,
    Occurrence,
    Plan,
    Refuse,
    Remember,
    Run,
    Start,
    Wait,
)
from angarium.core.campaigns.triggers import (
    Chosen,
    Trigger,
    arrange,
    fits,
    is_both,
    kills,
    triggers_of,
)
from angarium.core.delivery.keys import make_id
from angarium.core.events.times import MINUTE, format_instant
from angarium.core.segments.conditions import Facts, matches, saw

GRACE = 30 * MINUTE
"""How long before its activation a campaign's message may have been due: clocks are wrong, phones
tell of things minutes later, and who has just activated a campaign has just done what fires it."""

Triggers = Mapping[str, Trigger]
"""By message id."""


class Subject(msgspec.Struct, frozen=True):
    """One person under one rule."""

    rule: Rule
    profile: str
    facts: Facts
    now: int

    def due(self, at: int) -> int:
        """When the message for a trigger at `at` is due, by event time alone."""
        return self.open_at(at + self.rule.delay)

    def open_at(self, at: int) -> int:
        """The first instant at or after `at` that lies in the active hours."""
        hours = self.rule.hours
        if hours is None:
            return at
        return next_open(hours, zone_of(hours, self.facts.attributes, self.rule.zone), at)


def meaning(rule: Rule, name: str, properties: Mapping[str, Any], at: int) -> tuple[bool, bool]:
    """Whether an event is the rule's stop, and whether it is a trigger that counts."""
    stops = rule.stop is not None and fits(rule.stop, name, properties, at)
    return stops, rule.entering and fits(rule.trigger, name, properties, at)


def withdrawal(rule: Rule, stop: Occurrence) -> CancelDeliveries:
    """What comes of a stop where nobody waits: all of `on_event`'s answer, at less cost."""
    return CancelDeliveries(rule.campaign, rule.version, stop.at, rule.same_device, stop.device)


def on_event(
    rule: Rule,
    runs: Sequence[Run],
    occurrence: Occurrence,
    facts: Facts,
    now: int,
    *,
    profile: str,
    stopped_at: int | None = None,
    device_stopped_at: int | None = None,
) -> Sequence[Action]:
    """What comes of an event that the rule names as its trigger, its stop or both.

    runs: the person's waiting runs of this campaign, of every version; sent ones may be among
    them, and keep late triggers from sending a second time. facts: with this event counted.
    stopped_at: the time of the last known event that fits the stop (this one may be counted);
    device_stopped_at: of the last one from the same device, where `rule.same_device`.
    The run ids are made from the campaign, the profile and the trigger's message id.
    """
    name, properties, at = occurrence.name, occurrence.properties, occurrence.at
    stops, enters = meaning(rule, name, properties, at)
    if not (stops or enters):
        return ()
    said = Trigger(at, occurrence.message_id, occurrence.device, properties)
    waiting = [
        run for run in runs if run.state == WAITING and (enters or run.version == rule.version)
    ]
    known = _known(waiting)
    alive = _survivors(rule, waiting, said) if stops else known
    actions: list[Action] = [_cancel_deliveries(rule, said, enters)] if stops else []
    subject = Subject(rule, profile, facts, now)
    if enters:
        by_device = rule.same_device and said.device is not None
        last = device_stopped_at if by_device else stopped_at
        refusal = _refusal(subject, runs, said, stops, alive, last)
        if refusal is not None:
            actions.append(refusal)
        elif alive or known:
            alive = {**alive, said.message_id: said}
        else:
            actions.append(_begin(subject, said, ()))
    if alive.keys() != known.keys():
        actions += _settle(subject, waiting, alive, said)
    return actions


def on_tick(rule: Rule, run: Run, facts: Facts, now: int) -> Sequence[Action]:
    """What comes of a run whose time may have come."""
    if run.state != WAITING or run.due_at is None:
        return ()
    if run.due_at > now:
        return (Wait(run.id, run.due_at),)
    left = on_change(rule, (run,), facts, now)
    if left:
        return left
    until = Subject(rule, "", facts, now).open_at(now)
    if until > now:
        return (Wait(run.id, until),)
    return (Plan(_sent(run)),)


def on_change(rule: Rule, runs: Iterable[Run], facts: Facts, now: int) -> Sequence[Action]:
    """What comes of a change in the person: where the rule says so, who left the audience gets
    nothing (S1.7)."""
    audience = rule.audience
    if audience is None or not rule.leave_cancels or matches(audience, facts, now):
        return ()
    why = saw(audience, facts, now)
    return [Cancel(run.id, "left_audience", why) for run in runs if run.state == WAITING]


def collapse(
    rule: Rule,
    runs: Sequence[Run],
    facts: Facts,
    now: int,
    *,
    profile: str,
    stopped_at: int | None = None,
    device_stopped_at: Mapping[str, int] | None = None,
) -> Sequence[Action]:
    """What comes of two profiles being one: the same as if one person had done everything.

    runs: of both, as in `on_event`. stopped_at: the time of the last stop of either;
    device_stopped_at: by device, where `rule.same_device`.
    """
    subject = Subject(rule, profile, facts, now)
    waiting = [run for run in runs if run.state == WAITING]
    known = _known(waiting)
    devices = device_stopped_at or {}
    alive: dict[str, Trigger] = {}
    for trigger in known.values():
        by_device = rule.same_device and trigger.device is not None
        last = devices.get(trigger.device or "") if by_device else stopped_at
        both = is_both(rule, trigger)
        stopped = _stopped(rule, trigger, both, known, last) is not None
        if not stopped and _covered(subject, runs, trigger) is None:
            alive[trigger.message_id] = trigger
    return _settle(subject, waiting, alive, None)


def _known(waiting: Iterable[Run]) -> dict[str, Trigger]:
    return {t.message_id: t for run in waiting for t in triggers_of(run)}


def _survivors(rule: Rule, waiting: Iterable[Run], stop: Trigger) -> dict[str, Trigger]:
    """A version's stop is its own: a run finishes by the rules that it began with."""
    return {
        trigger.message_id: trigger
        for run in waiting
        for trigger in triggers_of(run)
        if run.version != rule.version or not kills(rule, stop, trigger)
    }


def _cancel_deliveries(rule: Rule, stop: Trigger, enters: bool) -> CancelDeliveries:
    until = stop.at - 1 if enters else stop.at
    return CancelDeliveries(rule.campaign, rule.version, until, rule.same_device, stop.device)


def _refusal(
    subject: Subject,
    runs: Iterable[Run],
    said: Trigger,
    stops: bool,
    alive: Triggers,
    last: int | None,
) -> Refuse | None:
    """Why a trigger may not start a run, if there is a reason in what is known already."""
    rule = subject.rule
    if said.at + rule.delay < rule.activated_at - GRACE:
        return Refuse("before_activation", {"activatedAt": format_instant(rule.activated_at)})
    stopped = _stopped(rule, said, stops, alive, last)
    if stopped is not None and rule.stop is not None:
        return Refuse("stopped", {"event": rule.stop.event, "last": format_instant(stopped)})
    audience = rule.audience
    if audience is not None and not matches(audience, subject.facts, said.at):
        return Refuse("not_in_audience", saw(audience, subject.facts, said.at))
    return _covered(subject, runs, said)


def _stopped(
    rule: Rule, said: Trigger, stops: bool, known: Triggers, last: int | None
) -> int | None:
    """When a trigger was stopped, if it was. stops: it is itself a stop, and so may be `last`."""
    if last is not None and (last > said.at or (last == said.at and not stops)):
        return last
    if not rule.same_event:
        return None
    return max(
        (one.at for one in known.values() if is_both(rule, one) and kills(rule, one, said)),
        default=None,
    )


def _covered(subject: Subject, runs: Iterable[Run], said: Trigger) -> Refuse | None:
    """Whether a message has been sent in whose time of waiting the trigger has its place."""
    for run in runs:
        if run.state != SENT:
            continue
        mode = subject.rule.retrigger
        if mode == "restart" and said.at < run.triggered_at < subject.due(said.at):
            return Refuse("superseded", {"latest": format_instant(run.triggered_at)})
        if mode == "ignore" and run.triggered_at <= said.at < subject.due(run.triggered_at):
            return Refuse("already_waiting", {"since": format_instant(run.triggered_at)})
    return None


def _settle(
    subject: Subject, waiting: Sequence[Run], alive: Triggers, said: Trigger | None
) -> list[Action]:
    """Bring the waiting runs in line with the triggers that are alive."""
    chosen = arrange(subject.rule, alive.values(), subject.due)
    actions: list[Action] = []
    held: set[str] = set()
    for run in waiting:
        message_id = run.context["messageId"]
        if message_id not in chosen or message_id in held:
            actions.append(_cancelled(subject.rule, run, alive, said))
            continue
        held.add(message_id)
        others = chosen[message_id][1]
        if others != tuple(triggers_of(run)[1:]):
            actions.append(Remember(_remembering(run, others)))
    for message_id, (trigger, others) in chosen.items():
        if message_id not in held:
            actions.append(_begin(subject, trigger, others))
    if said is not None and said.message_id in alive and said.message_id not in chosen:
        actions.append(_gave_way(subject.rule, said, chosen))
    return actions


def _cancelled(rule: Rule, run: Run, alive: Triggers, said: Trigger | None) -> Cancel:
    if said is None:
        return Cancel(run.id, "merged")
    if run.context["messageId"] in alive:
        reason = "restarted" if rule.retrigger == "restart" else "replaced"
        return Cancel(run.id, reason, {"trigger": format_instant(said.at)})
    stop = rule.stop.event if rule.stop is not None else ""
    return Cancel(run.id, "stopped", {"event": stop, "at": format_instant(said.at)})


def _gave_way(rule: Rule, said: Trigger, chosen: Chosen) -> Refuse:
    times = [trigger.at for trigger, _ in chosen.values()]
    if rule.retrigger == "restart":
        return Refuse("superseded", {"latest": format_instant(max(times))})
    since = max(at for at in times if at <= said.at)
    return Refuse("already_waiting", {"since": format_instant(since)})


def _begin(subject: Subject, trigger: Trigger, others: tuple[Trigger, ...]) -> Start | Plan:
    rule, now = subject.rule, subject.now
    due = subject.due(trigger.at)
    context: dict[str, Any] = {
        "event": {
            "name": rule.trigger.event,
            "properties": trigger.properties,
            "timestamp": format_instant(trigger.at),
        },
        "messageId": trigger.message_id,
    }
    run = Run(
        id=make_id("run_", rule.workspace, rule.campaign, subject.profile, trigger.message_id),
        campaign=rule.campaign,
        version=rule.version,
        state=WAITING,
        step=WAIT,
        due_at=due,
        triggered_at=trigger.at,
        device=trigger.device,
        context=context,
    )
    if rule.delay == 0 and due == trigger.at and subject.open_at(now) == now:
        return Plan(_sent(run))
    return Start(_remembering(run, others) if others else run)


def _sent(run: Run) -> Run:
    return msgspec.structs.replace(_remembering(run, ()), state=SENT, step=SEND)


def _remembering(run: Run, others: tuple[Trigger, ...]) -> Run:
    context = {name: value for name, value in run.context.items() if name != "others"}
    if others:
        context["others"] = msgspec.to_builtins(list(others))
    return msgspec.structs.replace(run, context=context)
