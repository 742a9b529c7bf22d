"""A person as a fold over their messages: attributes, consents and devices.

`absorb` adds one message and `merge` joins two profiles; both give the same state in whatever
order messages and merges come, so a profile may be rebuilt from the log at any time.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from angarium.core.events.message import Message, Operations, tie
from angarium.core.events.values import Problem
from angarium.core.people import attributes, consent
from angarium.core.people.attributes import Cell, Write
from angarium.core.people.catalogue import (
    RESERVED_TRAITS,
    Types,
    fits_operation,
    is_known,
    read_trait,
)
from angarium.core.people.consent import Consent, Standing, Word
from angarium.plugins.channel import BUILT_IN_CHANNELS

DEVICES_KEPT = 20
CONSENT_OF = {channel.consent_attribute: channel.name for channel in BUILT_IN_CHANNELS}

Report = Callable[[Problem], None]


class DeviceSeen(msgspec.Struct, array_like=True):
    """A device as it was last heard of, `at` ms."""

    at: int
    type: str | None = None
    token: str | None = None


class State(msgspec.Struct, omit_defaults=True):
    """What the merge rules need to know; the plain values stand in `Profile.attributes`."""

    cells: dict[str, Cell] = {}
    consents: dict[str, Consent] = {}
    devices: dict[str, DeviceSeen] = {}


def attributes_of(state: State) -> dict[str, Any]:
    """The plain values by name."""
    values = {name: attributes.value_of(cell) for name, cell in state.cells.items()}
    return {name: value for name, value in values.items() if value is not None}


def consents_of(state: State, plain: Mapping[str, Any]) -> dict[str, Standing]:
    """Where the person stands on each channel, by the channel's name."""
    found = consent.standings(state.consents, plain)
    for channel in BUILT_IN_CHANNELS:
        standing = found[channel.name]
        if standing.reason == "default" and channel.address_attribute in state.cells:
            standing.at = state.cells[channel.address_attribute].at
    return found


def speaks_of_consent(message: Message) -> bool:
    """Whether a message sets an opt-in attribute."""
    return any(name in CONSENT_OF for name in message.traits)


def touches(message: Message) -> bool:
    """Whether `absorb` could change anything."""
    return message.kind in ("identify", "alias") or message.device is not None


def absorb(state: State, message: Message, types: Types, region: str, report: Report) -> None:
    """Add one message to the state; what cannot be stored is reported."""
    if message.device is not None and message.device_id is not None:
        _see_device(state, message)
    if message.kind == "identify":
        stamp = tie(message.id)
        for write in _writes(message, stamp, types, region, report):
            _store(state, message, *write)
    hear_logins(state, message)


def hear_logins(state: State, message: Message) -> bool:
    """Bind the visitors that a known person's message names. Whether anything changed."""
    if not message.known:
        return False
    visitors = [message.anonymous_id, *message.previous_ids]
    return any([hear_login(state, visitor, message.at) for visitor in visitors if visitor])


def hear_login(state: State, anonymous_id: str, at: int) -> bool:
    """Bind what the visitor said of consents before this login. Whether anything changed."""
    return any([consent.bind(c, anonymous_id, at) for c in state.consents.values()])


def opt_out(state: State, channel: str, at: int, source: str, reason: str) -> None:
    """The person themself withdrew from a channel, by a link or a reply."""
    word = Word(False, at, tie(source), reason)
    state.consents[channel] = consent.say(state.consents.get(channel), word)
    for attribute, name in CONSENT_OF.items():
        if name == channel:
            write = Write(True, at, word.tie, "set", False)
            state.cells[attribute] = attributes.write(state.cells.get(attribute), write)


def merge(left: State, right: State) -> State:
    """The state of two profiles that are one person's."""
    merged = State(dict(left.cells), dict(left.consents), dict(left.devices))
    for name, cell in right.cells.items():
        merged.cells[name] = attributes.merge(merged.cells.get(name), cell)
    for channel, said in right.consents.items():
        merged.consents[channel] = consent.merge(merged.consents.get(channel), said)
    for device, seen in right.devices.items():
        _keep_device(merged, device, seen)
    return merged


