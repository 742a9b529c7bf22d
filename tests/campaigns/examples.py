"""Campaigns, people and events that the tests of this folder speak of."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from angarium.core.campaigns.definition import parse_campaign
from angarium.core.campaigns.machine import on_event, on_tick
from angarium.core.campaigns.rules import Rule, compile_rule
from angarium.core.campaigns.runs import (
    CANCELLED,
    Action,
    Cancel,
    Occurrence,
    Plan,
    Remember,
    Run,
    Start,
)
from angarium.core.campaigns.triggers import fits
from angarium.core.events.times import parse_instant
from angarium.core.segments.conditions import Facts

T0 = parse_instant("2026-11-22T10:00:00Z")
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

ANYBODY = Facts()


def campaign(send_at: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A definition that says nothing but when."""
    return {"name": "Any", "send_at": dict(send_at), "content": {"sms": {"text": "hi"}}, **more}


def rule_of(send_at: Mapping[str, Any], *, activated_at: int = 0, **more: Any) -> Rule:
    """Its rule; `activated_at` in ms after 1970."""
    definition = parse_campaign(campaign(send_at, **more))
    return compile_rule(
        "default", "cmp_1", 1, definition, zone="Asia/Tehran", activated_at=activated_at
    )


CART: Mapping[str, Any] = {
    "trigger": {"event": "AddToCart"},
    "delay": "P1D",
    "stop": {"event": "Purchase"},
}


class Journal:
    """What becomes of one person under one rule, as the worker that saves the actions sees it."""

    def __init__(self, rule: Rule, facts: Facts = ANYBODY, profile: str = "prf_1") -> None:
        self.rule = rule
        self.facts = facts
        self.profile = profile
        self.runs: dict[str, Run] = {}
        self.messages: list[Run] = []
        self.stops: list[Occurrence] = []
        self.count = 0

    def say(
        self,
        name: str,
        at: int,
        *,
        now: int | None = None,
        device: str | None = None,
        id: str = "",
        **properties: Any,
    ) -> Sequence[Action]:
        """An event that happened at `at` (ms after T0) arrives at `now` (by default at once)."""
        self.count += 1
        message_id = id or f"m{self.count:03}"
        occurrence = Occurrence(name, properties, T0 + at, message_id, device)
        return self.hear(occurrence, T0 + (at if now is None else now))

    def hear(self, occurrence: Occurrence, now: int) -> Sequence[Action]:
        """The same for an event that is made already."""
        said = (occurrence.name, occurrence.properties, occurrence.at)
        if self.rule.stop is not None and fits(self.rule.stop, *said):
            self.stops.append(occurrence)
        same = [stop.at for stop in self.stops if stop.device == occurrence.device]
        actions = on_event(
            self.rule,
            [run for run in self.runs.values() if run.state != CANCELLED],
            occurrence,
            self.facts,
            now,
            profile=self.profile,
            stopped_at=max((stop.at for stop in self.stops), default=None),
            device_stopped_at=max(same, default=None),
        )
        self.save(actions)
        return actions

    def tick(self, at: int) -> Sequence[Action]:
        """The clock shows `at` (ms after T0)."""
        done: list[Action] = []
        for run in self.waiting:
            done += on_tick(self.rule, run, self.facts, T0 + at)
        self.save(done)
        return done

    def save(self, actions: Sequence[Action]) -> None:
        """Do what the actions say."""
        for action in actions:
            match action:
                case Start(run) | Remember(run):
                    self.runs[run.id] = run
                case Plan(run):
                    self.runs[run.id] = run
                    self.messages.append(run)
                case Cancel(run_id, reason):
                    self.runs[run_id] = replace(self.runs[run_id], state=CANCELLED, reason=reason)
                case _:
                    pass

    @property
    def waiting(self) -> list[Run]:
        """The runs that wait, by the time of their trigger."""
        found = [run for run in self.runs.values() if run.state == "waiting"]
        return sorted(found, key=lambda run: (run.triggered_at, run.context["messageId"]))

    @property
    def waits_for(self) -> list[int]:
        """The triggers that wait, in ms after T0."""
        return [run.triggered_at - T0 for run in self.waiting]

    @property
    def sent(self) -> list[int]:
        """The triggers whose messages went out, in ms after T0."""
        return [run.triggered_at - T0 for run in self.messages]


def kinds(actions: Sequence[Action]) -> list[str]:
    """What the actions are, by name."""
    return [type(action).__name__ for action in actions]
