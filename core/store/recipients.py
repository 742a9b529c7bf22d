"""What must be known to judge deliveries: people, campaigns, suppressions. Only reads."""

from collections.abc import Collection
from typing import Any

import msgspec

from angarium.core.delivery.addresses import Contact, read_contact
from angarium.core.store.ledger import Key
from angarium.core.store.protocol import Transaction
from angarium.core.store.suppressions import fold_address

VersionKey = tuple[str, str, int]
"""(workspace, campaign, version)"""

AddressKey = tuple[str, str, str]
"""(workspace, channel, address)"""

RecentKey = tuple[str, str, str, int]
"""(workspace, profile, campaign, since when in ms)"""


class Recipient(msgspec.Struct, frozen=True):
    """A person as messages see them; `revision` tells whether they have changed since."""

    user_id: str | None
    attributes: dict[str, Any]
    contact: Contact
    revision: int


_attributes = msgspec.json.Decoder(dict[str, Any]).decode


async def find_recipients(tx: Transaction, keys: Collection[Key]) -> dict[Key, Recipient]:
    """By (workspace, profile id), those that exist and were not merged into another."""
    if not keys:
        return {}
    rows = await tx.fetch("read_profiles_for_delivery", keys=sorted(keys))
    return {
        (workspace, id): Recipient(
            user, _attributes(attributes), read_contact(state, devices), revision
        )
        for workspace, id, user, attributes, state, devices, revision, merged_into in rows
        if merged_into is None
    }


async def campaign_states(tx: Transaction, keys: Collection[Key]) -> dict[Key, tuple[str, str]]:
    """By (workspace, campaign): state and name."""
    if not keys:
        return {}
    rows = await tx.fetch("read_campaign_states", keys=sorted(keys))
    return {(workspace, id): (state, name) for workspace, id, state, name in rows}


async def definitions(tx: Transaction, keys: Collection[VersionKey]) -> dict[VersionKey, str]:
    """Definitions as JSON."""
    if not keys:
        return {}
    rows = await tx.fetch("read_definitions", keys=sorted(keys))
    return {(workspace, id, version): text for workspace, id, version, text in rows}


async def find_suppressed(tx: Transaction, keys: Collection[AddressKey]) -> dict[AddressKey, str]:
    """Of these addresses, those that get nothing, with the reason."""
    if not keys:
        return {}
    folded = {key: (*key[:2], fold_address(key[1], key[2])) for key in keys}
    rows = await tx.fetch("find_suppressed", keys=sorted({*folded.values()}))
    found = {(*key,): reason for *key, reason in rows}
    return {key: found[folded[key]] for key in keys if folded[key] in found}


async def count_recent(tx: Transaction, keys: Collection[RecentKey]) -> dict[RecentKey, int]:
    """Messages of a campaign that a person got since an instant; absent: none."""
    if not keys:
        return {}
    rows = await tx.fetch("count_recent_deliveries", keys=sorted(keys))
    return {
        (workspace, profile, campaign, since): count
        for workspace, profile, campaign, since, count in rows
    }
