"""Whose a device is, and which device a push address reaches: the latest word decides both.

A device belongs to the person who used it last, with all that it said, whoever it belonged to
before. An address reaches the device that told it last. So after a logout and the login of somebody
else a token goes along to them, and reaches nobody else; in whatever order the messages arrive.
"""

from collections.abc import Mapping

import msgspec

from angarium.config.limits import DEVICES_PER_PERSON
from angarium.core.people.app_state import AppState
from angarium.core.people.devices import (
    Address,
    Death,
    Device,
    Devices,
    Permission,
    Stamp,
    Word,
    address_key,
    hear_app,
    stamp,
)


class Claim(msgspec.Struct):
    """The device that told an address last, and the last that a provider said against it.

    at, tie: when it was told, once the device has told another; until then the device knows.
    """

    device: str
    at: int
    tie: int
    dead_at: int | None = None
    dead_reason: str = ""

    @property
    def death(self) -> Death | None:
        """As devices keep it."""
        return None if self.dead_at is None else Death(self.dead_at, self.dead_reason)


class Books:
    """The part of the books that some words concern. `hear` them all, then `close`.

    people: the devices of each profile, by its id; changed in place. holders: the profile of each
    device. claims: by the key of the address. The sets tell what was changed: `moved` devices are
    to be written to the directory, `dropped` ones to be taken out of it.
    """

    def __init__(
        self,
        people: Mapping[str, Devices],
        holders: dict[str, str],
        claims: dict[str, Claim],
        most: int = DEVICES_PER_PERSON,
    ) -> None:
        """`most`: devices of one person that are kept, those used last."""
        self._people = people
        self._most = most
        self.holders = holders
        self.claims = claims
        self.touched: set[str] = set()
        self.moved: set[str] = set()
        self.dropped: set[str] = set()
        self.claimed: set[str] = set()

    def hear(self, profile: str, id: str, word: Word) -> None:
        """Note what a message of `profile` said of the device `id`."""
        device = self._use(profile, id, word)
        self.touched.add(self.holders[id])
        if word.type is not None and word.type > (device.type or ""):
            device.type = word.type
        if word.permission is not None:
            said = Permission(word.at, word.tie, word.permission)
            if device.permission is None or stamp(said) > stamp(device.permission):
                device.permission = said
        if word.app is not None:
            hear_app(device, AppState(word.at, word.tie, word.app))
        if word.address is not None:
            self._tell(id, device, word, word.address)

    def close(self) -> None:
        """Keep of each person only the devices used last."""
        for profile in self.touched:
            devices = self._people[profile]
            if len(devices) <= self._most:
                continue
            by_use = sorted(devices, key=lambda id: stamp(devices[id]), reverse=True)
            for id in by_use[self._most :]:
                self._leave(id, devices.pop(id))
                self.holders.pop(id, None)
                self.dropped.add(id)
        self.moved -= self.dropped

    def _find(self, id: str) -> Device | None:
        return self._people.get(self.holders.get(id, ""), {}).get(id)

    def _use(self, profile: str, id: str, word: Word) -> Device:
        device = self._find(id)
        if device is None:
            device = Device(word.at, word.tie)
        elif stamp(word) <= stamp(device):
            return device
        elif self.holders[id] != profile:
            del self._people[self.holders[id]][id]
            self.touched.add(self.holders[id])
        device.at, device.tie = stamp(word)
        self._people[profile][id] = device
        if self.holders.get(id) != profile:
            self.holders[id] = profile
            self.moved.add(id)
        self.dropped.discard(id)
        return device

    def _tell(self, id: str, device: Device, word: Word, text: str) -> None:
        own = device.address
        if own is not None and own.text == text:
            own.at, own.tie = max(stamp(own), stamp(word))
        elif own is None or stamp(word) > stamp(own):
            self._leave(id, device)
            own = device.address = Address(word.at, word.tie, text)
            device.death = None
        if not text:
            return
        key = address_key(text)
        claim = self._claim(id, key, stamp(word))
        if _has(device, key):
            own.lost = claim.device != id
            device.death = claim.death

    def _claim(self, id: str, key: str, told: Stamp) -> Claim:
        claim = self.claims.get(key)
        if claim is None:
            claim = self.claims[key] = Claim(id, *told)
            self.claimed.add(key)
        elif claim.device == id or self._win(claim, key, told):
            claim.device = id
            claim.at, claim.tie = max((claim.at, claim.tie), told)
            self.claimed.add(key)
        return claim

    def _win(self, claim: Claim, key: str, told: Stamp) -> bool:
        """Whether `told` is later than the claim; then the device that had the address loses it."""
        rival = self._find(claim.device)
        theirs = rival.address if rival is not None and _has(rival, key) else None
        if theirs is None:
            return told > (claim.at, claim.tie)
        if told <= stamp(theirs):
            return False
        theirs.lost = True
        self.touched.add(self.holders[claim.device])
        return True

    def _leave(self, id: str, device: Device) -> None:
        """It tells another address, or none: when it told this one is kept with the claim."""
        own = device.address
        if own is None or not own.text:
            return
        key = address_key(own.text)
        claim = self.claims.get(key)
        if claim is not None and claim.device == id:
            claim.at, claim.tie = max((claim.at, claim.tie), stamp(own))
            self.claimed.add(key)


def _has(device: Device, key: str) -> bool:
    """Whether its address, live or not, has this key: a browser's may have come with other keys."""
    return device.address is not None and address_key(device.address.text) == key
