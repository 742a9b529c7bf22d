"""Gather, for a batch of claimed deliveries, all that the gates and the templates need."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog

from angarium.core.campaigns.definition import CampaignDefinition, parse_campaign
from angarium.core.delivery.addresses import (
    BadAddress,
    consent_to,
    find_address,
    sight_of_app,
    type_of_device,
    with_open_app,
)
from angarium.core.delivery.attempt import Attempt, CampaignRules, Person
from angarium.core.delivery.codes import code_of
from angarium.core.delivery.fallback import earlier_than
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.render import Design, design
from angarium.core.delivery.rules import NO_RULES, MessageRules, Received, longest
from angarium.core.events.totals import EventTotals
from angarium.core.segments.conditions import Facts, InvalidDefinition, events_used
from angarium.core.store.attempts import Recent
from angarium.core.store.ledger import Key
from angarium.core.store.people import find_totals
from angarium.core.store.protocol import Transaction
from angarium.core.store.rechecks import ReceivedKey, Seen, find_reactions, list_received
from angarium.core.store.recipients import (
    AddressKey,
    RecentKey,
    Recipient,
    VersionKey,
    campaign_states,
    count_recent,
    definitions,
    find_recipients,
    find_suppressed,
)
from angarium.plugins import Channel

log: Any = structlog.get_logger()

VERSIONS_KEPT = 1_000


class Case(msgspec.Struct, frozen=True):
    """One delivery with everything about it, as of one instant.

    design: what is written for the channel (None: nothing that can be read). revision: the
    profile's. recent: what the limit counted (None: there is no limit). seen: what others may
    change meanwhile. platform: the type of the device, where that is asked for and known.
    """

    attempt: Attempt
    campaign_name: str
    design: Design | None
    revision: int | None
    recent: Recent | None
    seen: Seen
    platform: str | None = None


class Version(msgspec.Struct):
    """A campaign's version as sending needs it; designs by channel, as they are asked for."""

    definition: CampaignDefinition
    designs: dict[str, Design | None] = {}


class Outlet(msgspec.Struct, frozen=True):
    """The channel; ask_platform: its providers differ in the types of device that they send to."""

    channel: Channel
    ask_platform: bool = False


class _Loaded(msgspec.Struct):
    recipients: Mapping[Key, Recipient]
    states: Mapping[Key, tuple[str, str]]
    recent: Mapping[RecentKey, int]
    totals: Mapping[tuple[str, str], EventTotals]
    received: Mapping[Key, Sequence[Received]]
    reactions: Mapping[Key, frozenset[str]]
    suppressed: Mapping[AddressKey, str] = {}


