"""What a batch of events means for campaigns: runs begun, stopped, collapsed, in its transaction.

The machine (core.campaigns.machine) decides; here its facts are gathered and its actions saved.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from angarium.core.campaigns import machine
from angarium.core.campaigns.rules import Rule, RuleBook
from angarium.core.campaigns.runs import Occurrence
from angarium.core.events.message import Message
from angarium.core.people.profile import Profile
from angarium.core.segments.conditions import Facts
from angarium.core.store import ledger, runs
from angarium.core.store.changes import Changes
from angarium.core.store.people import TotalsKey
from angarium.core.store.protocol import Transaction
from angarium.core.store.runs import StoredRun
from angarium.core.workers.actions import Actions, Found
from angarium.core.workers.identities import Merge
from angarium.core.workers.people import People
from angarium.core.workers.planning import reachable
from angarium.core.workers.rules import RuleShelf
from angarium.core.workers.stops import Stops

Key = tuple[str, str]
"""(profile id, campaign id)"""


class Enrolment:
    """One batch of one workspace."""

    def __init__(self, shelf: RuleShelf, workspace: str, now: int, shard: int) -> None:
        self._shelf = shelf
        self._book: RuleBook = shelf.book(workspace)
        self._workspace = workspace
        self._now = now
        self._runs: dict[Key, Found] = {}
        self._stops = Stops(workspace)
        self._actions = Actions(shelf, workspace, now, shard)

    def totals_needed(self, occurred: Iterable[TotalsKey]) -> set[TotalsKey]:
        """The totals that rules will look at because of these events."""
        return {
            (profile, event)
            for profile, name in occurred
            for event in self._book.events_needed(name)
        }

    async def load(self, tx: Transaction, pairs: Sequence[tuple[Message, str]]) -> None:
        """Read the runs of the people to whom these messages happened, where a rule cares."""
        concerned = [(m, owner) for m, owner in pairs if m.name in self._book.by_event]
        if not concerned:
            return
        longest = max(rule.delay for m, _ in concerned for rule in self._book.by_event[m.name])
        since = min(message.at for message, _ in concerned) - longest
        await self._load_runs(tx, {owner for _, owner in concerned}, since)
        rules = {id(r): r for m, _ in concerned for r in self._book.by_event[m.name]}
        await self._stops.load(tx, rules.values(), concerned)

    async def _load_runs(self, tx: Transaction, profiles: Collection[str], since: int) -> None:
        for stored in await runs.list_runs(tx, self._workspace, profiles, since):
            key = (stored.profile_id, stored.run.campaign)
            self._runs.setdefault(key, {})[stored.run.id] = stored

    def occurred(self, crowd: People, person: Profile, message: Message) -> None:
        """Ask every rule that names the event; call it once for each message, in order."""
        rules = self._book.by_event.get(message.name)
        if rules is None:
            return
        self._stops.add(person.id, message)
        name, properties, at = message.name, message.properties, message.at
        occurrence = Occurrence(name, properties, at, message.id, message.device_id)
        facts: Facts | None = None
        for rule in rules:
            stops, enters = machine.meaning(rule, name, properties, at)
            if not (stops or enters):
                continue
            found = self._runs.setdefault((person.id, rule.campaign), {})
            if not (enters or found):
                self._actions.withdraw(person, machine.withdrawal(rule, occurrence))
                continue
            if facts is None:
                facts = self._facts(crowd, person, name)
            self._ask(crowd, rule, person, message, occurrence, facts, found)

    def _ask(
        self,
        crowd: People,
        rule: Rule,
        person: Profile,
        message: Message,
        occurrence: Occurrence,
        facts: Facts,
        found: Found,
    ) -> None:
        stopped_at, device_stopped_at = self._stopped(crowd, rule, person.id, message)
        actions = machine.on_event(
            rule,
            [stored.run for stored in found.values()],
            occurrence,
            facts,
            self._now,
            profile=person.id,
            stopped_at=stopped_at,
            device_stopped_at=device_stopped_at,
        )
        self._actions.take(rule, person, actions, found, message)

    def _facts(self, crowd: People, person: Profile, name: str) -> Facts:
        wanted = self._book.events_needed(name) | {name}
        events = {event: crowd.totals_of(person.id, event) for event in wanted}
        return facts_of(
            person,
            {event: totals for event, totals in events.items() if totals is not None},
            self._shelf,
            self._book.asks_reachable,
        )

    def _stopped(
        self, crowd: People, rule: Rule, profile: str, message: Message
    ) -> tuple[int | None, int | None]:
        """When the last stop was, and the last from the message's device."""
        if rule.stop is None:
            return None, None
        if rule.stop_in_totals:
            totals = crowd.totals_of(profile, rule.stop.event)
            return (None if totals is None else totals.last_at), None
        return self._stops.last(rule, profile, None), self._stops.last(
            rule, profile, message.device_id
        )

    async def join(
        self, tx: Transaction, merges: Sequence[Merge], crowd: People, changes: Changes
    ) -> None:
        """Two profiles became one: their runs and deliveries go along, doubled ones collapse."""
        for merge in merges:
            await tx.run(
                "move_runs",
                workspace=self._workspace,
                source=merge.source,
                target=merge.target,
                now=self._now,
            )
            await ledger.move_profile(
                tx, self._workspace, merge.source, merge.target, changes, self._now
            )
        await self._collapse(tx, crowd, {merge.target for merge in merges})

    async def _collapse(self, tx: Transaction, crowd: People, profiles: Collection[str]) -> None:
        await self._load_runs(tx, profiles, self._now)
        for (profile, campaign), found in list(self._runs.items()):
            if profile not in profiles or not found:
                continue
            version = max(stored.run.version for stored in found.values())
            rule = self._book.find_rule(campaign, version)
            if rule is None:
                continue
            waiting = [stored.run for stored in found.values()]
            stopped_at, devices = await self._stops.latest(tx, crowd, rule, profile, waiting)
            person = crowd.profiles[profile]
            actions = machine.collapse(
                rule,
                waiting,
                self._facts(crowd, person, rule.trigger.event),
                self._now,
                profile=profile,
                stopped_at=stopped_at,
                device_stopped_at=devices,
            )
            self._actions.take(rule, person, actions, found, None)

    async def collapse_moved(
        self, tx: Transaction, crowd: People, profiles: Collection[str]
    ) -> None:
        """After `move`: who has two runs of one campaign now has them as one person would."""
        for key in [key for key in self._runs if key[0] in profiles]:
            del self._runs[key]
        await self._collapse(tx, crowd, profiles)

    async def move(
        self, tx: Transaction, sources: Collection[str], moves: Mapping[str, str]
    ) -> None:
        """Triggers turned out to be somebody else's (message id to profile): so do their runs."""
        await self._actions.save_runs(tx)
        moved: list[StoredRun] = []
        for stored in await runs.list_runs(tx, self._workspace, sources, self._now):
            target = moves.get(str(stored.run.context.get("messageId")))
            if target is not None and target != stored.profile_id:
                moved.append(msgspec.structs.replace(stored, profile_id=target))
        await runs.save_runs(tx, moved, self._now)

    async def save(self, tx: Transaction, changes: Changes) -> None:
        """Write what the actions said."""
        await self._actions.save(tx, changes)


def facts_of(
    person: Profile, events: Mapping[str, Any], shelf: RuleShelf, asks_reachable: bool
) -> Facts:
    """What conditions see of a person."""
    if not asks_reachable:
        return Facts(person.attributes, events, person.user_id is not None)
    consents = {name: standing.state for name, standing in person.consents.items()}
    open_channels = reachable(person, shelf.channels)
    return Facts(person.attributes, events, person.user_id is not None, consents, open_channels)
