"""Where somebody can be reached, and whether they asked for it."""

import sys
from typing import Any

import msgspec
import pytest

from angarium.core.delivery.addresses import (
    BadAddress,
    Contact,
    DeadAddress,
    consent_to,
    find_address,
    read_contact,
    type_of_device,
)
from angarium.core.people.consent import Consent, Word
from angarium.core.people.devices import Address, Death, Device, Permission
from angarium.plugins import Channel, SmsContent
from angarium.plugins.channel import EMAIL, PUSH, SMS, WEB_PUSH

PHONES = Contact(
    devices={
        "old": Device(1, 0, "android", Address(1, 0, "token-old")),
        "new": Device(5, 0, "ios", Address(2, 0, "token-new")),
        "mute": Device(9, 0, "ios"),
        "gone": Device(8, 0, "ios", Address(2, 0, "token-gone"), death=Death(3, "gone")),
        "sold": Device(8, 0, "ios", Address(2, 0, "token-sold", lost=True)),
        "browser": Device(7, 0, "web", Address(7, 0, '{"endpoint"}'), Permission(7, 0, True)),
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
        (EMAIL, {"email": ["a@example.org"]}, ""),
        (SMS, {"mobile": "+989120000000"}, "+989120000000"),
        (CHAT, {"chat_id": "42"}, "42"),
        (CHAT, {"chat_id": 42}, "42"),
        (CHAT, {"chat_id": True}, ""),
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


def split_carelessly(text: str) -> str:
    return text.split(":")[1]


@pytest.mark.parametrize("careless", [split_carelessly, lambda text: sys.exit(), lambda text: 5])
def test_a_plugin_that_cannot_read_an_address_harms_one_message(careless: Any) -> None:
    channel = msgspec.structs.replace(CHAT, parse_address=careless)
    with pytest.raises(BadAddress, match="the channel chat") as caught:
        find_address(channel, {"chat_id": "secret"}, Contact(), None)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("channel", "device", "expected"),
    [
        (PUSH, None, "token-new"),  # the one seen last that has a token
        (PUSH, "old", "token-old"),  # the trigger's own
        (PUSH, "mute", "token-new"),
        (PUSH, "gone", "token-new"),
        (PUSH, "sold", "token-new"),
        (PUSH, "browser", "token-new"),  # not a phone
        (WEB_PUSH, None, '{"endpoint"}'),
        (WEB_PUSH, "old", '{"endpoint"}'),
    ],
)
def test_a_device_brings_the_address(channel: Channel, device: str | None, expected: str) -> None:
    assert find_address(channel, {}, PHONES, device) == expected
    assert find_address(channel, {}, Contact(), device) == ""


DENIED = Contact(devices={"browser": Device(7, 0, "web", permission=Permission(7, 0, False))})
ALLOWED_SINCE = Contact(
    devices={"browser": Device(7, 0, "web", permission=Permission(0, 0, False))}
)


def said(opted_in: bool, channel: str = "email", contact: Contact = PHONES) -> Contact:
    return Contact({channel: Consent(Word(opted_in, 1, 0))}, contact.devices)


def test_where_all_addresses_are_dead_that_is_the_reason() -> None:
    gone = Contact(devices={"gone": PHONES.devices["gone"]})

    with pytest.raises(DeadAddress, match="address_dead"):
        find_address(PUSH, {}, gone, None)
    assert find_address(WEB_PUSH, {}, gone, None) == ""


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
        (WEB_PUSH, {}, PHONES, ("opted_in", "permission")),
        (WEB_PUSH, {}, DENIED, ("opted_out", "permission")),
        (WEB_PUSH, {}, said(False, "web_push", PHONES), ("opted_out", "explicit")),
        (WEB_PUSH, {}, said(True, "web_push", DENIED), ("opted_out", "permission")),
        (WEB_PUSH, {}, said(True, "web_push", ALLOWED_SINCE), ("opted_in", "explicit")),
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
    state = '{"cells": {"x": [true, 1, 2, "v"]}}'
    contact = read_contact(state, '{"d": [1, 2, "ios", [1, 2, "t"]]}')
    assert contact == Contact(devices={"d": Device(1, 2, "ios", Address(1, 2, "t"))})


def test_the_type_of_a_device_is_that_of_the_one_with_the_address() -> None:
    contact = Contact(
        devices={
            "a": Device(1, 2, "ios", Address(1, 2, "t1")),
            "b": Device(1, 2, "android", Address(1, 2, "t2")),
            "c": Device(1, 2, None, Address(1, 2, "t3")),
            "d": Device(1, 2, "ios", Address(1, 2, "t4", lost=True)),
        }
    )
    found = [type_of_device(contact, f"t{n}") for n in range(1, 6)]
    assert found == ["ios", "android", None, None, None]
