"""What FCM is given for a notification; the counterpart says whether it would take it."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from angarium.channels._fcm_payload import Style, compose
from angarium.plugins import PermanentFailure
from angarium.plugins.message import Button
from tests.channels.push_messages import AT, MINUTE, push_message
from tests.counterparts.fcm import check_message

PLAIN = Style()
SHOWN = {"sound": "default", "mutable-content": 1}
PHONE = "fGz3:APA91bE-token_of-a-phone"


def composed(style: Style = PLAIN, **changes: Any) -> dict[str, Any]:
    body = json.loads(compose(push_message(address=PHONE, **changes), style))
    assert check_message(body) is None
    message: dict[str, Any] = body["message"]
    return message


def test_a_notification_with_everything() -> None:
    content = {
        "title": "سبد خرید 🛒",
        "body": "می‌خواهید ادامه دهید؟",
        "image": "https://example.org/a.png",
        "link": "shop://cart",
        "buttons": (Button(id="buy", title="خرید", link="shop://buy"), Button(id="no", title="نه")),
        "data": {"color": "red", "count": 3, "list": [1, "دو"], "none": None},
        "collapse": "cart",
        "ttl": timedelta(hours=1),
    }
    sent = composed(Style(channel="offers"), content=content)

    assert json.loads(sent["data"].pop("buttons")) == [
        {"id": "buy", "title": "خرید", "link": "shop://buy"},
        {"id": "no", "title": "نه"},
    ]
    assert sent == {
        "token": PHONE,
        "notification": {
            "title": "سبد خرید 🛒",
            "body": "می‌خواهید ادامه دهید؟",
            "image": "https://example.org/a.png",
        },
        "data": {
            "delivery": "dlv_1",
            "link": "shop://cart",
            "color": "red",
            "count": "3",
            "list": '[1,"دو"]',
            "none": "null",
        },
        "android": {
            "priority": "HIGH",
            "ttl": "3600s",
            "collapse_key": "cart",
            "notification": {"tag": "cart", "channel_id": "offers"},
        },
        "apns": {
            "headers": {
                "apns-push-type": "alert",
                "apns-priority": "10",
                "apns-expiration": "1790003600",
                "apns-collapse-id": "cart",
            },
            "payload": {"aps": {**SHOWN, "category": "buy.no"}},
            "fcm_options": {"image": "https://example.org/a.png"},
        },
    }


def test_a_silent_message_shows_nothing() -> None:
    content = {"title": "unseen", "image": "https://x/i.png", "silent": True, "data": {"sync": "1"}}

    assert composed(content=content) == {
        "token": PHONE,
        "data": {"sync": "1", "delivery": "dlv_1"},
        "android": {"priority": "NORMAL"},
        "apns": {
            "headers": {"apns-push-type": "background", "apns-priority": "5"},
            "payload": {"aps": {"content-available": 1}},
        },
    }


@pytest.mark.parametrize("style", [PLAIN, Style(drawn_by_app=True, channel="offers")])
def test_a_live_message_reaches_an_open_app_now_or_nobody(style: Style) -> None:
    """S1.15: Google and Apple keep nothing of it for a phone that closed the app meanwhile."""
    content = {
        "title": "سلام",
        "image": "https://example.org/a.png",
        "live": True,
        "collapse": "cart",
        "ttl": timedelta(hours=1),
        "buttons": (Button(id="buy", title="خرید", link="shop://buy"),),
        "data": {"live": "false"},
    }

    assert composed(style, content=content, deadline=AT + MINUTE) == {
        "token": PHONE,
        "data": {
            "delivery": "dlv_1",
            "live": "true",
            "title": "سلام",
            "image": "https://example.org/a.png",
            "buttons": '[{"id":"buy","title":"خرید","link":"shop://buy"}]',
        },
        "android": {"priority": "NORMAL", "ttl": "0s", "collapse_key": "cart"},
        "apns": {
            "headers": {
                "apns-push-type": "background",
                "apns-priority": "5",
                "apns-expiration": "0",
                "apns-collapse-id": "cart",
            },
            "payload": {"aps": {"content-available": 1}},
        },
    }


def test_an_app_that_draws_by_itself_finds_the_texts_in_the_data() -> None:
    sent = composed(Style(drawn_by_app=True), content={"title": "t", "body": "b"})

    assert "notification" not in sent
    assert sent["data"] == {"delivery": "dlv_1", "title": "t", "body": "b"}
    assert sent["android"] == {"priority": "HIGH"}
    assert sent["apns"]["payload"]["aps"]["alert"] == {"title": "t", "body": "b"}


def test_a_message_that_comes_twice_replaces_itself() -> None:
    sent = composed()

    assert sent["android"]["notification"]["tag"] == "dlv_1"
    assert sent["apns"]["headers"]["apns-collapse-id"] == "dlv_1"


def test_what_the_app_reports_by_is_not_the_campaigns_to_set() -> None:
    sent = composed(content={"title": "t", "data": {"delivery": "dlv_other", "link": "app://own"}})

    assert sent["data"] == {"delivery": "dlv_1", "link": "app://own"}


@pytest.mark.parametrize(
    ("ttl", "deadline", "android", "apns"),
    [
        (None, 0, None, None),
        (timedelta(minutes=5), 0, "300s", "1790000300"),
        (None, AT + 90_500, "90s", "1790000090"),
        (timedelta(hours=1), AT + 60_000, "60s", "1790000060"),
        (timedelta(minutes=1), AT + 3_600_000, "60s", "1790000060"),
        (timedelta(days=60), 0, "2419200s", "1795184000"),
        (timedelta(0), 0, "0s", "0"),
        (timedelta(seconds=-5), 0, "0s", "0"),
        (timedelta(hours=1), AT - 1, "0s", "0"),
    ],
)
def test_it_is_kept_as_long_as_it_is_of_use(
    ttl: timedelta | None, deadline: int, android: str | None, apns: str | None
) -> None:
    sent = composed(content={"title": "t", "ttl": ttl}, deadline=deadline)

    assert sent["android"].get("ttl") == android
    assert sent["apns"]["headers"].get("apns-expiration") == apns


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"body": "م" * 2048}, "4096 is the most"),
        ({"title": "t", "data": {"a": "x" * 4096}}, "4096 is the most"),
        ({"silent": True, "data": {"a": "x" * 4096}}, "4096 is the most"),
        ({"title": "t", "data": {"from": "x"}}, "must not be named 'from'"),
        ({"title": "t", "data": {"google.x": 1}}, "must not be named"),
        ({"title": "t", "data": {"gcm.x": 1}}, "must not be named"),
        ({"title": "t", "data": {"gcmx": 1}}, "must not be named"),
        ({"title": "t", "data": {"aps": {}}}, "must not be named"),
        ({"link": "app://x"}, "neither title nor body"),
        ({"title": "\ud83d"}, "half a character"),
    ],
)
def test_what_fcm_would_not_take_is_refused(content: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(PermanentFailure, match=reason) as caught:
        compose(push_message(content=content), PLAIN)

    assert not caught.value.address_dead


def test_a_notification_may_have_4096_bytes() -> None:
    room = 4096 - len('{"own":"","delivery":"dlv_1","aps":{"content-available":1}}')

    composed(content={"silent": True, "data": {"own": "x" * room}})
    with pytest.raises(PermanentFailure, match="has 4097 bytes; 4096 is the most"):
        composed(content={"silent": True, "data": {"own": "x" * (room + 1)}})
