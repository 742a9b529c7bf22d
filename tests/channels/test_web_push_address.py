"""Subscriptions are anybody's text: each that no browser made is refused, and reaches nothing."""

import json
from typing import Any

import pytest
from yarl import URL

from angarium.channels._web_push_address import NotAllowed, Services, read_subscription
from angarium.channels.web_push_vapid import WebPushVapid, WebPushVapidSettings
from angarium.plugins import Message, PermanentFailure, PushContent
from angarium.plugins.settings import Secret
from tests.counterparts.web_push import Browser, b64

ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc:def"
GOOD = Browser(ENDPOINT).json
P256DH, AUTH = GOOD["keys"]["p256dh"], GOOD["keys"]["auth"]


def keys(**changes: Any) -> str:
    return json.dumps({"endpoint": ENDPOINT, "keys": {"p256dh": P256DH, "auth": AUTH} | changes})


def endpoint(text: Any) -> str:
    return json.dumps({**GOOD, "endpoint": text})


HOSTILE = {
    "nothing": "",
    "no json": "https://fcm.googleapis.com/fcm/send/abc",
    "null": "null",
    "a list": "[]",
    "no keys": json.dumps({"endpoint": ENDPOINT}),
    "keys null": json.dumps({"endpoint": ENDPOINT, "keys": None}),
    "no auth": json.dumps({"endpoint": ENDPOINT, "keys": {"p256dh": P256DH}}),
    "deep": '{"x":' + "[" * 4000,
    "long": json.dumps({**GOOD, "x": "a" * 5000}),
    "p256dh a number": keys(p256dh=5),
    "p256dh empty": keys(p256dh=""),
    "p256dh short": keys(p256dh=P256DH[:-2]),
    "p256dh long": keys(p256dh=P256DH + "AAAA"),
    "p256dh very long": keys(p256dh="A" * 3000),
    "p256dh no base64": keys(p256dh=P256DH[:-1] + "!"),
    "p256dh with a line": keys(p256dh=P256DH[:40] + "\n" + P256DH[40:]),
    "p256dh not on the curve": keys(p256dh=b64(b"\x04" + b"\x01" * 64)),
    "p256dh zero": keys(p256dh=b64(b"\x04" + bytes(64))),
    "p256dh infinity": keys(p256dh=b64(b"\x00")),
    "p256dh compressed": keys(p256dh=b64(b"\x02" + bytes(32))),
    "p256dh hybrid": keys(p256dh=b64(b"\x06" + bytes(64))),
    "p256dh private": keys(p256dh=b64(b"\x01" * 32)),
    "auth short": keys(auth=b64(bytes(15))),
    "auth long": keys(auth=b64(bytes(17))),
    "auth one letter": keys(auth="A"),
    "auth Persian": keys(auth="سلام"),
    "endpoint empty": endpoint(""),
    "endpoint a number": endpoint(7),
    "endpoint a word": endpoint("fcm"),
    "endpoint relative": endpoint("/fcm/send/a"),
    "endpoint a file": endpoint("file:///etc/passwd"),
    "endpoint javascript": endpoint("javascript:alert(1)"),
    "endpoint with a user": endpoint("https://fcm.googleapis.com@127.0.0.1/a"),
    "endpoint with a password": endpoint("https://a:b@fcm.googleapis.com/a"),
    "endpoint with a line": endpoint("https://fcm.googleapis.com/a\r\nHost: b"),
    "endpoint with a space": endpoint("https://fcm.google apis.com/a"),
    "endpoint bad port": endpoint("https://fcm.googleapis.com:99999/a"),
    "endpoint Persian": endpoint("https://fcm.googleapis.com/سلام"),
    "endpoint long": endpoint(ENDPOINT + "a" * 2048),
}
ELSEWHERE = {
    "plain http": "http://fcm.googleapis.com/a",
    "another port": "https://fcm.googleapis.com:8443/a",
    "another host": "https://push.example.org/a",
    "a longer host": "https://fcm.googleapis.com.example.org/a",
    "a host that ends alike": "https://evilnotify.windows.com/a",
    "the bare domain": "https://notify.windows.com/a",
    "a trailing dot": "https://fcm.googleapis.com./a",
    "this machine": "https://127.0.0.1/a",
    "this machine, in short": "https://127.1/a",
    "this machine, in IPv6": "https://[::1]/a",
    "this machine, mapped": "https://[::ffff:127.0.0.1]/a",
    "a cloud's metadata": "https://169.254.169.254/a",
    "a number": "https://2130706433/a",
}


