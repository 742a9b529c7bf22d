"""G15: whoever chooses a URL, nothing of this machine, its network or its cloud is reached."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from angarium.channels._html_text import html_to_text
from angarium.channels._http import Http
from angarium.channels.sms_http import SmsHttp, SmsHttpSettings
from angarium.channels.web_push_vapid import WebPushVapid, WebPushVapidSettings
from angarium.channels.webhook import WebhookContent
from angarium.channels.webhook_http import WebhookHttp, WebhookHttpSettings
from angarium.core.delivery.inline import inline_css
from angarium.core.delivery.links import Links, track_html
from angarium.plugins import (
    InDoubt,
    Message,
    PermanentFailure,
    Provider,
    PushContent,
    SmsContent,
    TemporaryFailure,
)
from angarium.plugins.settings import SettingsInvalid, decode_settings
from tests.counterparts.http_scripted import http_scripted, says
from tests.drills.provider_faults.vendors import SECRET
from tests.drills.ssrf.canaries import Canary, Names, Watch
from tests.drills.ssrf.vectors import ALL, ELSEWHERE, NAMES, urls

LIMITS: dict[str, object] = {"connect_seconds": 0.5, "answer_seconds": 0.5}
PRIVATE_KEY = "vJ2eZYtS4HhlvEmbnhoTOPGjOy2LKjNYN2B5H4Ik5rY"


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


POINT = (
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
)
KEYS = {"p256dh": encoded(POINT), "auth": encoded(b"a" * 16)}
HOOK = Message(key="dlv_1", address="member 7", content=WebhookContent(data={"text": "Hello"}))
SMS = Message(key="dlv_1", address="+989121234567", content=SmsContent(text="Hello"))


def subscribed(url: str) -> Message:
    address = json.dumps({"endpoint": url, "keys": KEYS})
    return Message(key="dlv_1", address=address, content=PushContent(title="Hello"), at=1)


def webhook(url: str, **more: object) -> tuple[Provider, Message]:
    given = {"url": url, "secret": SECRET, **LIMITS, **more}
    return WebhookHttp(decode_settings(WebhookHttpSettings, given, "webhook_http")), HOOK


def private_webhook(url: str) -> tuple[Provider, Message]:
    return webhook(url, allow_private=True)


def gateway(url: str, **more: object) -> tuple[Provider, Message]:
    given = {"url": url, "body": '{"to": "{to}", "text": "{text}"}', **LIMITS, **more}
    return SmsHttp(decode_settings(SmsHttpSettings, given, "sms_http")), SMS


def private_gateway(url: str) -> tuple[Provider, Message]:
    return gateway(url, allow_private=True)


def web_push(url: str, services: str = "") -> tuple[Provider, Message]:
    given = {"contact": "mailto:a@example.org", "private_key": PRIVATE_KEY, **LIMITS}
    settings = decode_settings(
        WebPushVapidSettings, {**given, "push_services": services}, "web_push_vapid"
    )
    return WebPushVapid(settings), subscribed(url)


def web_push_by_name(url: str) -> tuple[Provider, Message]:
    """The operator trusts the names: what they lead to is looked at nonetheless."""
    return web_push(url, ",".join(NAMES))


Sink = Callable[[str], tuple[Provider, Message]]


async def tried(sink: Sink, url: str) -> str:
    """Use a URL where the sink takes it; what came of that, in a word."""
    try:
        provider, message = sink(url)
    except SettingsInvalid:
        return "refused"
    await provider.open()
    try:
        await provider.send(message)
    except (PermanentFailure, TemporaryFailure, InDoubt) as failure:
        return type(failure).__name__
    finally:
        await provider.close()
    return "sent"


def test_there_are_enough_vectors() -> None:
    assert len(set(ALL)) >= 100


@pytest.mark.parametrize("sink", [webhook, gateway, web_push, web_push_by_name])
async def test_no_url_of_any_kind_reaches_what_is_not_public(
    sink: Sink, bird: Canary, watch: Watch, names: Names
) -> None:
    wrong: list[tuple[str, str]] = []
    for url in urls(ALL, bird.port):
        ended = await tried(sink, url)
        if ended in ("sent", "InDoubt") or watch.tried:
            wrong.append((url, f"{ended} {watch.tried}"))
            watch.tried.clear()
    assert wrong == []
    assert bird.visits == []


@pytest.mark.parametrize("sink", [private_webhook, private_gateway])
async def test_metadata_services_stay_closed_where_ones_own_network_is_open(
    sink: Sink, bird: Canary, watch: Watch, names: Names
) -> None:
    for url in urls((*ELSEWHERE, "link.test", "zero.test", "0.0.0.0", "[::]"), bird.port):
        assert await tried(sink, url) in ("refused", "PermanentFailure", "TemporaryFailure"), url
        assert watch.tried == [], url


REDIRECTS = (301, 302, 303, 305, 307, 308)


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("sink", [private_webhook, private_gateway, web_push])
async def test_a_redirect_leads_nowhere(
    sink: Sink, status: int, bird: Canary, watch: Watch
) -> None:
    """The server itself may be called; where it points to may not."""
    async with http_scripted() as server:
        target = f"http://127.0.0.1:{bird.port}/"
        for where in (target, f"//127.0.0.1:{bird.port}/", "http://169.254.169.254/latest"):
            server.reply = says(status, Location=where, Refresh=f"0; url={where}")
            if sink is web_push:
                provider, message = web_push(f"{server.url}/push", server.url)
            else:
                provider, message = sink(server.url)
            await provider.open()
            with pytest.raises((PermanentFailure, TemporaryFailure, InDoubt)):
                await provider.send(message)
            await provider.close()
        assert len(server.heard) == 3
    assert set(watch.tried) == {"127.0.0.1"}
    assert bird.visits == []


@pytest.mark.parametrize("sink", [webhook, gateway, web_push_by_name])
async def test_a_name_that_changes_its_mind_reaches_only_what_was_looked_at(
    sink: Sink, bird: Canary, watch: Watch, names: Names
) -> None:
    """Public when it is looked at, private when it is connected to, and back again."""
    port = "" if sink is web_push_by_name else f":{bird.port}"
    for second in ("127.0.0.1", "::1", "169.254.169.254", "10.0.0.1"):
        names.changing["loop.test"] = ["9.9.9.9", second] * 8
        provider, message = sink(f"https://loop.test{port}/x")
        await provider.open()
        for _ in range(8):
            with pytest.raises((PermanentFailure, TemporaryFailure)):
                await provider.send(message)
        await provider.close()
    assert set(watch.tried) == {"9.9.9.9"}
    assert bird.visits == []


async def test_content_is_never_fetched(bird: Canary, watch: Watch, names: Names) -> None:
    """Images, style sheets and links of a mail, and where its clicks lead."""
    links = Links(b"secret", "https://gw.example")
    for url in urls(ALL, bird.port):
        html = (
            f'<html><head><base href="{url}"><link rel="stylesheet" href="{url}">'
            f'<style>@import url("{url}"); p {{ background: url({url}) }}</style></head>'
            f'<body background="{url}"><p>a</p><img src="{url}"><a href="{url}">b</a></body>'
        )
        tracked, _ = track_html(inline_css(html), "dlv_1", links, "")
        html_to_text(tracked)
    assert watch.tried == []
    assert bird.visits == []


async def test_the_watch_and_the_canary_see_who_comes(
    bird: Canary, watch: Watch, names: Names
) -> None:
    http = Http("sms_x", connect_seconds=0.5, answer_seconds=0.5)
    for host in ("127.0.0.1", "localhost", "loop.test"):
        with pytest.raises(InDoubt):
            await http.post(f"http://{host}:{bird.port}", body=b"x", headers={})
    with pytest.raises(TemporaryFailure):
        await http.post("http://169.254.169.254", body=b"x", headers={})
    await http.close()
    assert watch.tried == ["127.0.0.1"] * 3 + ["169.254.169.254"]
    assert len(bird.visits) == 3
