"""When stop events happened, for rules that need to know more than the totals tell.

Those are rules whose stop has a `where`, and those that ask from which device it came.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from angarium.core.campaigns.rules import Rule
from angarium.core.campaigns.runs import Run
from angarium.core.campaigns.triggers import fits, triggers_of
from angarium.core.events.message import Message
from angarium.core.store.protocol import Transaction
from angarium.core.workers.people import People

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Stop(msgspec.Struct, frozen=True):
    """One occurrence of an event that is the stop of some rule."""

    at: int
    device: str | None
    properties: Mapping[str, Any]


class Stops:
    """Of the people of one batch: what the log tells, and what the batch adds."""

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace
        self._found: dict[tuple[str, str], list[Stop]] = {}

    async def load(
        self,
        tx: Transaction,
        rules: Iterable[Rule],
        concerned: Sequence[tuple[Message, str]],
    ) -> None:
        """Read what happened since the earliest of these triggers."""
        stops = {rule.stop.event for rule in rules if rule.stop and not rule.stop_in_totals}
        for name in sorted(stops):
            profiles = {owner for _, owner in concerned}
            since = min(message.at for message, _ in concerned)
            await self._read(tx, name, profiles, since)

    async def _read(self, tx: Transaction, name: str, profiles: Iterable[str], since: int) -> None:
        ids = sorted(profiles)
        rows = await tx.fetch(
            "list_occurrences", workspace=self._workspace, ids=ids, name=name, since=since
        )
        for id in ids:
            self._found[(id, name)] = []
        for profile, at, device, body in rows:
            self._found[(profile, name)].append(Stop(at, device, _decode(body)))

    def add(self, profile: str, message: Message) -> None:
        """One more occurrence, where anybody asks for that event."""
        found = self._found.get((profile, message.name))
        if found is not None:
            found.append(Stop(message.at, message.device_id, message.properties))

    def last(self, rule: Rule, profile: str, device: str | None) -> int | None:
        """The time of the last one that fits the rule's stop; from `device`, unless None."""
        if rule.stop is None:
            return None
        times = [
            stop.at
            for stop in self._found.get((profile, rule.stop.event), ())
            if device in (None, stop.device)
            and fits(rule.stop, rule.stop.event, stop.properties, stop.at)
        ]
        return max(times, default=None)

    async def latest(
        self, tx: Transaction, crowd: People, rule: Rule, profile: str, runs: Sequence[Run]
    ) -> tuple[int | None, dict[str, int]]:
        """The time of the last stop known of a person, and by device."""
        if rule.stop is None:
            return None, {}
        if rule.stop_in_totals:
            await crowd.load_totals(tx, [(profile, rule.stop.event)])
            totals = crowd.totals_of(profile, rule.stop.event)
            return (None if totals is None else totals.last_at), {}
        since = min(trigger.at for run in runs for trigger in triggers_of(run))
        await self._read(tx, rule.stop.event, [profile], since)
        devices = {run.device for run in runs if run.device is not None}
        by_device = {device: self.last(rule, profile, device) for device in devices}
        return self.last(rule, profile, None), {
            d: at for d, at in by_device.items() if at is not None
        }
