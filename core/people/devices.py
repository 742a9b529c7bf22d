"""A person's devices, and what each of them said last.

Every member is a register: the latest word by event time stands, in whatever order words come.
Whose a device is and which device an address reaches is settled in handover.py.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from angarium.core.delivery.keys import make_id
from angarium.core.events.message import PUSH_SUBSCRIBED, Message, tie
from angarium.core.people.app_state import APP_EVENTS, AppState, Sight

TYPES: Final = ("android", "ios", "web")
"""In this order: where messages give a device two types, the last of these counts."""
WEB: Final = "web"
PUSH_ENDPOINT: Final = "push_endpoint"
DEVICE_TOKEN: Final = "device_token"
KINDS: Final = (PUSH_ENDPOINT, DEVICE_TOKEN)
"""Of addresses, as channels name them. A channel with another word takes them all."""

PUSH_UNSUBSCRIBED: Final = "Push Unsubscribed"
PERMISSION_GRANTED: Final = "Push Permission Granted"
PERMISSION_DENIED: Final = "Push Permission Denied"
PUSH_EVENTS: Final = frozenset(
    {PUSH_SUBSCRIBED, PUSH_UNSUBSCRIBED, PERMISSION_GRANTED, PERMISSION_DENIED}
)

Stamp = tuple[int, int]
"""(event time in ms, tie): the order of words."""


class Address(msgspec.Struct, array_like=True):
    """The push address that a device told last, `at` ms; text "": it withdrew the one it had.

    lost: another device told the same address later, so it reaches that one.
    """

    at: int
    tie: int
    text: str = ""
    lost: bool = False


class Permission(msgspec.Struct, array_like=True):
    """What the browser or the phone allows."""

    at: int
    tie: int
    granted: bool


class Death(msgspec.Struct, array_like=True, frozen=True):
    """A provider's word of `at` ms that nothing arrives at the address any more."""

    at: int
    reason: str


class Device(msgspec.Struct, array_like=True):
    """A device as its last user has it; `at`, `tie`: when it was used last."""

    at: int
    tie: int
    type: str | None = None
    address: Address | None = None
    permission: Permission | None = None
    death: Death | None = None
    app: AppState | None = None

    @property
    def sight(self) -> Sight:
        """What is known of its app."""
        return Sight(self.app.open if self.app is not None else None, self.at)

    @property
    def kind(self) -> str:
        """Of its address: `push_endpoint` of browsers, `device_token` of phones."""
        if self.address is not None and self.address.text:
            return PUSH_ENDPOINT if self.address.text.startswith("{") else DEVICE_TOKEN
        return PUSH_ENDPOINT if self.type == WEB else DEVICE_TOKEN

    @property
    def has_address(self) -> bool:
        """Whether an address was told that is this device's, dead or alive."""
        return self.address is not None and bool(self.address.text) and not self.address.lost

    @property
    def is_dead(self) -> bool:
        """Whether the address died, and was not told again since."""
        return (
            self.death is not None
            and self.address is not None
            and self.has_address
            and self.death.at >= self.address.at
        )

    @property
    def forbids(self) -> bool:
        """Whether the browser or phone was told to show nothing."""
        return self.permission is not None and not self.permission.granted

    @property
    def is_live(self) -> bool:
        """Whether it has an address that messages may go to."""
        return self.has_address and not self.is_dead


class Word(msgspec.Struct, frozen=True):
    """What one message says of its device; None: nothing. address "": it is withdrawn.

    app: whether it is open.
    """

    at: int
    tie: int
    type: str | None = None
    address: str | None = None
    permission: bool | None = None
    app: bool | None = None


Devices = dict[str, Device]
"""By device id."""


def stamp(register: Device | Address | Permission | AppState | Word) -> Stamp:
    return (register.at, register.tie)


def address_key(text: str) -> str:
    """Tells addresses apart, in 24 letters: a browser's by the endpoint, whatever its keys."""
    return make_id("adr_", _endpoint(text) if text.startswith("{") else text)


def find_live(devices: Mapping[str, Device], kind: str, preferred: str | None) -> Device | None:
    """The device of that kind that a message goes to: `preferred`, else the one used last.

    One that forbids notifications only where there is no other.
    """
    live = {id: one for id, one in devices.items() if one.is_live and _is_of(one, kind)}
    shows = {id: one for id, one in live.items() if not one.forbids} or live
    if preferred is not None and preferred in shows:
        return shows[preferred]
    return max(shows.values(), key=stamp, default=None)


def open_devices(devices: Mapping[str, Device], kind: str, now: int, within: int) -> Devices:
    """Those of that kind with an address that messages may go to, and an app that is open."""
    return {
        id: one
        for id, one in devices.items()
        if one.is_live and _is_of(one, kind) and one.sight.is_open(now, within)
    }


def has_dead(devices: Mapping[str, Device], kind: str) -> bool:
    """Whether a device of that kind has an address that died."""
    return any(device.is_dead and _is_of(device, kind) for device in devices.values())


def permission_on(devices: Iterable[Device], kind: str) -> Permission | None:
    """What the person's devices of a kind allow: one that does is enough; the latest speaks."""
    words = [one.permission for one in devices if one.permission is not None and _is_of(one, kind)]
    return max(words, key=lambda word: (word.granted, *stamp(word)), default=None)


def confirm(device: Device, message: Message) -> bool:
    """Note a message of the device's own user that brings nothing but its time.

    False: it says something new, and nothing was noted.
    """
    said = message.device
    if message.name in PUSH_EVENTS:
        return False
    if said is not None and not _says_the_same(device, said.type, said.token, message.at):
        return False
    use(device, message)
    if said is not None and said.token and device.address is not None:
        use(device.address, message)
    opened = said_of_app(message)
    if opened is not None:
        hear_app(device, AppState(message.at, tie(message.id), opened))
    return True


def said_of_app(message: Message) -> bool | None:
    """Whether the app on the message's device is open after it; None: it says nothing of that."""
    return APP_EVENTS.get(message.name) if message.device is not None else None


def hear_app(device: Device, said: AppState) -> None:
    """Note what an app said of itself, if that is the latest."""
    if device.app is None or stamp(said) > stamp(device.app):
        device.app = said


def use(register: Device | Address, message: Message) -> None:
    """Note when the device was used, or its address told."""
    if message.at > register.at:
        register.at, register.tie = message.at, tie(message.id)
    elif message.at == register.at:
        register.tie = max(register.tie, tie(message.id))


def read_type(text: str | None) -> str | None:
    """`android`, `ios` or `web`, however it is written; None: none of these."""
    if text is None or text in TYPES:
        return text
    lower = text.lower()
    return lower if lower in TYPES else None


def _is_of(device: Device, kind: str) -> bool:
    return device.kind == kind or kind not in KINDS


def _says_the_same(device: Device, kind: str | None, token: str | None, at: int) -> bool:
    if kind != device.type and (read_type(kind) or "") > (device.type or ""):
        return False
    if not token:
        return True
    own = device.address
    if own is None or own.text != token or own.lost:
        return False
    return device.death is None or device.is_live or at <= device.death.at


class _Endpoint(msgspec.Struct):
    endpoint: str = ""


_read_endpoint = msgspec.json.Decoder(_Endpoint).decode


def _endpoint(subscription: str) -> str:
    try:
        return _read_endpoint(subscription).endpoint
    except (ValueError, RecursionError):
        return subscription
