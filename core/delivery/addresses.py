"""Where a person can be reached on a channel, and whether they asked for it."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from angarium.core.people.app_state import Sight
from angarium.core.people.consent import Consent, heed, standing
from angarium.core.people.devices import (
    Device,
    Devices,
    find_live,
    has_dead,
    open_devices,
    permission_on,
)
from angarium.plugins import Channel

OPTED_IN: Final = "opted_in"
OPTED_OUT: Final = "opted_out"
UNSET: Final = "unset"
NO_ADDRESS: Final = "no_address"
"""Why somebody is not opted in who would be, had they an address."""
ADDRESS_DEAD: Final = "address_dead"
"""The provider said of every address that there is that nothing arrives at it any more."""


class Contact(msgspec.Struct, frozen=True):
    """The part of a profile that sending needs; the rest is not even decoded."""

    consents: dict[str, Consent] = {}
    devices: dict[str, Device] = {}


class _State(msgspec.Struct):
    consents: dict[str, Consent] = {}


_decode_state = msgspec.json.Decoder(_State).decode
_decode_devices = msgspec.json.Decoder(Devices).decode


def read_contact(state: str, devices: str) -> Contact:
    """Of a profile as stored: its `state` and its `devices`, as JSON."""
    told = _decode_devices(devices) if devices != "{}" else {}
    return Contact(_decode_state(state).consents, told)


class BadAddress(ValueError):
    """The address cannot be sent to; the text says why, without the address."""


class DeadAddress(BadAddress):
    """All addresses that there are have died."""

    def __init__(self) -> None:
        super().__init__(ADDRESS_DEAD)


def find_address(
    channel: Channel, attributes: Mapping[str, Any], contact: Contact, device: str | None
) -> str:
    """The address as it is sent to; "": there is none. Raises BadAddress.

    Where devices bring the address it is that of `device` (the trigger's), else of the device used
    last, among those whose address is alive.
    """
    if not channel.address_attribute:
        return _of_devices(channel, contact, device)
    value = attributes.get(channel.address_attribute)
    if isinstance(value, int) and not isinstance(value, bool):  # a chat's id, say
        value = str(value)
    return read_address(channel, value) if isinstance(value, str) and value else ""


def read_address(channel: Channel, text: str) -> str:
    """The address as it is stored and sent to. Raises BadAddress, whatever a plugin does."""
    if channel.parse_address is None:
        return text
    try:
        found: Any = channel.parse_address(text)  # a stranger may have written it
    except ValueError as error:
        raise BadAddress(str(error)) from error
    except (Exception, SystemExit) as error:
        why = f"the channel {channel.name} cannot read it: {type(error).__name__}"
        raise BadAddress(why) from None
    if not isinstance(found, str):
        raise BadAddress(f"the channel {channel.name} makes no text of it")
    return found


def with_open_app(channel: Channel, contact: Contact, now: int, within: int) -> Contact:
    """Only the devices whose app is open, heard of in the last `within` ms; all, if none is."""
    found = open_devices(contact.devices, channel.address_kind, now, within)
    return msgspec.structs.replace(contact, devices=found) if found else contact


def sight_of_app(contact: Contact, address: str) -> Sight | None:
    """What is known of the app on the device that has the address; None: there is no such one."""
    device = _device_at(contact, address)
    return device.sight if device is not None else None


def type_of_device(contact: Contact, address: str) -> str | None:
    """`android`, `ios` or `web`: of the device that has the address; None: not known."""
    device = _device_at(contact, address)
    return device.type if device is not None else None


def _device_at(contact: Contact, address: str) -> Device | None:
    for device in contact.devices.values():
        if device.address is not None and device.address.text == address and device.is_live:
            return device
    return None


def consent_to(
    channel: Channel, attributes: Mapping[str, Any], contact: Contact
) -> tuple[str, str]:
    """(`opted_in`, `opted_out` or `unset`; why), by the person's own word or the channel's rule."""
    said = contact.consents.get(channel.name)
    if not channel.address_attribute:
        allowed = permission_on(contact.devices.values(), channel.address_kind)
        if allowed is not None:
            stands = heed(standing(said, False, None), allowed)
            return stands.state, stands.reason
    word = attributes.get(channel.consent_attribute)
    if said is None:
        if isinstance(word, bool):
            return (OPTED_IN if word else OPTED_OUT), "explicit"
        if word is not None:  # of a time when nobody knew that it is a consent
            return UNSET, "none"
    by_address = channel.consent_default == OPTED_IN and bool(channel.address_attribute)
    has_address = by_address and bool(attributes.get(channel.address_attribute))
    stands = standing(said, has_address, None)
    if by_address and not has_address and said is None:
        return stands.state, NO_ADDRESS
    if word is False and stands.state == OPTED_IN:  # told while the channel's plugin was away
        return OPTED_OUT, "explicit"
    return stands.state, stands.reason


def _of_devices(channel: Channel, contact: Contact, device: str | None) -> str:
    found = find_live(contact.devices, channel.address_kind, device)
    if found is not None and found.address is not None:
        return found.address.text
    if has_dead(contact.devices, channel.address_kind):
        raise DeadAddress
    return ""
