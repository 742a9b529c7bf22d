"""From "this person should get this campaign" to a planned delivery."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from angarium.core.campaigns.definition import CampaignDefinition
from angarium.core.campaigns.rules import Rule
from angarium.core.campaigns.runs import Run
from angarium.core.delivery.addresses import OPTED_IN, BadAddress, Contact, consent_to, find_address
from angarium.core.delivery.keys import make_id
from angarium.core.delivery.record import AT_LEAST_ONCE, AT_MOST_ONCE, NewDelivery
from angarium.core.delivery.rules import NO_RULES, MessageRules
from angarium.core.events.times import DAY, HOUR, MINUTE
from angarium.core.people.devices import open_devices
from angarium.core.people.profile import Profile
from angarium.core.store.protocol import Transaction
from angarium.core.store.recipients import AddressKey, find_suppressed
from angarium.plugins import Channel

Channels = Mapping[str, Channel]

LATENESS: Final[Mapping[str, int]] = {"email": DAY}
"""How late, in ms, a message may go out where its campaign says nothing (reliability.md §9)."""
LATENESS_ELSEWHERE: Final = HOUR
SHORTEST: Final = MINUTE
"""What a `ttl` leaves for our own part, however short: a push service is told all of it."""
PROMISES: Final[Mapping[str, str]] = {"marketing": AT_MOST_ONCE, "transactional": AT_LEAST_ONCE}


class Wanted(msgspec.Struct, frozen=True):
    """Somebody who is to be sent a campaign's version at `due_at` (ms), on one of `order`.

    device: of the trigger.
    """

    workspace: str
    person: Profile
    definition: CampaignDefinition
    order: Sequence[str]
    due_at: int
    device: str | None = None


def contact_of(person: Profile) -> Contact:
    """The part of a profile that tells where it can be reached."""
    return Contact(person.state.consents, person.devices)


def reachable(person: Profile, channels: Channels) -> list[str]:
    """The channels on which somebody is opted in and has an address."""
    contact = contact_of(person)
    return [
        name
        for name, channel in channels.items()
        if _may_reach(channel, person, contact) and _address(channel, person, contact, None)
    ]


async def choose_channels(
    tx: Transaction, wanted: Sequence[Wanted], channels: Channels, messages: MessageRules = NO_RULES
) -> list[str]:
    """For each the first of its channels that may and can reach the person (S1.14).

    Where none does, the first: its gates then say in the statistics why nothing was sent.
    """
    found = [_addresses(one, channels, messages.app_open) for one in wanted]
    suppressed = await find_suppressed(tx, {key for keys in found for key in keys.values()})
    return [
        next((name for name, key in keys.items() if key not in suppressed), one.order[0])
        for one, keys in zip(wanted, found, strict=True)
    ]


def _addresses(one: Wanted, channels: Channels, app_open: int) -> dict[str, AddressKey]:
    """Where each channel may and can reach the person, in order; a live one in an open app only."""
    if len(one.order) == 1:
        return {}
    found: dict[str, AddressKey] = {}
    contact = contact_of(one.person)
    for name in one.order:
        channel = channels.get(name)
        if channel is None or not _may_reach(channel, one.person, contact):
            continue
        where = contact
        if one.definition.content.is_live(name):
            kind = channel.address_kind
            devices = open_devices(contact.devices, kind, one.due_at, app_open)
            where = msgspec.structs.replace(contact, devices=devices)
        address = _address(channel, one.person, where, one.device)
        if address:
            found[name] = (one.workspace, name, address)
    return found


def _may_reach(channel: Channel, person: Profile, contact: Contact) -> bool:
    return consent_to(channel, person.attributes, contact)[0] == OPTED_IN


def _address(channel: Channel, person: Profile, contact: Contact, device: str | None) -> str:
    """Where messages go; "" if there is no address, or none that can be sent to."""
    try:
        return find_address(channel, person.attributes, contact, device)
    except BadAddress:
        return ""


def channels_after(definition: CampaignDefinition, channel: str) -> tuple[str, ...]:
    """The channels to try, in order, if nobody reacts to the message on this one (S1.14)."""
    order = definition.content.order
    if definition.content.fallback is None or channel not in order:
        return ()
    return order[order.index(channel) + 1 :]


def fallback_after(definition: CampaignDefinition, channel: str) -> int | None:
    """How long (ms) to wait for a reaction to a message on this channel; None: it is the last."""
    fallback = definition.content.fallback
    return fallback.after if fallback and channels_after(definition, channel) else None


def deliver_run(
    rule: Rule,
    run: Run,
    person: Profile,
    channel: str,
    request_id: str | None,
    now: int,
    messages: MessageRules = NO_RULES,
) -> NewDelivery:
    """The delivery of a run whose time has come, on the channel that was chosen."""
    due_at = now if run.due_at is None else run.due_at
    return NewDelivery(
        workspace=rule.workspace,
        id=make_id("dlv_", rule.workspace, "run", run.id, run.step),
        source="campaign",
        campaign=rule.campaign,
        version=rule.version,
        step=run.step,
        run=run.id,
        profile_id=person.id,
        channel=channel,
        class_=rule.definition.class_,
        promise=PROMISES[rule.definition.class_],
        due_at=due_at,
        expires_at=expiry(rule.definition, channel, due_at, messages),
        planned_at=now,
        context=_public(run.context),
        triggered_at=run.triggered_at,
        device=run.device,
        request_id=request_id,
        fallback_after=fallback_after(rule.definition, channel),
    )


def expiry(
    definition: CampaignDefinition, channel: str, due_at: int, messages: MessageRules = NO_RULES
) -> int:
    """When a message due at `due_at` is no longer worth sending.

    Its campaign says it for all channels (`expires_after`), a notification's `ttl` for itself: what
    ends first counts. Where neither says anything, what the operator's rules may hold keeps for as
    long as they say.
    """
    said = [] if definition.expires_after is None else [definition.expires_after]
    lifetime = definition.content.lifetime(channel)
    if lifetime is not None:
        said.append(max(lifetime, SHORTEST))
    if said:
        return due_at + min(said)
    usual = LATENESS.get(channel, LATENESS_ELSEWHERE)
    return due_at + messages.lateness(definition.class_, usual)


def _public(context: Mapping[str, Any]) -> dict[str, Any]:
    """What templates see of a run."""
    return {"event": context["event"]}
