"""Devices in a batch: whose they are, and what they say.

A device that has no id of its own goes by the anonymous id, so every message under that id uses it.
A message that brings nothing new of its device costs a look at the person's own devices; only what
is new asks the directory (core/store/devices.py), once for the whole batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from angarium.core.events.message import Message, tie
from angarium.core.people.device_words import read_word, speaks_of_device
from angarium.core.people.devices import Device, Word, address_key, confirm, use
from angarium.core.people.handover import Books
from angarium.core.people.profile import Profile
from angarium.core.store import devices as directory
from angarium.core.store.protocol import Row, Transaction
from angarium.core.workers.identities import Settled
from angarium.core.workers.people import People

if TYPE_CHECKING:
    from angarium.core.workers.apply import Batch


VISITOR: Final = 6
DEVICE: Final = 8
"""The columns of `list_log` that name an anonymous id and a device."""


class Said(NamedTuple):
    """A word of one person about one device; `if_there`: it is no device until it says more."""

    profile: str
    id: str
    word: Word
    if_there: bool = False


async def hear_devices(
    tx: Transaction, batch: Batch, crowd: People, settled: Settled, messages: Sequence[Message]
) -> None:
    """Note what a batch says of devices, before anything is decided on it."""
    await _join(tx, crowd, settled)
    said = list(_news(batch, crowd, settled, messages))
    if said:
        uses = [
            Said(owner, message.anonymous_id, Word(message.at, tie(message.id)))
            for message, owner in zip(messages, settled.owners, strict=True)
            if message.anonymous_id is not None
        ]
        await _settle(tx, crowd, settled, said, uses)


async def _join(tx: Transaction, crowd: People, settled: Settled) -> None:
    """The devices of a visitor go along with them."""
    moved: dict[str, str] = {}
    for merge in settled.merges:
        source, target = crowd.profiles[merge.source], crowd.profiles[merge.target]
        if not source.has_devices:
            continue
        moved |= dict.fromkeys(source.devices, target.id)
        target.devices.update(source.devices)
        source.devices.clear()
    if moved:
        await directory.save_holders(tx, crowd.workspace, moved)


def _news(
    batch: Batch, crowd: People, settled: Settled, messages: Sequence[Message]
) -> Iterable[Said]:
    """What is not known yet; times of what is known are noted at once."""
    for message, owner in zip(messages, settled.owners, strict=True):
        person = crowd.profiles[owner]
        id = message.device_id or ""
        speaks = speaks_of_device(message)
        if speaks:
            own = person.devices.get(id)
            word = None
            if own is None or not confirm(own, message):
                word = read_word(message, partial(batch.refuse, message))
            if word is not None:
                yield Said(owner, id, word)
        visitor = message.anonymous_id
        if visitor is None or (speaks and visitor == id):
            continue
        if person.has_devices and visitor in person.devices:
            use(person.devices[visitor], message)
        elif visitor in settled.handed:
            yield Said(owner, visitor, Word(message.at, tie(message.id)), if_there=True)


async def _settle(
    tx: Transaction, crowd: People, settled: Settled, said: list[Said], log: Sequence[Said]
) -> None:
    """Ask and change the directory, and take devices from those who had them."""
    workspace = crowd.workspace
    new = {one.id: one.profile for one in reversed(said) if not one.if_there}
    holders = await directory.lock_devices(tx, workspace, {one.id for one in said}, new)
    await _load(tx, crowd, holders.values())
    unheard = {id for id in new if _device_of(crowd, holders, id) is None}
    said += await _uses(tx, workspace, settled, said, unheard)
    said += [one for one in log if one.id in unheard]
    await _load(tx, crowd, [one.profile for one in said])
    told = {address_key(one.word.address): one.id for one in said if one.word.address}
    claims = await directory.lock_claims(tx, workspace, _addresses(crowd, holders), told)
    rivals = {claims[key].device for key in told if key in claims} - holders.keys()
    holders |= await directory.lock_devices(tx, workspace, rivals, {})
    await _load(tx, crowd, holders.values())
    concerned = {*holders.values(), *(one.profile for one in said)} & crowd.profiles.keys()
    books = Books({id: crowd.profiles[id].devices for id in concerned}, holders, claims)
    for one in said:
        if one.profile in concerned and (one.id in new or one.id in holders):
            books.hear(one.profile, one.id, one.word)
    books.close()
    for profile in books.touched:
        crowd.profiles[profile].touch()
    await directory.save_books(tx, workspace, books)


async def _uses(
    tx: Transaction,
    workspace: str,
    settled: Settled,
    said: Sequence[Said],
    new: Iterable[str],
) -> list[Said]:
    """How devices were used before they told of themselves, where an anonymous id stands for one:
    by those who tell of it now, and by its last visitor, who may be somebody else."""
    visitors = settled.visitors
    pairs = {(one.profile, one.id) for one in said if one.id in new and one.id in visitors}
    for id in new:
        visitor = visitors.get(id)
        if visitor is not None and visitor.profile_id is not None:
            pairs.add((visitor.profile_id, id))
        elif visitor is not None and visitor.bindings:
            pairs.add((settled.joins.profile_of(visitor.bindings[-1][1]), id))
    found = await directory.last_uses(tx, workspace, pairs)
    return [Said(profile, id, Word(at, tie(message))) for profile, id, at, message in found]


def _addresses(crowd: People, holders: Mapping[str, str]) -> set[str]:
    """The keys of the addresses that these devices have now."""
    found: set[str] = set()
    for id in holders:
        device = _device_of(crowd, holders, id)
        if device is not None and device.address is not None and device.address.text:
            found.add(address_key(device.address.text))
    return found


async def _load(tx: Transaction, crowd: People, profiles: Iterable[str]) -> None:
    missing = set(profiles) - crowd.profiles.keys()
    crowd.profiles.update(await directory.lock_holders(tx, crowd.workspace, missing))


def _device_of(crowd: People, holders: Mapping[str, str], id: str) -> Device | None:
    person = crowd.profiles.get(holders.get(id, ""))
    return person.devices.get(id) if person is not None else None


async def resettle_devices(
    tx: Transaction, workspace: str, profiles: Mapping[str, Profile], log: Iterable[Row]
) -> None:
    """After words changed owners: each device of these people goes to whoever used it last.

    log: rows of `list_log` of all of them.
    """
    held = {id: profile.id for profile in profiles.values() for id in profile.devices}
    last: dict[str, tuple[int, int, str]] = {}
    for row in log:
        use_of_it = (int(row[2]), tie(row[1]), str(row[0]))
        for id in {row[VISITOR], row[DEVICE]} & held.keys():
            last[id] = max(use_of_it, last.get(id, use_of_it))
    moved: dict[str, str] = {}
    for id, (at, order, profile_id) in last.items():
        device = profiles[held[id]].devices.pop(id)
        device.at, device.tie = at, order
        profiles[profile_id].devices[id] = device
        if profile_id != held[id]:
            moved[id] = profile_id
    await directory.save_holders(tx, workspace, moved)