def provider(push_services: str = "") -> WebPushVapid:
    key = Secret("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
    contact = "mailto:ops@example.org"
    return WebPushVapid(
        WebPushVapidSettings(contact=contact, private_key=key, push_services=push_services)
    )


async def refusal(address: str, push_services: str = "") -> PermanentFailure:
    message = Message(key="dlv_1", address=address, content=PushContent(title="t"), at=1)
    sender = provider(push_services)
    try:
        with pytest.raises(PermanentFailure) as caught:
            await sender.send(message)
    finally:
        await sender.close()
    return caught.value


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_no_browser_made_is_a_dead_address(text: str) -> None:
    failure = await refusal(text)

    assert failure.address_dead
    assert failure.reason.startswith("web_push_vapid: unable to use the subscription: it")
    assert len(failure.reason) < 130


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE.keys())
async def test_only_push_services_are_called(url: str) -> None:
    failure = await refusal(endpoint(url))

    assert not failure.address_dead
    assert url not in failure.reason


async def test_a_service_that_was_added_by_its_name_must_be_at_a_public_address() -> None:
    for host, reason in (("10.0.0.1", "not a public one"), ("localhost", "no public address")):
        failure = await refusal(endpoint(f"https://{host}/a"), host)

        assert reason in failure.reason
        assert not failure.address_dead


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        json.dumps({**GOOD, "expirationTime": 1, "more": [{}], "keys": {**GOOD["keys"], "x": 1}}),
        keys(p256dh=P256DH + "=", auth=AUTH + "=="),
        keys(p256dh=P256DH.replace("-", "+").replace("_", "/")),
    ],
)
def test_what_browsers_and_pages_make_of_a_subscription_is_read(text: str) -> None:
    read = read_subscription(text)

    assert str(read.endpoint) == ENDPOINT
    assert read.auth == bytes(range(16))


@pytest.mark.parametrize(
    "url",
    [
        "https://fcm.googleapis.com/fcm/send/a",
        "https://FCM.googleapis.com:443/fcm/send/a",
        "https://jmt17.google.com/fcm/send/a",
        "https://updates.push.services.mozilla.com/wpush/v2/a",
        "https://autopush.stage.push.services.mozilla.com/wpush/v2/a",
        "https://wns2-par02p.notify.windows.com/w/?token=a%3d",
        "https://web.push.apple.com/a",
        "https://api.push.apple.com/a",
    ],
)
def test_the_makers_of_browsers_are_known(url: str) -> None:
    assert Services().is_named(URL(url)) is False


@pytest.mark.parametrize(
    ("more", "url", "named"),
    [
        ("push.example.org", "https://push.example.org/a", False),
        ("*.example.org, push.example.net", "https://a.b.example.org/a", False),
        (" https://10.0.0.5:8443/ ", "https://10.0.0.5:8443/a", True),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000/a", True),
        ("https://Push.Example.org", "https://push.example.org:443/a", True),
    ],
)
def test_the_operator_may_add_services(more: str, url: str, named: bool) -> None:
    assert Services(more).is_named(URL(url)) is named


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ("*.example.org", "https://example.org/a"),
        ("*.example.org", "https://aexample.org/a"),
        ("push.example.org", "https://a.push.example.org/a"),
        ("push.example.org", "http://push.example.org/a"),
        ("https://10.0.0.5:8443", "https://10.0.0.5/a"),
        ("https://10.0.0.5:8443", "http://10.0.0.5:8443/a"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4001/a"),
    ],
)
def test_what_was_added_opens_nothing_else(more: str, url: str) -> None:
    with pytest.raises(NotAllowed):
        Services(more).is_named(URL(url))
