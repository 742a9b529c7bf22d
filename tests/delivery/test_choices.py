"""What the page of preferences offers somebody."""

from typing import Any

import pytest

from angarium.core.delivery.addresses import Contact
from angarium.core.delivery.choices import addresses_of, choices_of
from angarium.core.people.consent import Consent, Word
from angarium.core.people.devices import Address, Death, Device, Permission
from angarium.plugins.channel import BUILT_IN_CHANNELS

NO = Consent(Word(False, 1, 1))
YES = Consent(Word(True, 1, 1))


def choices(attributes: dict[str, Any], **contact: Any) -> dict[str, bool]:
    known = Contact(**contact)
    reachable = addresses_of(BUILT_IN_CHANNELS, attributes, known)
    found = choices_of(BUILT_IN_CHANNELS, attributes, known, reachable)
    return {choice.channel: choice.wanted for choice in found}


def phone(granted: bool) -> dict[str, Device]:
    return {"d1": Device(1, 1, "ios", Address(1, 1, "token"), Permission(1, 1, granted))}


@pytest.mark.parametrize(
    ("attributes", "contact", "expected"),
    [
        ({}, {}, {}),
        ({"email": "a@b.example"}, {}, {"email": True}),
        ({"email": "a@b.example"}, {"consents": {"email": NO}}, {"email": False}),
        ({"email": "no address"}, {}, {}),
        ({}, {"consents": {"email": NO}}, {}),  # an opt-out before there is an address
        (
            {"email": "a@b.example", "mobile": "+989120000000"},
            {"consents": {"sms": NO}},
            {"email": True, "sms": False},
        ),
        ({}, {"devices": phone(True)}, {"push": True}),
        ({}, {"devices": phone(True), "consents": {"push": NO}}, {"push": False}),
        ({}, {"devices": phone(False)}, {}),  # S2.10: only the phone can allow it
        ({}, {"devices": phone(False), "consents": {"push": YES}}, {}),
        ({}, {"devices": phone(False), "consents": {"push": NO}}, {}),
    ],
)
def test_what_can_reach_them_and_what_they_want(
    attributes: dict[str, Any], contact: dict[str, Any], expected: dict[str, bool]
) -> None:
    assert choices(attributes, **contact) == expected


def test_a_dead_address_is_no_choice() -> None:
    dead = {"d1": Device(1, 1, "ios", Address(1, 1, "token"), None, Death(2, "gone"))}
    assert choices({}, devices=dead, consents={"push": YES}) == {}
