"""Where a person can be reached on a channel, and whether they asked for it."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from angarium.core.people.consent import Consent, standing
from angarium.core.people.profile import DeviceSeen
from angarium.plugins import Channel

OPTED_IN: Final = "opted_in"
OPTED_OUT: Final = "opted_out"
NO_ADDRESS: Final = "no_address"
"""Why somebody is not opted in who would be, had they an address."""

_DEVICE_TYPES: Final = {"device_token": ("android", "ios"), "push_endpoint": ("web",)}


class Contact(msgspec.Struct, frozen=True):
    """The part of a profile's state that sending needs; the rest is not even decoded."""

    consents: dict[str, Consent] = {}
    devices: dict[str, DeviceSeen] = {}


class BadAddress(ValueError):
    """The address cannot be sent to; the text says why, without the address."""


def find_address(
    channel: Channel, attributes: Mapping[str, Any], contact: Contact, device: str | None
) -> str:
    """The address as it is sent to; "": there is none. Raises BadAddress.

    Where devices bring the address it is that of `device` (the trigger's), else of the device seen
    last.
    """
    if not channel.address_attribute:
        return _token(channel, contact, device)
    value = attributes.get(channel.address_attribute)
    if not isinstance(value, str) or not value:
        return ""
    if channel.parse_address is None:
        return value
    try:
        return channel.parse_address(value)
    except ValueError as error:
        raise BadAddress(str(error)) from error


def consent_to(
    channel: Channel, attributes: Mapping[str, Any], contact: Contact
) -> tuple[str, str]:
    """(`opted_in`, `opted_out` or `unset`; why), by the person's own word or the channel's rule."""
    said = contact.consents.get(channel.name)
    if said is None:
        word = attributes.get(channel.consent_attribute)
        if isinstance(word, bool):
            return (OPTED_IN if word else OPTED_OUT), "explicit"
    by_address = channel.consent_default == OPTED_IN and bool(channel.address_attribute)
    has_address = by_address and bool(attributes.get(channel.address_attribute))
    stands = standing(said, has_address, None)
    if by_address and not has_address and said is None:
        return stands.state, NO_ADDRESS
    return stands.state, stands.reason


def _token(channel: Channel, contact: Contact, device: str | None) -> str:
    types = _DEVICE_TYPES.get(channel.address_kind)
    found = {
        name: seen
        for name, seen in contact.devices.items()
        if seen.token and (types is None or seen.type in types)
    }
    if not found:
        return ""
    seen = found.get(device or "") or max(found.values(), key=lambda seen: (seen.at, seen.token))
    return seen.token or ""
