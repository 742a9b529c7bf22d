"""Which channel a message takes, and when it is no longer worth sending."""

from typing import Any

import pytest

from angarium.core.campaigns.definition import parse_campaign
from angarium.core.delivery.rules import MessageRules, parse_quiet_hours
from angarium.core.events.times import DAY, HOUR, MINUTE
from angarium.core.people.app_state import AppState
from angarium.core.people.devices import Address, Death, Device, Permission
from angarium.core.people.profile import Profile
from angarium.core.store.protocol import Store
from angarium.core.store.suppressions import Suppression, suppress
from angarium.core.workers.planning import Wanted, choose_channels, expiry
from angarium.plugins.channel import BUILT_IN_CHANNELS
from tests.delivery.examples import NOW

QUIET = MessageRules(open_hours=parse_quiet_hours("22:00-08:00"), patience=12 * HOUR)
CHANNELS = {channel.name: channel for channel in BUILT_IN_CHANNELS}
HERE = {"email": "ann@example.org", "mobile": "+989121234567"}
OUT = {"email_opt_in": False}
BLOCKED = Suppression("email", "Ann@Example.org", "bounced", NOW)


def phone(**changes: Any) -> dict[str, Device]:
    """One that allows messages, heard of at NOW."""
    told = Device(NOW, 1, "android", Address(NOW, 1, "token"), Permission(NOW, 1, True))
    for name, value in changes.items():
        setattr(told, name, value)
    return {"phone": told}


@pytest.mark.parametrize(
    ("attributes", "devices", "live", "blocked", "expected"),
    [
        (HERE, phone(), False, False, "push"),
        (HERE, phone(death=Death(NOW, "gone")), False, False, "email"),
        (HERE, phone(permission=Permission(NOW, 1, False)), False, False, "email"),
        (HERE, {}, False, False, "email"),
        (HERE, {}, False, True, "sms"),
        (HERE | OUT, {}, False, False, "sms"),
        ({"email": HERE["email"]}, {}, False, True, "push"),
        ({}, {}, False, False, "push"),
        (HERE, phone(), True, False, "email"),
        (HERE, phone(app=AppState(NOW, 1, False)), True, False, "email"),
        (HERE, phone(app=AppState(NOW, 1, True)), True, False, "push"),
        (HERE, phone(app=AppState(NOW, 1, True), at=NOW - HOUR), True, False, "email"),
    ],
)
async def test_the_first_channel_that_may_and_can_reach_them_is_used(
    store: Store,
    attributes: dict[str, Any],
    devices: dict[str, Device],
    live: bool,
    blocked: bool,
    expected: str,
) -> None:
    """S1.14, S1.15; the first of all where none can: its gates say why nothing was sent."""
    content = {
        "order": ["push", "email", "sms"],
        "push": {"title": "x", "live": live},
        "email": {"subject": "x", "text": "y"},
        "sms": {"text": "y"},
    }
    send_at = {"trigger": {"event": "Visit"}}
    definition = parse_campaign({"name": "x", "send_at": send_at, "content": content})
    ann = Profile("prf_1", "ann", NOW, NOW, plain=attributes, held=devices)
    wanted = Wanted("default", ann, definition, definition.content.order, NOW)
    nobody = Wanted("default", ann, definition, ("sms",), NOW)

    async with store.transaction() as tx:
        if blocked:
            await suppress(tx, "default", BLOCKED)
        chosen = await choose_channels(tx, [wanted, nobody], CHANNELS)

    assert chosen == [expected, "sms"]


@pytest.mark.parametrize(
    ("said", "push", "channel", "expected"),
    [
        ({}, {}, "push", HOUR),
        ({}, {}, "email", DAY),
        ({}, {"ttl": "PT5M"}, "push", 5 * MINUTE),
        ({}, {"ttl": "P7D"}, "push", 7 * DAY),
        ({}, {"ttl": "PT0S"}, "push", MINUTE),
        ({}, {"ttl": "PT5M"}, "email", DAY),
        ({"expires_after": "PT30M"}, {}, "push", HOUR // 2),
        ({"expires_after": "PT30M"}, {"ttl": "PT5M"}, "push", 5 * MINUTE),
        ({"expires_after": "PT30M"}, {"ttl": "PT5M"}, "email", HOUR // 2),
        ({"expires_after": "PT30M"}, {"ttl": "P7D"}, "push", HOUR // 2),
        ({"expires_after": "PT10S"}, {"ttl": "PT0S"}, "push", MINUTE // 6),
    ],
)
def test_what_ends_first_counts(
    said: dict[str, Any], push: dict[str, Any], channel: str, expected: int
) -> None:
    """S1.15: a delivery that waits longer than its TTL is over, whatever holds it."""
    definition = parse_campaign(
        {
            "name": "x",
            "send_at": {"trigger": {"event": "Visit"}},
            "content": {
                "order": ["push", "email"],
                "push": {"title": "x", **push},
                "email": {"subject": "x", "text": "y"},
            },
            **said,
        }
    )

    assert expiry(definition, channel, NOW) == NOW + expected
    patient = expiry(definition, channel, NOW, QUIET) - NOW
    silent = not said and (channel != "push" or "ttl" not in push)
    assert patient == (max(expected, 12 * HOUR) if silent else expected)
