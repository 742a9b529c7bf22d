"""The directory of devices and push addresses, read and written in batches.

What a device said stands with the person who holds it (`profiles.devices`); here stands which
profile that is, and which device told an address last.
"""

from collections.abc import Collection, Mapping

from angarium.core.people.handover import Books, Claim
from angarium.core.people.profile import Profile
from angarium.core.store.protocol import Transaction


async def lock_devices(
    tx: Transaction, workspace: str, ids: Collection[str], new: Mapping[str, str]
) -> dict[str, str]:
    """Who holds these devices (device to profile); nobody else changes that until the commit.

    Devices of `new` (device to profile) are put into the directory if they are not there.
    """
    found = await _holders(tx, workspace, sorted({*ids, *new}))
    missing = sorted(new.keys() - found.keys())
    if missing and not tx.exclusive:
        await tx.many("add_devices", [(workspace, id, new[id]) for id in missing])
        return found | await _holders(tx, workspace, missing)
    return found


async def _holders(tx: Transaction, workspace: str, ids: list[str]) -> dict[str, str]:
    if not ids:
        return {}
    rows = await tx.fetch("find_devices", workspace=workspace, ids=ids)
    return {id: profile for id, profile in rows}


async def lock_claims(
    tx: Transaction, workspace: str, keys: Collection[str], new: Mapping[str, str]
) -> dict[str, Claim]:
    """Which device told each address last; nobody else changes that until the commit.

    Addresses of `new` (key to device) that nobody has told are not among them, but are locked too.
    """
    found = await _claims(tx, workspace, sorted({*keys, *new}))
    missing = sorted(new.keys() - found.keys())
    if missing and not tx.exclusive:
        rows = [(workspace, key, new[key], 0, 0, None, "") for key in missing]
        await tx.many("add_push_addresses", rows)
        there = await _claims(tx, workspace, missing)
        return found | {key: one for key, one in there.items() if one.device != new[key]}
    return found


async def _claims(tx: Transaction, workspace: str, keys: list[str]) -> dict[str, Claim]:
    if not keys:
        return {}
    rows = await tx.fetch("find_push_addresses", workspace=workspace, keys=keys)
    return {key: Claim(*rest) for key, *rest in rows}


async def lock_holders(
    tx: Transaction, workspace: str, profiles: Collection[str]
) -> dict[str, Profile]:
    """Those of these profiles that exist; nobody else changes them until the commit."""
    if not profiles:
        return {}
    rows = await tx.fetch("lock_profiles", workspace=workspace, ids=sorted(profiles))
    return {row[0]: Profile(*row) for row in rows}


async def find_holders(
    tx: Transaction, workspace: str, keys: Collection[str]
) -> dict[str, tuple[str, str]]:
    """By address: the device that told it last, and the profile that holds that device."""
    if not keys:
        return {}
    rows = await tx.fetch("find_holders", workspace=workspace, keys=sorted(keys))
    return {key: (device, profile) for key, device, profile in rows}


async def page_addresses(
    tx: Transaction, after: tuple[str, str], limit: int
) -> list[tuple[str, str, int, int | None]]:
    """The addresses after a place: workspace, key, when told once left, when called dead (ms)."""
    rows = await tx.fetch("page_push_addresses", workspace=after[0], key=after[1], limit=limit)
    return [(workspace, key, at, dead_at) for workspace, key, at, dead_at in rows]


async def drop_addresses(tx: Transaction, workspace: str, keys: Collection[str]) -> int:
    """Forget addresses that no device has any more; how many."""
    if not keys:
        return 0
    return await tx.run("drop_push_addresses", workspace=workspace, keys=sorted(keys))


async def last_uses(
    tx: Transaction, workspace: str, keys: Collection[tuple[str, str]]
) -> list[tuple[str, str, int, str]]:
    """By the log, of (profile, device) pairs: both, and the instant and id of the last message."""
    if not keys:
        return []
    rows = await tx.fetch("last_uses", workspace=workspace, keys=sorted(keys))
    return [(profile, device, at, message) for profile, device, at, message in rows]


async def save_books(tx: Transaction, workspace: str, books: Books) -> None:
    """Write what was changed in the directory; the people are saved with their profiles."""
    await save_holders(tx, workspace, {id: books.holders[id] for id in books.moved})
    if books.dropped:
        await tx.run("drop_devices", workspace=workspace, ids=sorted(books.dropped))
    await save_claims(tx, workspace, {key: books.claims[key] for key in books.claimed})


async def save_holders(tx: Transaction, workspace: str, holders: Mapping[str, str]) -> None:
    """Who holds devices now (device to profile)."""
    await tx.many("save_devices", [(workspace, *pair) for pair in sorted(holders.items())])


async def save_claims(tx: Transaction, workspace: str, claims: Mapping[str, Claim]) -> None:
    """Which device told each address last, and when it died."""
    rows = [
        (workspace, key, one.device, one.at, one.tie, one.dead_at, one.dead_reason)
        for key, one in sorted(claims.items())
    ]
    await tx.many("save_push_addresses", rows)
