"""Active campaigns as rules, found by the names of the events that concern them."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from angarium.core.campaigns.definition import CampaignDefinition, parse_campaign
from angarium.core.campaigns.hours import ActiveHours
from angarium.core.campaigns.schedule import EventMatch, Retrigger
from angarium.core.segments.conditions import Condition, InvalidDefinition
from angarium.core.segments.reader import Fault

Version = tuple[str, int]
"""A campaign's id and the version of its definition."""


class Published(Protocol):
    """One version of a campaign as the store keeps it; `definition` is JSON, `activated_at` ms."""

    @property
    def workspace(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def definition(self) -> str: ...
    @property
    def activated_at(self) -> int: ...


class Rule(msgspec.Struct, frozen=True):
    """One version of a campaign, with what the machine asks of it at hand.

    delay: ms. zone: of people whose own is not known. entering: whether triggers start runs; of
    an older version only the runs that began with it are left to finish. same_event: the trigger
    and the stop are one event (S1.6). activated_at: ms; what would have been due well before it
    starts no run.
    """

    workspace: str
    campaign: str
    version: int
    definition: CampaignDefinition
    trigger: EventMatch
    delay: int
    stop: EventMatch | None
    retrigger: Retrigger
    same_device: bool
    audience: Condition | None
    leave_cancels: bool
    hours: ActiveHours | None
    zone: str
    entering: bool
    same_event: bool
    activated_at: int

    @property
    def stop_in_totals(self) -> bool:
        """Whether the totals tell when the last stop was; else the log of events has to."""
        return self.stop is not None and self.stop.where is None and not self.same_device


class RuleBook(msgspec.Struct, frozen=True):
    """The rules of one workspace.

    by_event: the rules of which the event is the trigger or the stop, older versions first.
    needed: see `events_needed`. unreadable: definitions that this version of Angarium cannot
    read; their campaigns stand still. asks_reachable: whether any audience reads
    `Facts.reachable`.
    """

    by_event: Mapping[str, tuple[Rule, ...]]
    by_version: Mapping[Version, Rule]
    needed: Mapping[str, frozenset[str]]
    unreadable: Mapping[Version, tuple[Fault, ...]]
    leave_cancels: tuple[Rule, ...]
    asks_reachable: bool

    def events_needed(self, name: str) -> frozenset[str]:
        """The events whose totals decide what `name` starts: load them for who did `name`."""
        return self.needed.get(name, frozenset())

    def find_rule(self, campaign: str, version: int) -> Rule | None:
        """The rule by which a run goes on."""
        return self.by_version.get((campaign, version))


def compile_rule(
    workspace: str,
    campaign: str,
    version: int,
    definition: CampaignDefinition,
    *,
    zone: str,
    entering: bool = True,
    activated_at: int = 0,
) -> Rule:
    """The rule that a definition lays down; `zone` is for people whose own is not known."""
    on = definition.send_at
    return Rule(
        workspace=workspace,
        campaign=campaign,
        version=version,
        definition=definition,
        trigger=on.trigger,
        delay=on.delay,
        stop=on.stop,
        retrigger=on.retrigger,
        same_device=on.same_device,
        audience=definition.audience,
        leave_cancels=definition.leave_cancels and definition.audience is not None,
        hours=definition.active_hours,
        zone=zone,
        entering=entering,
        same_event=on.stop is not None and on.stop.event == on.trigger.event,
        activated_at=activated_at,
    )


def compile_rules(
    campaigns: Iterable[Published], *, zone: str, older: Iterable[Published] = ()
) -> RuleBook:
    """The rules of one workspace: of its active campaigns, and of `older` versions of them (or of
    paused ones) whose runs still wait: their stops count, their triggers do not."""
    rules: list[Rule] = []
    unreadable: dict[Version, tuple[Fault, ...]] = {}
    for entering, versions in ((False, older), (True, campaigns)):
        for one in versions:
            try:
                definition = parse_campaign(one.definition)
            except InvalidDefinition as error:
                unreadable[one.id, one.version] = error.errors
                continue
            rules.append(
                compile_rule(
                    one.workspace,
                    one.id,
                    one.version,
                    definition,
                    zone=zone,
                    entering=entering,
                    activated_at=one.activated_at,
                )
            )
    return _book(rules, unreadable)


def _book(rules: Iterable[Rule], unreadable: Mapping[Version, tuple[Fault, ...]]) -> RuleBook:
    by_version = {(rule.campaign, rule.version): rule for rule in rules}
    by_event: dict[str, list[Rule]] = {}
    needed: dict[str, frozenset[str]] = {}
    for rule in sorted(by_version.values(), key=lambda rule: (rule.campaign, rule.version)):
        for name in _reached_by(rule):
            by_event.setdefault(name, []).append(rule)
        if rule.entering:
            name = rule.trigger.event
            needed[name] = needed.get(name, frozenset()) | _read_by(rule)
    return RuleBook(
        by_event={name: tuple(found) for name, found in by_event.items()},
        by_version=by_version,
        needed=needed,
        unreadable=dict(unreadable),
        leave_cancels=tuple(rule for rule in by_version.values() if rule.leave_cancels),
        asks_reachable=any(
            rule.audience is not None and rule.audience.asks_reachable
            for rule in by_version.values()
        ),
    )


def _reached_by(rule: Rule) -> set[str]:
    names = {rule.trigger.event} if rule.entering else set[str]()
    return names | {rule.stop.event} if rule.stop is not None else names


def _read_by(rule: Rule) -> frozenset[str]:
    read = rule.audience.events if rule.audience is not None else frozenset[str]()
    return read | {rule.stop.event} if rule.stop is not None else read
