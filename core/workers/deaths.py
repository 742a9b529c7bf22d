"""Addresses of which a provider says that nothing arrives there any more.

A device that loses its address so may tell it again: only the address dies, and with the device.
Any other address, which a person gave once, gets nothing any more (suppressions).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from angarium.core.delivery.record import move
from angarium.core.delivery.status import DeliveryState
from angarium.core.people.devices import address_key, find_live
from angarium.core.store import devices as directory
from angarium.core.store import people
from angarium.core.store.attempts import Answer, Suppressed, suppress
from angarium.core.store.protocol import Transaction
from angarium.plugins.channel import BUILT_IN_CHANNELS

BOUNCED: Final = "bounced"
OF_DEVICES: Final = frozenset(c.name for c in BUILT_IN_CHANNELS if not c.address_attribute)

Place = tuple[str, str]
"""(workspace, address)"""


async def bury(tx: Transaction, dead: Sequence[Suppressed]) -> set[Place]:
    """Send nothing there any more; gives those that died whose person has another live device."""
    died: dict[str, dict[str, Suppressed]] = {}
    for one in sorted(dead):
        if one.reason == BOUNCED:
            died.setdefault(one.workspace, {})[one.address] = one
    told: set[Place] = set()
    others: set[Place] = set()
    for workspace, found in sorted(died.items()):
        for address, another in (await kill_addresses(tx, workspace, found)).items():
            told.add((workspace, address))
            if another:
                others.add((workspace, address))
    await suppress(tx, [one for one in dead if not _is_of_device(one, told)])
    return others


def _is_of_device(one: Suppressed, told: set[Place]) -> bool:
    known = one.channel in OF_DEVICES or (one.workspace, one.address) in told
    return one.reason == BOUNCED and known


async def kill_addresses(
    tx: Transaction, workspace: str, dead: Mapping[str, Suppressed]
) -> dict[str, bool]:
    """Those of these addresses that devices ever told, with whether the person has another device
    that is alive. A device that told its address again later stays alive."""
    by_key = {address_key(address): address for address in dead}
    found = await directory.find_holders(tx, workspace, by_key)
    persons = await directory.lock_holders(
        tx, workspace, {profile for _, profile in found.values()}
    )
    claims = await directory.lock_claims(tx, workspace, found, {})
    others: dict[str, bool] = {}
    for key, claim in claims.items():
        word = dead[by_key[key]]
        if claim.dead_at is None or word.at > claim.dead_at:
            claim.dead_at, claim.dead_reason = word.at, word.why or word.reason
        others[word.address] = False
        person = persons.get(found[key][1])
        device = person.devices.get(claim.device) if person is not None else None
        if person is None or device is None or device.address is None:
            continue
        if address_key(device.address.text) == key:
            device.death = claim.death
            person.touch()
            another = find_live(person.devices, device.kind, None)
            others[word.address] = device.is_dead and another is not None
    await directory.save_claims(tx, workspace, claims)
    await people.save_profiles(tx, workspace, persons.values())
    return others


def on_other_devices(
    answers: Iterable[tuple[Answer, Suppressed | None]], others: set[Place], now: int
) -> list[Answer]:
    """A message whose device turned out dead goes to the person's next one, if there is one.

    Every time one device less is left, so that ends.
    """
    return [
        _again(answer, now) if dead and (dead.workspace, dead.address) in others else answer
        for answer, dead in answers
    ]


def _again(answer: Answer, now: int) -> Answer:
    if answer.wanted.state is not DeliveryState.FAILED:
        return answer
    reason = answer.wanted.reason
    held = move(answer.handed, DeliveryState.HELD, reason=reason, due_at=now, worker=None)
    return msgspec.structs.replace(answer, wanted=held)
