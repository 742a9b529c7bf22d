"""Settings whose text must have a form: caps and quiet hours."""

import pytest

from angarium.config.checks import are_caps, are_quiet_hours
from angarium.config.decode import SettingsInvalid
from angarium.config.load import load_settings


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("3 per P1D", True),
        ("1 per PT1M", True),
        ("9999 per P31D", True),
        ("2 per PT744H", True),
        ("0 per P1D", False),
        ("1 per P0D", False),
        ("1 per P32D", False),
        ("1 per PT745H", False),
        ("1 per P1M", False),
        ("10000 per P1D", False),
        ("3", False),
        ("three per P1D", False),
    ],
)
def test_a_cap_says_how_many_in_what_time(text: str, good: bool) -> None:
    assert are_caps([text]) == good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("", True),
        ("22:00-08:00", True),
        ("00:00-06:30", True),
        ("22:00-22:00", False),
        ("22:00-24:00", False),
        ("22:00", False),
        ("9-17", False),
    ],
)
def test_quiet_hours_are_a_span_of_the_day(text: str, good: bool) -> None:
    assert are_quiet_hours(text) == good


def test_the_environment_may_set_several_caps() -> None:
    environ = {"ANGARIUM_MESSAGES_MARKETING_CAPS": "1 per P1D,3 per P7D"}
    assert load_settings(None, environ).messages.marketing_caps == ("1 per P1D", "3 per P7D")


def test_what_is_wrong_is_named_with_its_remedy() -> None:
    environ = {
        "ANGARIUM_MESSAGES_CAPS": "3 a day",
        "ANGARIUM_MESSAGES_QUIET_HOURS": "at night",
        "ANGARIUM_MESSAGES_CLASSES": "newsletter",
    }
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(None, environ)
    said = str(caught.value)
    assert "messages.caps" in said
    assert "3 per P1D" in said
    assert "22:00-08:00" in said
    assert "messages.classes" in said
