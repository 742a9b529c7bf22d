"""What a message says of its device: what is taken, what is refused by name."""

import base64
from typing import Any

import msgspec
import pytest

from angarium.core.events.message import Device as Told
from angarium.core.events.message import Message
from angarium.core.events.values import Problem
from angarium.core.people.device_words import read_word
from angarium.core.people.devices import (
    Address,
    Death,
    Device,
    Permission,
    Word,
    address_key,
    confirm,
    find_live,
    permission_on,
)
from tests.workers.people import NOW, said

POINT = base64.urlsafe_b64encode(b"\4" + b"p" * 64).decode().rstrip("=")
AUTH = base64.urlsafe_b64encode(b"a" * 16).decode().rstrip("=")
SUBSCRIPTION: dict[str, Any] = {
    "endpoint": "https://push.example.org/send/abc",
    "expirationTime": None,
    "keys": {"p256dh": POINT, "auth": AUTH},
}
KEPT = msgspec.json.encode(
    {"endpoint": SUBSCRIPTION["endpoint"], "keys": {"p256dh": POINT, "auth": AUTH}}
).decode()
DAMAGED: list[tuple[Any, str]] = [
    (None, ""),
    ("", ""),
    ("no json", ""),
    ([], ""),
    (5, ""),
    ({"endpoint": "https://a.example"}, ".keys"),
    (SUBSCRIPTION | {"keys": {"p256dh": POINT}}, ".keys.auth"),
    (SUBSCRIPTION | {"keys": {"p256dh": AUTH, "auth": AUTH}}, ".keys.p256dh"),
    (SUBSCRIPTION | {"keys": {"p256dh": 5, "auth": AUTH}}, ".keys.p256dh"),
    (SUBSCRIPTION | {"keys": {"p256dh": POINT, "auth": "\u0661" * 22}}, ".keys.auth"),
    (SUBSCRIPTION | {"keys": {"p256dh": "A" + POINT[1:], "auth": AUTH}}, ".keys.p256dh"),
    *(
        (SUBSCRIPTION | {"endpoint": endpoint}, ".endpoint")
        for endpoint in [
            None,
            5,
            "",
            "push.example.org",
            "http://push.example.org/x",
            "ftp://push.example.org/x",
            "javascript:alert(1)",
            "https://",
            "https://user@push.example.org/x",
            "https://push.example.org:99999/x",
            "https://push.example.org/a b",
            "https://push.example.org/\r\nHost: x",
            "https://[::1",
        ]
    ),
    (SUBSCRIPTION | {"endpoint": "https://push.example.org/" + "x" * 4096}, ""),
]


def read(message: Message) -> tuple[Word | None, list[tuple[str, str]]]:
    problems: list[Problem] = []
    word = read_word(message, problems.append)
    assert all(problem.reason for problem in problems)
    return word, [(problem.field, problem.code) for problem in problems]


def with_device(
    id: str | None = "d1", type: str | None = None, token: str | None = None
) -> Message:
    return said("m1", user_id="u1", device=Told(id, type, token), device_id=id)


def subscribed(subscription: Any, name: str = "Push Subscribed", **more: Any) -> Message:
    message = said("m1", anonymous_id="a1", device_id="a1", **more)
    message.name, message.subscription = name, subscription
    return message


@pytest.mark.parametrize(
    ("type", "token", "kind", "address"),
    [
        ("android", "fcm:token-1_2", "android", "fcm:token-1_2"),
        ("iOS", "a1" * 32, "ios", "a1" * 32),
        (None, "token", None, "token"),
        ("ios", None, "ios", None),
        ("ios", "", "ios", None),
        ("Desktop", None, None, None),
        ("web", msgspec.json.encode(SUBSCRIPTION).decode(), "web", KEPT),
    ],
)
def test_a_message_tells_of_its_device(
    type: str | None, token: str | None, kind: str | None, address: str | None
) -> None:
    word, problems = read(with_device(type=type, token=token))

    assert word is not None
    assert (word.at, word.type, word.address, problems) == (NOW, kind, address, [])


@pytest.mark.parametrize(
    ("device", "problem"),
    [
        (("d1", "ios", "x" * 4097), ("context.device.token", "token_too_long")),
        (("d1", "ios", "\u0622" * 2049), ("context.device.token", "token_too_long")),
        (("d1", "ios", "two words"), ("context.device.token", "bad_token")),
        (("d1", "ios", "line\r\nbreak"), ("context.device.token", "bad_token")),
        (("d1", "ios", "توکن"), ("context.device.token", "bad_token")),
        (("d1", "ios", KEPT), ("context.device.token", "bad_token")),
        (("d1", "web", "fcm-web-token"), ("context.device.token", "bad_token")),
        (("d1", "web", '{"endpoint": 5}'), ("context.device.token", "bad_subscription")),
        (("d1", "fridge", "token"), ("context.device.type", "unknown_device_type")),
    ],
)
def test_a_bad_token_is_refused_by_name_and_costs_nothing_else(
    device: tuple[str, str, str], problem: tuple[str, str]
) -> None:
    word, problems = read(with_device(*device))

    assert problems == [problem]
    assert word is not None
    assert (word.at, word.address) == (NOW, None)


