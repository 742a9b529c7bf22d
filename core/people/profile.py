"""A person as a fold over their messages: attributes and consents.

`absorb` adds one message and `merge` joins two profiles; both give the same state in whatever
order messages and merges come, so a profile may be rebuilt from the log at any time. Devices go
from person to person: they stand beside the state (devices.py, handover.py).
"""

from collections.abc import Callable, Iterable, Mapping
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
from angarium.core.people.consent import CONSENT_OF, Consent, Standing, Word
from angarium.core.people.devices import Device, Devices, Permission, permission_on
from angarium.plugins.channel import BUILT_IN_CHANNELS

Report = Callable[[Problem], None]


class State(msgspec.Struct, omit_defaults=True):
    """What the merge rules need to know; the plain values stand in `Profile.attributes`."""

    cells: dict[str, Cell] = {}
    consents: dict[str, Consent] = {}


def attributes_of(state: State) -> dict[str, Any]:
    """The plain values by name."""
    values = {name: attributes.value_of(cell) for name, cell in state.cells.items()}
    return {name: value for name, value in values.items() if value is not None}


def permissions_of(devices: Iterable[Device]) -> dict[str, Permission]:
    """What the person's devices allow, by the name of each channel that they spoke of."""
    found = {
        channel.name: permission_on(devices, channel.address_kind)
        for channel in BUILT_IN_CHANNELS
        if not channel.address_attribute
    }
    return {name: word for name, word in found.items() if word is not None}


def consents_of(
    state: State, plain: Mapping[str, Any], devices: Iterable[Device] = ()
) -> dict[str, Standing]:
    """Where the person stands on each channel, by the channel's name."""
    found = consent.standings(state.consents, plain)
    for name, allowed in permissions_of(devices).items():
        found[name] = consent.heed(found[name], allowed)
    for channel in BUILT_IN_CHANNELS:
        standing = found[channel.name]
        if standing.reason == "default" and channel.address_attribute in state.cells:
            standing.at = state.cells[channel.address_attribute].at
    return found


def speaks_of_consent(message: Message, types: Types) -> bool:
    """Whether a message sets an opt-in attribute."""
    return any(name in types.consents for name in message.traits)


def touches(message: Message) -> bool:
    """Whether `absorb` could change anything."""
    return message.kind in ("identify", "alias")


def absorb(state: State, message: Message, types: Types, region: str, report: Report) -> None:
    """Add one message to the state; what cannot be stored is reported."""
    if message.kind == "identify":
        stamp = tie(message.id)
        for write in _writes(message, stamp, types, region, report):
            _store(state, message, types.consents, *write)
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
    choose(state, channel, False, at, source, reason)


def choose(
    state: State,
    channel: str,
    opted_in: bool,
    at: int,
    source: str,
    reason: str,
    consents: Mapping[str, str] = CONSENT_OF,
) -> None:
    """The person themself said whether they want a channel's messages.

    consents: the channels by their consents' attributes: the attribute shows what was said.
    """
    word = Word(opted_in, at, consent.tie_of(tie(source), opted_in), reason)
    state.consents[channel] = consent.say(state.consents.get(channel), word)
    for attribute, name in consents.items():
        if name == channel:
            write = Write(True, at, word.tie, "set", opted_in)
            state.cells[attribute] = attributes.write(state.cells.get(attribute), write)


def merge(left: State, right: State) -> State:
    """The state of two profiles that are one person's."""
    merged = State(dict(left.cells), dict(left.consents))
    for name, cell in right.cells.items():
        merged.cells[name] = attributes.merge(merged.cells.get(name), cell)
    for channel, said in right.consents.items():
        merged.consents[channel] = consent.merge(merged.consents.get(channel), said)
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


def _store(
    state: State, message: Message, consents: Mapping[str, str], name: str, write: Write
) -> None:
    channel = consents.get(name)
    if channel is not None and write.op == "set":
        opted_in = bool(write.value)
        write = msgspec.structs.replace(write, tie=consent.tie_of(write.tie, opted_in))
        visitor = None if message.known else message.anonymous_id
        word = Word(opted_in, write.at, write.tie, "explicit", visitor)
        state.consents[channel] = consent.say(state.consents.get(channel), word)
    state.cells[name] = attributes.write(state.cells.get(name), write)


_decode_state = msgspec.json.Decoder(State).decode
_decode_attributes = msgspec.json.Decoder(dict[str, Any]).decode
_decode_devices = msgspec.json.Decoder(Devices).decode
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
    devices_text: str = "{}"
    merged_into: str | None = None
    changed: bool = False
    decoded: State | None = None
    plain: dict[str, Any] | None = None
    held: Devices | None = None

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
                self.plain = attributes_of(self.state) | self._permissions()
            else:
                self.plain = _decode_attributes(self.attributes_text)
        return self.plain

    @property
    def devices(self) -> Devices:
        """The devices that the person was the last to use; what is changed in them is saved."""
        if self.held is None:
            self.held = _decode_devices(self.devices_text)
        return self.held

    @property
    def has_devices(self) -> bool:
        """Whether there are any; it costs less than looking."""
        return bool(self.held) if self.held is not None else self.devices_text != "{}"

    @property
    def consents(self) -> dict[str, Standing]:
        """Where the person stands on each channel."""
        return consents_of(self.state, self.attributes, self.devices.values())

    def _permissions(self) -> dict[str, Any]:
        """`push_opt_in` and `web_push_opt_in` follow the permission where that rules (S2.10)."""
        if not self.has_devices:
            return {}
        stands = consents_of(self.state, {}, self.devices.values())
        return {
            attribute: stands[name].state == "opted_in"
            for attribute, name in CONSENT_OF.items()
            if stands[name].reason == "permission"
        }

    def touch(self) -> None:
        """The state was changed: the plain values are to be worked out again, and saved."""
        self.changed = True
        self.plain = None

    def see(self, at: int) -> None:
        """Something was heard of the person at `at`."""
        if at > self.last_seen_at:
            self.last_seen_at = at
        if at < self.created_at:
            self.created_at = at

    def texts(self) -> tuple[str, str]:
        """The attributes and the state as JSON, to be saved."""
        if not self.changed:
            return self.attributes_text, self.state_text
        return _encode(self.attributes).decode(), _encode(self.state).decode()

    def new_devices(self) -> str | None:
        """The devices as JSON, if they are to be saved."""
        if self.held is None:
            return None
        text = _encode(self.held).decode()
        return None if text == self.devices_text else text
