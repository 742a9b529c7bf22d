"""Push addresses that devices have left long ago are forgotten; the directory grows no further.

What is left of such an address would tell late words from news, and a copy of a dead token from a
live one: of no use once nothing that old comes any more.
"""

from collections.abc import Mapping
from typing import Final

from angarium.config.limits import LEFT_ADDRESS_DAYS
from angarium.core.people.devices import address_key
from angarium.core.people.handover import Claim
from angarium.core.people.profile import Profile
from angarium.core.store import devices as directory
from angarium.core.store.protocol import Transaction

KEPT: Final = LEFT_ADDRESS_DAYS * 86_400_000
LOOKED_AT: Final = 500
"""Addresses in one go: a table of a million is gone through in about 17 hours."""

Place = tuple[str, str]
"""(workspace, key) of an address: where the last look ended."""
BEGINNING: Final[Place] = ("", "")


async def forget_left_addresses(tx: Transaction, after: Place, now: int) -> tuple[Place, int]:
    """Look at the next addresses; gives where to go on, and how many were forgotten."""
    page = await directory.page_addresses(tx, after, LOOKED_AT)
    old: dict[str, set[str]] = {}
    for workspace, key, at, dead_at in page:
        if max(at, dead_at or 0) < now - KEPT:
            old.setdefault(workspace, set()).add(key)
    count = 0
    for workspace, keys in sorted(old.items()):
        left = await _left(tx, workspace, keys, now)
        count += await directory.drop_addresses(tx, workspace, left)
    last = page[-1][:2] if len(page) == LOOKED_AT else BEGINNING
    return last, count


async def _left(tx: Transaction, workspace: str, keys: set[str], now: int) -> set[str]:
    """Those that no device has any more; people first, as whoever changes both locks them."""
    holders = await directory.find_holders(tx, workspace, keys)
    persons = await directory.lock_holders(tx, workspace, {one for _, one in holders.values()})
    claims = await directory.lock_claims(tx, workspace, keys, {})
    return {
        key
        for key, claim in claims.items()
        if max(claim.at, claim.dead_at or 0) < now - KEPT
        and not _has(key, claim, persons, holders.get(key))
    }


def _has(
    key: str, claim: Claim, persons: Mapping[str, Profile], holder: tuple[str, str] | None
) -> bool:
    """Whether the device that told it last still has it; who has it now is seen the next time."""
    if holder is None:
        return False
    person = persons.get(holder[1])
    device = person.devices.get(claim.device) if person is not None else None
    if device is None:
        return person is not None and claim.device != holder[0]
    return device.address is not None and address_key(device.address.text) == key