def test_what_tells_neither_id_nor_type_nor_token_makes_no_device() -> None:
    message = said("m1", anonymous_id="a1", device=Told(), device_id="a1")
    assert read(message) == (None, [])


def test_a_token_of_no_device_is_refused() -> None:
    word, problems = read(with_device(None, "ios", "token"))
    assert (word, problems) == (None, [("context.device.id", "no_device_id")])


def test_a_browsers_subscription_is_its_address_and_permission() -> None:
    word, problems = read(subscribed(SUBSCRIPTION))

    assert problems == []
    assert word is not None
    assert (word.type, word.address, word.permission) == ("web", KEPT, True)


@pytest.mark.parametrize(("subscription", "member"), DAMAGED)
def test_a_damaged_subscription_is_refused_by_name(subscription: Any, member: str) -> None:
    word, problems = read(subscribed(subscription))

    assert problems == [(f"properties.subscription{member}", "bad_subscription")]
    assert word is not None
    assert (word.address, word.permission) == (None, None)


@pytest.mark.parametrize(
    ("name", "address", "permission"),
    [
        ("Push Unsubscribed", "", None),
        ("Push Permission Denied", "", False),
        ("Push Permission Granted", None, True),
    ],
)
def test_a_browser_withdraws_or_denies(
    name: str, address: str | None, permission: bool | None
) -> None:
    word, problems = read(subscribed(None, name))

    assert problems == []
    assert word is not None
    assert (word.type, word.address, word.permission) == ("web", address, permission)


def test_a_phone_may_say_the_same() -> None:
    message = with_device("d1", "ios", "token")
    message.name = "Push Permission Denied"

    word, _ = read(message)

    assert word is not None
    assert (word.type, word.address, word.permission) == ("ios", "", False)


def test_an_endpoint_is_one_address_whatever_its_keys() -> None:
    other = KEPT.replace(AUTH, base64.urlsafe_b64encode(b"b" * 16).decode().rstrip("="))

    assert other != KEPT
    assert address_key(other) == address_key(KEPT)
    assert len({address_key(text) for text in ("token", "Token", KEPT, "{", "{}")}) == 5


def phone() -> Device:
    return Device(NOW, 0, "ios", Address(NOW, 0, "token"))


@pytest.mark.parametrize(
    ("message", "known"),
    [
        (with_device("d1", "ios", "token"), True),
        (with_device("d1", "iOS", "token"), True),
        (with_device("d1", None, None), True),
        (with_device("d1", "android", "token"), True),
        (with_device("d1", "desktop", None), True),
        (said("m1", user_id="u1", device_id="d1"), True),
        (with_device("d1", "ios", "other"), False),
        (with_device("d1", "web", "token"), False),
        (subscribed(SUBSCRIPTION), False),
    ],
)
def test_what_brings_nothing_new_is_noted_at_once(message: Message, known: bool) -> None:
    message.at += 5
    device = phone()

    assert confirm(device, message) is known
    assert (device.at == NOW + 5) is known
    if known and message.device is not None and message.device.token:
        assert device.address is not None
        assert device.address.at == NOW + 5


def test_times_never_go_back() -> None:
    device = phone()
    message = with_device("d1", "ios", "token")
    message.at -= 5

    assert confirm(device, message)
    assert device == phone()


def test_a_lost_or_dead_token_that_is_told_again_is_news() -> None:
    lost, dead = phone(), phone()
    lost.address = Address(NOW, 0, "token", lost=True)
    dead.death = Death(NOW + 1, "gone")
    message = with_device("d1", "ios", "token")
    message.at += 5

    assert not confirm(lost, message)
    assert not confirm(dead, message)


def test_a_message_goes_to_the_triggers_device_or_the_one_used_last() -> None:
    devices = {
        "old": Device(1, 0, "ios", Address(9, 0, "t1")),
        "new": Device(5, 0, "android", Address(2, 0, "t2")),
        "dead": Device(7, 0, "ios", Address(2, 0, "t3"), death=Death(2, "gone")),
        "again": Device(4, 0, "ios", Address(3, 0, "t4"), death=Death(2, "gone")),
        "browser": Device(8, 0, "web", Address(8, 0, KEPT)),
    }

    def found(kind: str, preferred: str | None) -> str | None:
        device = find_live(devices, kind, preferred)
        return next((id for id, one in devices.items() if one is device), None)

    assert found("device_token", None) == "new"
    assert found("device_token", "old") == "old"
    assert found("device_token", "again") == "again"
    assert found("device_token", "dead") == "new"
    assert found("device_token", "browser") == "new"
    assert found("push_endpoint", "old") == "browser"
    assert found("fax", None) == "browser"  # a plugin's own word: any device


def test_one_browser_that_allows_is_enough() -> None:
    granted = Device(1, 0, "web", permission=Permission(1, 0, True))
    denied = Device(5, 0, "web", permission=Permission(5, 0, False))

    assert permission_on([denied, granted], "push_endpoint") == granted.permission
    assert permission_on([denied], "push_endpoint") == denied.permission
    assert permission_on([denied], "device_token") is None
