"""What an Apple phone is given for a notification."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from angarium.channels._apns_payload import compose, headers
from angarium.plugins import PermanentFailure
from angarium.plugins.message import Button
from tests.channels.push_messages import AT, MINUTE, push_message


def composed(**changes: Any) -> Any:
    return json.loads(compose(push_message(**changes)))


def test_a_notification_with_everything() -> None:
    content = {
        "title": "سبد خرید 🛒",
        "body": "می‌خواهید ادامه دهید؟",
        "image": "https://example.org/a.png",
        "link": "shop://cart",
        "buttons": (Button(id="buy", title="خرید", link="shop://buy"),),
        "data": {"color": "red", "list": [1, None]},
    }

    assert composed(content=content) == {
        "aps": {
            "alert": {"title": "سبد خرید 🛒", "body": "می‌خواهید ادامه دهید؟"},
            "sound": "default",
            "mutable-content": 1,
            "category": "buy",
        },
        "delivery": "dlv_1",
        "link": "shop://cart",
        "image": "https://example.org/a.png",
        "buttons": [{"id": "buy", "title": "خرید", "link": "shop://buy"}],
        "color": "red",
        "list": [1, None],
    }


def test_a_live_message_brings_the_app_all_that_it_shows() -> None:
    """S1.15"""
    content = {
        "title": "سلام",
        "body": "متن",
        "image": "https://example.org/a.png",
        "link": "shop://cart",
        "live": True,
    }

    assert composed(content=content) == {
        "aps": {"content-available": 1},
        "delivery": "dlv_1",
        "link": "shop://cart",
        "live": True,
        "title": "سلام",
        "body": "متن",
        "image": "https://example.org/a.png",
    }
    assert headers(push_message(content=content, deadline=AT + MINUTE)) == {
        "apns-push-type": "background",
        "apns-priority": "5",
        "apns-expiration": "0",
    }


def test_the_buttons_ids_name_the_category_that_the_app_registered() -> None:
    buttons = tuple(Button(id=id, title="x") for id in ("buy", "later"))
    sent = composed(content={"title": "t", "buttons": buttons})

    assert sent["aps"]["category"] == "buy.later"
    assert "category" not in composed(content={"silent": True, "buttons": buttons})["aps"]


def test_a_silent_message_shows_nothing() -> None:
    sent = composed(content={"title": "unseen", "silent": True, "data": {"sync": 1}})

    assert sent == {"aps": {"content-available": 1}, "delivery": "dlv_1", "sync": 1}


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (
            {"title": "t"},
            {"apns-push-type": "alert", "apns-priority": "10", "apns-collapse-id": "dlv_1"},
        ),
        ({"silent": True}, {"apns-push-type": "background", "apns-priority": "5"}),
        (
            {"silent": True, "collapse": "sync"},
            {"apns-push-type": "background", "apns-priority": "5", "apns-collapse-id": "sync"},
        ),
    ],
)
def test_a_silent_message_has_no_priority(
    content: Mapping[str, Any], wanted: Mapping[str, str]
) -> None:
    assert headers(push_message(content=content)) == wanted


@pytest.mark.parametrize("collapse", ["x" * 65, "سبد خرید", "two\nlines", " edge ", "ا" * 500])
def test_what_a_header_cannot_hold_is_told_apart_by_its_digest(collapse: str) -> None:
    ids = [
        headers(push_message(number, content={"title": "t", "collapse": collapse + end}))[
            "apns-collapse-id"
        ]
        for number, end in ((1, ""), (2, ""), (3, "!"))
    ]

    assert ids[0] == ids[1] != ids[2]
    assert len(ids[0]) <= 64
    assert ids[0].isalnum()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"body": "م" * 2048}, "4096 is the most"),
        ({"title": "t", "data": {"aps": {"badge": 1}}}, "must not be named 'aps'"),
        ({"link": "app://x"}, "neither title nor body"),
        ({"title": "\ud83d"}, "half a character"),
        ({"title": "t", "collapse": "c", "data": {"a": "\udc00"}}, "half a character"),
    ],
)
def test_what_apns_would_not_take_is_refused(content: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(PermanentFailure, match=reason) as caught:
        compose(push_message(content=content))

    assert not caught.value.address_dead


def test_a_notification_may_have_4096_bytes() -> None:
    room = 4096 - len('{"aps":{"content-available":1},"own":"","delivery":"dlv_1"}')

    assert len(compose(push_message(content={"silent": True, "data": {"own": "x" * room}}))) == 4096
    with pytest.raises(PermanentFailure, match="has 4097 bytes"):
        compose(push_message(content={"silent": True, "data": {"own": "x" * (room + 1)}}))