class FactFinder:
    """Reads facts in batches; keeps the campaign versions that it has read: they never change."""

    def __init__(
        self, channels: Mapping[str, Channel], zone: str, rules: MessageRules = NO_RULES
    ) -> None:
        """`channels`: all media by name. `zone`: of people who have none of their own (IANA)."""
        self._channels = channels
        self._rules = rules
        self._zone = zone
        self._versions: dict[VersionKey, Version | None] = {}

    async def find(
        self, tx: Transaction, deliveries: Sequence[Delivery], outlet: Outlet, now: int
    ) -> list[Case]:
        """One case for each delivery, all of `outlet`'s channel, in their order."""
        await self._read_versions(tx, {_version(delivery) for delivery in deliveries})
        loaded = await self._load(tx, deliveries, now)
        people = [self._person(delivery, loaded, outlet, now) for delivery in deliveries]
        addresses = {
            (delivery.workspace, delivery.channel, person.address)
            for delivery, person in zip(deliveries, people, strict=True)
            if person is not None and person.address
        }
        loaded.suppressed = await find_suppressed(tx, addresses)
        return [
            self._case(delivery, person, loaded, outlet, now)
            for delivery, person in zip(deliveries, people, strict=True)
        ]

    async def _read_versions(self, tx: Transaction, keys: set[VersionKey]) -> None:
        if len(self._versions) > VERSIONS_KEPT:
            self._versions.clear()
        missing = keys - self._versions.keys()
        found = await definitions(tx, missing)
        for key in missing & found.keys():
            self._versions[key] = _read(key, found[key])

    async def _load(self, tx: Transaction, deliveries: Sequence[Delivery], now: int) -> _Loaded:
        limits = {key for one in deliveries if (key := self._limited(one, now))}
        events: dict[str, set[tuple[str, str]]] = {}
        for delivery in deliveries:
            definition = self._definition(delivery)
            if definition and definition.leave_cancels and definition.audience is not None:
                for event in events_used(definition.audience):
                    events.setdefault(delivery.workspace, set()).add((delivery.profile_id, event))
        totals: dict[tuple[str, str], EventTotals] = {}
        for workspace, keys in events.items():
            totals |= await find_totals(tx, workspace, keys)
        return _Loaded(
            await find_recipients(tx, {(d.workspace, d.profile_id) for d in deliveries}),
            await campaign_states(tx, {(d.workspace, d.campaign) for d in deliveries}),
            await count_recent(tx, limits),
            totals,
            await list_received(tx, self._capped(deliveries, now)),
            await find_reactions(
                tx, {(d.workspace, id) for d in deliveries for id in earlier_than(d)}
            ),
        )

    def _capped(self, deliveries: Sequence[Delivery], now: int) -> set[ReceivedKey]:
        """Whose messages are to be counted, since when; each person once."""
        since: dict[Key, int] = {}
        for one in deliveries:
            at = self._since(one, now)
            if at is not None:
                person = (one.workspace, one.profile_id)
                since[person] = min(at, since.get(person, at))
        return {(*person, at) for person, at in since.items()}

    def _since(self, delivery: Delivery, now: int) -> int | None:
        """From when on the caps count that hold a delivery; None: none does."""
        caps = () if delivery.test else self._rules.caps_of(delivery.class_)
        return now - longest(caps) if caps else None

    def _person(
        self, delivery: Delivery, loaded: _Loaded, outlet: Outlet, now: int
    ) -> Person | None:
        recipient = loaded.recipients.get((delivery.workspace, delivery.profile_id))
        if recipient is None:
            return None
        contact, live = recipient.contact, self._is_live(delivery)
        if live:
            contact = with_open_app(outlet.channel, contact, now, self._rules.app_open)
        address, problem = "", ""
        try:
            address = find_address(outlet.channel, recipient.attributes, contact, delivery.device)
        except BadAddress as error:
            problem = str(error)
        consent = consent_to(outlet.channel, recipient.attributes, recipient.contact)
        facts = self._facts(delivery, recipient, loaded)
        app = sight_of_app(contact, address) if live else None
        return Person(facts, consent, address, problem, app=app)

    def _is_live(self, delivery: Delivery) -> bool:
        definition = self._definition(delivery)
        return definition is not None and definition.content.is_live(delivery.channel)

    def _facts(self, delivery: Delivery, recipient: Recipient, loaded: _Loaded) -> Facts:
        known = recipient.user_id is not None
        definition = self._definition(delivery)
        audience = definition.audience if definition and definition.leave_cancels else None
        if audience is None:
            return Facts(attributes=recipient.attributes, known=known)
        wanted = {event: (delivery.profile_id, event) for event in audience.events}
        totals = {
            event: loaded.totals[key] for event, key in wanted.items() if key in loaded.totals
        }
        consents = {
            name: consent_to(channel, recipient.attributes, recipient.contact)[0]
            for name, channel in self._channels.items()
        }
        return Facts(
            attributes=recipient.attributes,
            events=totals,
            known=known,
            consents=consents,
            reachable=self._reachable(recipient, consents) if audience.asks_reachable else (),
        )

    def _reachable(self, recipient: Recipient, consents: Mapping[str, str]) -> frozenset[str]:
        found: set[str] = set()
        for name, channel in self._channels.items():
            try:
                address = find_address(channel, recipient.attributes, recipient.contact, None)
            except BadAddress:
                continue
            if address and consents[name] == "opted_in":
                found.add(name)
        return frozenset(found)

    def _case(
        self,
        delivery: Delivery,
        person: Person | None,
        loaded: _Loaded,
        outlet: Outlet,
        now: int,
    ) -> Case:
        if person is not None and person.address:
            key = (delivery.workspace, delivery.channel, person.address)
            if key in loaded.suppressed:
                person = msgspec.structs.replace(person, suppressed=loaded.suppressed[key])
        state, name = loaded.states.get((delivery.workspace, delivery.campaign), ("", ""))
        limited = self._limited(delivery, now)
        count = loaded.recent.get(limited, 0) if limited else 0
        seen = self._seen(delivery, person, loaded, now)
        written = self._design(delivery, outlet.channel)
        codes = self._codes(delivery, written)
        attempt = Attempt(
            delivery,
            now,
            self._demands(delivery, state),
            person,
            count,
            self._zone,
            rules=self._rules,
            received=seen.received,
            reacted=_reaction(delivery, seen, loaded.reactions),
            codes=codes,
            code=code_of(delivery) if codes else None,
        )
        recipient = loaded.recipients.get((delivery.workspace, delivery.profile_id))
        return Case(
            attempt,
            name,
            written,
            recipient.revision if recipient is not None else None,
            Recent(limited[-1], count) if limited else None,
            seen,
            _platform(person, recipient) if outlet.ask_platform else None,
        )

    def _seen(self, delivery: Delivery, person: Person | None, loaded: _Loaded, now: int) -> Seen:
        """What is looked at again when it is handed over."""
        address: AddressKey | None = None
        received: tuple[Received, ...] = ()
        unless = frozenset[str]()
        if person is not None and person.address:
            address = (delivery.workspace, delivery.channel, person.address)
        since = self._since(delivery, now)
        if since is not None:
            all_ = loaded.received.get((delivery.workspace, delivery.profile_id), ())
            received = tuple(one for one in all_ if one.at >= since)
        earlier = earlier_than(delivery)
        if earlier:
            definition = self._definition(delivery)
            fallback = definition.content.fallback if definition is not None else None
            unless = fallback.unless if fallback is not None else unless
        return Seen(address, since, received, earlier, unless)

    def _definition(self, delivery: Delivery) -> CampaignDefinition | None:
        version = self._versions.get(_version(delivery))
        return version.definition if version is not None else None

    def _limited(self, delivery: Delivery, now: int) -> RecentKey | None:
        """What its campaign's limit counts; None: nothing limits it."""
        definition = self._definition(delivery)
        if definition is None or definition.limit is None or delivery.test:
            return None
        if earlier_than(delivery):  # it goes in place of one that was counted
            return None
        since = now - definition.limit.within
        return (delivery.workspace, delivery.profile_id, delivery.campaign, since)

    def _demands(self, delivery: Delivery, state: str) -> CampaignRules | None:
        definition = self._definition(delivery)
        if definition is None or not state:
            return None
        limit = None if earlier_than(delivery) else definition.limit
        return CampaignRules(
            state,
            definition.audience if definition.leave_cancels else None,
            definition.active_hours,
            (limit.per_person, limit.within) if limit is not None else None,
            self._is_live(delivery),
        )

    def _codes(self, delivery: Delivery, written: Design | None) -> str:
        """The list of which the message needs a code; "": none stands in it."""
        definition = self._definition(delivery)
        return definition.codes if definition and written and written.uses_code else ""

    def _design(self, delivery: Delivery, channel: Channel) -> Design | None:
        version = self._versions.get(_version(delivery))
        if version is None:
            return None
        if channel.name not in version.designs:
            version.designs[channel.name] = _designed(version.definition, channel, delivery)
        return version.designs[channel.name]


def _reaction(delivery: Delivery, seen: Seen, reactions: Mapping[Key, frozenset[str]]) -> str:
    """One that makes a delivery needless, since it was to an earlier one in the same place."""
    found = {
        kind
        for id in seen.earlier
        for kind in seen.unless & reactions.get((delivery.workspace, id), frozenset())
    }
    return min(found, default="")


def _platform(person: Person | None, recipient: Recipient | None) -> str | None:
    """The type of the device that a message goes to."""
    if person is None or recipient is None:
        return None
    return type_of_device(recipient.contact, person.address)


def _version(delivery: Delivery) -> VersionKey:
    return (delivery.workspace, delivery.campaign, delivery.version)


def _read(key: VersionKey, text: str) -> Version | None:
    try:
        return Version(parse_campaign(text))
    except InvalidDefinition as error:
        log.error("definition_unreadable", campaign=key[1], version=key[2], reason=str(error))
        return None


def _designed(
    definition: CampaignDefinition, channel: Channel, delivery: Delivery
) -> Design | None:
    content = definition.content.messages.get(channel.name)
    if content is None:
        return None
    try:
        return design(channel, content)
    except ValueError as error:
        log.error("content_unreadable", campaign=delivery.campaign, reason=str(error))
        return None
