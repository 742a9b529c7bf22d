"""Where somebody can be reached, and whether they asked for it."""

from typing import Any

import msgspec
import pytest

from angarium.core.delivery.addresses import BadAddress, Contact, consent_to, find_address
from angarium.core.people.consent import Consent, Word
from angarium.core.people.profile import DeviceSeen
from angarium.plugins import Channel, SmsContent
from angarium.plugins.channel import EMAIL, PUSH, SMS, WEB_PUSH

PHONES = Contact(
    devices={
        "old": DeviceSeen(1, "android", "token-old"),
        "new": DeviceSeen(5, "ios", "token-new"),
        "mute": DeviceSeen(9, "ios", None),
        "browser": DeviceSeen(7, "web", "endpoint"),
    }
)
CHAT = Channel(
    name="chat",
    consent_attribute="chat_opt_in",
    consent_default="unset",
    address_attribute="chat_id",
    address_kind="chat",
    content=SmsContent,
)


@pytest.mark.parametrize(
    ("channel", "attributes", "expected"),
    [
        (EMAIL, {"email": "a@Example.ORG"}, "a@example.org"),
        (EMAIL, {}, ""),
        (EMAIL, {"email": ""}, ""),
        (EMAIL, {"email": 5}, ""),
        (SMS, {"mobile": "+989120000000"}, "+989120000000"),
        (CHAT, {"chat_id": "42"}, "42"),
    ],
)
def test_an_attribute_holds_the_address(
    channel: Channel, attributes: dict[str, Any], expected: str
) -> None:
    assert find_address(channel, attributes, Contact(), None) == expected


def test_an_address_that_could_mean_two_things_is_refused() -> None:
    with pytest.raises(BadAddress) as caught:
        find_address(EMAIL, {"email": "a@b.example>\r\nRSET"}, Contact(), None)
    assert "RSET" not in str(caught.value)


@pytest.mark.parametrize(
    ("channel", "device", "expected"),
    [
        (PUSH, None, "token-new"),  # the one seen last that has a token
        (PUSH, "old", "token-old"),  # the trigger's own
        (PUSH, "mute", "token-new"),
        (PUSH, "browser", "token-new"),  # not a phone
        (WEB_PUSH, None, "endpoint"),
        (WEB_PUSH, "old", "endpoint"),
    ],
)
def test_a_device_brings_the_address(channel: Channel, device: str | None, expected: str) -> None:
    assert find_address(channel, {}, PHONES, device) == expected
    assert find_address(channel, {}, Contact(), device) == ""


def said(opted_in: bool, channel: str = "email") -> Contact:
    return Contact(consents={channel: Consent(Word(opted_in, 1, 0))})


@pytest.mark.parametrize(
    ("channel", "attributes", "contact", "expected"),
    [
        (EMAIL, {"email": "a@b.c"}, Contact(), ("opted_in", "default")),
        (EMAIL, {}, Contact(), ("unset", "no_address")),
        (EMAIL, {"email": "a@b.c"}, said(False), ("opted_out", "explicit")),
        (EMAIL, {}, said(True), ("opted_in", "explicit")),
        (EMAIL, {"email": "a@b.c"}, said(False, "sms"), ("opted_in", "default")),
        (PUSH, {}, PHONES, ("unset", "none")),  # only by the phone's own permission
        (PUSH, {"push_opt_in": True}, PHONES, ("opted_in", "explicit")),
        (CHAT, {"chat_id": "42"}, Contact(), ("unset", "none")),
        (CHAT, {"chat_id": "42", "chat_opt_in": True}, Contact(), ("opted_in", "explicit")),
        (CHAT, {"chat_id": "42", "chat_opt_in": False}, Contact(), ("opted_out", "explicit")),
        (CHAT, {"chat_id": "42", "chat_opt_in": "yes"}, Contact(), ("unset", "none")),
    ],
)
def test_consent(
    channel: Channel, attributes: dict[str, Any], contact: Contact, expected: tuple[str, str]
) -> None:
    """S2.10."""
    assert consent_to(channel, attributes, contact) == expected


def test_the_rest_of_a_profiles_state_is_passed_over() -> None:
    state = b'{"cells": {"x": [true, 1, 2, "v"]}, "devices": {"d": [1, "ios", "t"]}}'
    contact = msgspec.json.decode(state, type=Contact)
    assert contact == Contact(devices={"d": DeviceSeen(1, "ios", "t")})
