"""What somebody may choose on the page of their preferences: the channels that can reach them."""

from collections.abc import Iterable, Mapping
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


def choices_of(
    channels: Iterable[Channel], attributes: Mapping[str, Any], contact: Contact
) -> list[Choice]:
    """The choices of one person.

    What their browser or phone forbids they cannot allow by a link (S2.10), so it is left out.
    """
    found: list[Choice] = []
    for channel in channels:
        state, why = consent_to(channel, attributes, contact)
        forbidden = state == OPTED_OUT and why == "permission"
        if not forbidden and _is_reachable(channel, attributes, contact):
            found.append(Choice(channel.name, state == OPTED_IN))
    return found


def _is_reachable(channel: Channel, attributes: Mapping[str, Any], contact: Contact) -> bool:
    try:
        return bool(find_address(channel, attributes, contact, None))
    except BadAddress:
        return False