def _writes(
    message: Message, stamp: int, types: Types, region: str, report: Report
) -> list[tuple[str, Write]]:
    def change(op: str, value: Any = None, known: bool = message.known) -> Write:
        return Write(known, message.at, stamp, op, value)

    told = [(message.hints, False), (message.traits, message.known)]
    found = [
        (read[0], change("set", read[1], known))
        for values, known in told
        for name, value in values.items()
        if (read := read_trait(name, value, types, region, report))
    ]
    operations = message.operations or Operations()
    named = (RESERVED_TRAITS.get(name, name) for name in operations.unset)
    found += [(name, change("unset")) for name in named if is_known(name, types)]
    for op in ("increment", "add", "remove"):
        for name, operand in getattr(operations, op).items():
            if fits_operation(name, op, operand, types, report):
                found.append((name, change(op, operand)))
    return found


def _store(state: State, message: Message, name: str, write: Write) -> None:
    state.cells[name] = attributes.write(state.cells.get(name), write)
    channel = CONSENT_OF.get(name)
    if channel is None or write.op != "set":
        return
    visitor = None if message.known else message.anonymous_id
    word = Word(bool(write.value), write.at, write.tie, "explicit", visitor)
    state.consents[channel] = consent.say(state.consents.get(channel), word)


def _see_device(state: State, message: Message) -> None:
    device = message.device
    if device is not None and message.device_id is not None:
        _keep_device(state, message.device_id, DeviceSeen(message.at, device.type, device.token))


def _keep_device(state: State, device: str, seen: DeviceSeen) -> None:
    before = state.devices.get(device)
    if before is not None and before.at > seen.at:
        before, seen = seen, before
    if before is not None:
        seen = DeviceSeen(seen.at, seen.type or before.type, seen.token or before.token)
    state.devices[device] = seen
    if len(state.devices) > DEVICES_KEPT:
        del state.devices[min(state.devices, key=lambda name: state.devices[name].at)]


_decode_state = msgspec.json.Decoder(State).decode
_decode_attributes = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class Profile(msgspec.Struct):
    """A person's row. `state` and the attributes are decoded only when somebody looks.

    Instants in ms; `last_seen_at` is the latest event time, `created_at` the earliest.
    """

    id: str
    user_id: str | None
    created_at: int
    last_seen_at: int
    attributes_text: str = "{}"
    state_text: str = "{}"
    revision: int = 0
    changed: bool = False
    merged_into: str | None = None
    decoded: State | None = None
    plain: dict[str, Any] | None = None

    @property
    def state(self) -> State:
        """What the merge rules need; whoever changes it calls `touch`."""
        if self.decoded is None:
            self.decoded = _decode_state(self.state_text)
        return self.decoded

    @property
    def attributes(self) -> dict[str, Any]:
        """The plain values by name."""
        if self.plain is None:
            if self.changed:
                self.plain = attributes_of(self.state)
            else:
                self.plain = _decode_attributes(self.attributes_text)
        return self.plain

    @property
    def consents(self) -> dict[str, Standing]:
        """Where the person stands on each channel."""
        return consents_of(self.state, self.attributes)

    def touch(self) -> None:
        """The state was changed: the plain values are to be worked out again, and saved."""
        self.changed = True
        self.plain = None

    def see(self, at: int) -> None:
        """Something was heard of the person at `at`."""
        self.last_seen_at = max(self.last_seen_at, at)
        self.created_at = min(self.created_at, at)

    def texts(self) -> tuple[str, str]:
        """The attributes and the state as JSON, to be saved."""
        if not self.changed:
            return self.attributes_text, self.state_text
        return _encode(self.attributes).decode(), _encode(self.state).decode()
