"""When a message is no longer worth sending: the campaign's word, a notification's, the usual."""

from typing import Any

import pytest

from angarium.core.campaigns.definition import parse_campaign
from angarium.core.delivery.rules import MessageRules, parse_quiet_hours
from angarium.core.events.times import DAY, HOUR, MINUTE
from angarium.core.workers.planning import expiry
from tests.delivery.examples import NOW

QUIET = MessageRules(open_hours=parse_quiet_hours("22:00-08:00"), patience=12 * HOUR)


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
