"""What goes wrong in every shop: values that no gateway can take, and messages about nobody."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from angarium.core.events.times import HOUR, format_instant
from angarium.gateway.demo.diary import Said
from angarium.gateway.demo.people import Person

BAD_TRAITS: Final[Sequence[Mapping[str, Any]]] = (
    {"phone": "12345"},
    {"birthday": "1370/05/12"},  # a Jalali date where the Gregorian one is asked for
    {"email": "sara.example.com"},
    {"timezone": "Tehran"},
    {"note": "خیلی خوب بود! " * 90},
)
"""Each loses one value; everything else of its message is stored."""

BAD_MESSAGES: Final[Sequence[Mapping[str, Any]]] = (
    {"type": "track", "anonymousId": "kiosk-1", "properties": {"price": 1}},
    {"type": "track", "event": "Product Viewed", "userId": "undefined"},
    {"type": "page", "name": "Home"},
    {"type": "track", "event": "Searched", "anonymousId": "kiosk-2", "timestamp": "yesterday"},
)
"""Each is refused as a whole."""


def mishaps(chance: Random, people: Sequence[Person], now: int, tag: str) -> list[Said]:
    """One of each, at some time of the last hours."""
    members = [person for person in people if person.habit == "window_shopper"]
    messages: list[tuple[Mapping[str, Any], bool]] = [
        ({"type": "identify", "userId": chance.choice(members).user_id, "traits": traits}, False)
        for traits in BAD_TRAITS
    ]
    messages += [(message, True) for message in BAD_MESSAGES]
    return [
        _said(now - chance.randint(2, 40) * HOUR, f"bad-{number}{tag}", *message)
        for number, message in enumerate(messages)
    ]


def _said(at: int, message_id: str, body: Mapping[str, Any], faulty: bool) -> Said:
    return Said(at, {"timestamp": format_instant(at), "messageId": message_id, **body}, faulty)
