"""The operator's rules of messages, from the settings to what the gates are given."""

import pytest

from angarium.config.settings import Messages
from angarium.core.delivery.rules import Cap, MessageRules, parse_quiet_hours
from angarium.core.events.times import DAY, HOUR, MINUTE
from angarium.gateway.message_rules import message_rules


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Messages(), MessageRules()),
        (Messages(app_open_minutes=3), MessageRules(app_open=3 * MINUTE)),
        (
            Messages(quiet_hours="22:00-08:00", hold_hours=12),
            MessageRules(parse_quiet_hours("22:00-08:00"), patience=12 * HOUR),
        ),
        (
            Messages(
                caps=("5 per P1D",),
                marketing_caps=("1 per P1D", "3 per P7D"),
                transactional_caps=("9 per PT1H",),
                classes=("marketing", "transactional"),
            ),
            MessageRules(
                caps=(
                    Cap(5, DAY),
                    Cap(1, DAY, "marketing"),
                    Cap(3, 7 * DAY, "marketing"),
                    Cap(9, HOUR, "transactional"),
                ),
                classes=frozenset({"marketing", "transactional"}),
            ),
        ),
    ],
)
def test_rules_are_what_the_settings_say(settings: Messages, expected: MessageRules) -> None:
    assert message_rules(settings) == expected
