"""Try the next channel where nobody reacted to a message in time (S1.14).

Timers are rows (core.store.fallbacks). One is looked at when it runs out: whoever reacted needs no
other message; a message that went out later than planned is given its time; else the next channel
of the campaign that can reach the person gets a delivery, which passes all gates as any other.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog

from angarium.core.campaigns.definition import CampaignDefinition, parse_campaign
from angarium.core.delivery.fallback import ask_at, in_its_place
from angarium.core.delivery.record import Delivery, NewDelivery
from angarium.core.delivery.rules import NO_RULES, MessageRules
from angarium.core.people.profile import Profile
from angarium.core.segments.conditions import InvalidDefinition
from angarium.core.store import fallbacks, ledger, people
from angarium.core.store.changes import Changes
from angarium.core.store.errors import StoreError
from angarium.core.store.fallbacks import Key
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.rechecks import find_reactions
from angarium.core.store.recipients import VersionKey, definitions
from angarium.core.workers.clock import Now
from angarium.core.workers.crash import crash_point
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.planning import (
    Channels,
    Wanted,
    channels_after,
    choose_channels,
    expiry,
    fallback_after,
)

log: Any = structlog.get_logger()

LOOK_SECONDS = 0.25
PAUSE_SECONDS = 0.5
TIMERS_AT_ONCE = 500


class _Found(msgspec.Struct, frozen=True):
    """All about the deliveries to be looked at."""

    deliveries: Mapping[Key, Delivery]
    reactions: Mapping[Key, frozenset[str]]
    definitions: Mapping[VersionKey, CampaignDefinition]
    people: Mapping[Key, Profile]


class Fallbacks:
    """Any number of processes may run one: what one has in hand the others wait for."""

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        channels: Channels,
        now: Now,
        rules: MessageRules = NO_RULES,
    ) -> None:
        """`rules`: the operator's."""
        self._store = store
        self._publisher = publisher
        self._channels = channels
        self._now = now
        self._rules = rules

    async def run(self) -> None:
        """Look four times a second until cancelled."""
        while True:
            try:
                looked = await self.fire()
            except StoreError as error:
                log.warning("fallbacks_wait", reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if looked < TIMERS_AT_ONCE:
                await asyncio.sleep(LOOK_SECONDS)

    async def fire(self) -> int:
        """Deal with what has run out, a batch at most; how many timers that were."""
        async with self._store.reading() as tx:
            due = await fallbacks.next_due(tx)
        if due is None or due > self._now():
            return 0
        looked = await self._publisher.commit(self._fire)
        crash_point("fallbacks.committed")
        return looked

    async def _fire(self, tx: Transaction, changes: Changes) -> int:
        now = self._now()
        due = await fallbacks.list_due(tx, now, TIMERS_AT_ONCE)
        found = await _find(tx, due, now)
        times: dict[Key, int] = {}
        missed: list[tuple[Delivery, Wanted]] = []
        for key, delivery in found.deliveries.items():
            match _decide(delivery, found, now):
                case int(at):
                    times[key] = at
                case Wanted() as wanted:
                    missed.append((delivery, wanted))
                case None:
                    pass
        gone = {key for key, profile in due.items() if profile is None}
        await fallbacks.drop(tx, (found.deliveries.keys() - times.keys()) | gone)
        await fallbacks.set_timers(tx, times)
        await ledger.plan(tx, await self._next(tx, missed, now), changes)
        crash_point("fallbacks.before_commit")
        return len(found.deliveries) + len(gone)

    async def _next(
        self, tx: Transaction, missed: Sequence[tuple[Delivery, Wanted]], now: int
    ) -> list[NewDelivery]:
        """What goes in the place of messages that nobody reacted to."""
        wanted = [one for _, one in missed]
        chosen = await choose_channels(tx, wanted, self._channels, self._rules)
        planned: list[NewDelivery] = []
        for (delivery, one), channel in zip(missed, chosen, strict=True):
            expires_at = expiry(one.definition, channel, now, self._rules)
            after = fallback_after(one.definition, channel)
            planned.append(in_its_place(delivery, channel, now, expires_at, after))
        return planned


def _decide(delivery: Delivery, found: _Found, now: int) -> Wanted | int | None:
    """Who is to be sent something else, or when to look again; None: it is not needed, or nothing
    can."""
    person = found.people.get((delivery.workspace, delivery.profile_id))
    definition = found.definitions.get(_version(delivery))
    if person is None or definition is None or definition.content.fallback is None:
        return None
    fallback = definition.content.fallback
    if fallback.unless & found.reactions[delivery.key]:
        return None
    at = ask_at(delivery, fallback.after, now)
    if at is None or at > now:
        return at
    order = channels_after(definition, delivery.channel)
    if not order:
        return None
    return Wanted(delivery.workspace, person, definition, order, now, delivery.device)


async def _find(tx: Transaction, due: Mapping[Key, str | None], now: int) -> _Found:
    """Whoever stops or merges these people waits until the end, or has been waited for."""
    owners = {(key[0], profile) for key, profile in due.items() if profile is not None}
    if owners:
        await tx.fetch("lock_revisions", keys=sorted(owners))
    held = await fallbacks.lock_due(tx, due.keys(), now)
    rows = await ledger.lock(tx, held)
    deliveries = {row.key: row for row in rows if row.profile_id == due[row.key]}
    everybody: dict[Key, Profile] = {}
    for workspace in {workspace for workspace, _ in owners}:
        ids = {profile for one, profile in owners if one == workspace}
        found = await people.find_profiles(tx, workspace, ids)
        everybody |= {(workspace, id): person for id, person in found.items()}
    versions = await definitions(tx, {_version(row) for row in deliveries.values()})
    return _Found(
        deliveries,
        await find_reactions(tx, deliveries.keys()),
        {key: read for key, text in versions.items() if (read := _read(key, text)) is not None},
        everybody,
    )


def _version(delivery: Delivery) -> VersionKey:
    return (delivery.workspace, delivery.campaign, delivery.version)


def _read(key: VersionKey, text: str) -> CampaignDefinition | None:
    try:
        return parse_campaign(text)
    except InvalidDefinition as error:
        log.error("definition_unreadable", campaign=key[1], version=key[2], reason=str(error))
        return None
