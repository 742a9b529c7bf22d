"""What somebody may choose on the page of their preferences: the channels that can reach them."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

import msgspec

from angarium.core.delivery.addresses import (
    OPTED_IN,
    OPTED_OUT,
    BadAddress,
    Contact,
    consent_to,
    find_address,
)
from angarium.plugins import Channel


class Choice(msgspec.Struct, frozen=True):
    """A channel, and whether its messages are wanted now."""

    channel: str
    wanted: bool


def addresses_of(
    channels: Iterable[Channel], attributes: Mapping[str, Any], contact: Contact
) -> dict[str, str]:
    """By channel: where one person's messages would go; those that cannot reach them are left out.

    What their browser or phone forbids they cannot allow by a link (S2.10), so it is left out too.
    """
    found: dict[str, str] = {}
    for channel in channels:
        state, why = consent_to(channel, attributes, contact)
        forbidden = state == OPTED_OUT and why == "permission"
        address = "" if forbidden else _address(channel, attributes, contact)
        if address:
            found[channel.name] = address
    return found


def choices_of(
    channels: Iterable[Channel],
    attributes: Mapping[str, Any],
    contact: Contact,
    reachable: Container[str],
) -> list[Choice]:
    """The choices of one person, who is reachable by these channels."""
    return [
        Choice(channel.name, consent_to(channel, attributes, contact)[0] == OPTED_IN)
        for channel in channels
        if channel.name in reachable
    ]


def _address(channel: Channel, attributes: Mapping[str, Any], contact: Contact) -> str:
    try:
        return find_address(channel, attributes, contact, None)
    except BadAddress:
        return ""
