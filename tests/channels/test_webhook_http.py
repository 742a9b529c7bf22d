"""Webhooks to a service that verifies them itself: signatures, answers, where none may go."""

import asyncio
import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from angarium.channels.webhook import WEBHOOK, WebhookContent, parse_webhook_address
from angarium.channels.webhook_http import MAX_BYTES, WebhookHttp, WebhookHttpSettings
from angarium.plugins import (
    Accepted,
    InDoubt,
    Message,
    PermanentFailure,
    TemporaryFailure,
)
from angarium.plugins.manager import load_plugins
from angarium.plugins.settings import SettingsInvalid, decode_settings
from angarium.plugins.testing import KeyContract, Outcome, ProviderContract, SilenceContract
from tests.channels.opened import NOBODY, opened
from tests.counterparts.http_server import listening

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
NEW_SECRET = "whsec_" + b64encode(b"n" * 24).decode()


@dataclass
class Service:
    """Takes what is signed with its secret, once; answers a person named 429 with 429."""

    url: str = ""
    secret: str = SECRET
    taken: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    requests: list[tuple[Mapping[str, str], bytes]] = field(
        default_factory=list[tuple[Mapping[str, str], bytes]]
    )
    headers: dict[str, str] = field(default_factory=dict[str, str])
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((dict(request.headers), body))
        if not self._is_signed(request, body):
            return web.Response(status=401)
        told = json.loads(body)
        if told["to"].isdigit():
            return web.Response(status=int(told["to"]), headers=self.headers)
        if told["to"] == "hang up":
            assert request.transport is not None
            request.transport.abort()
        if told["to"] == "mute":
            await self.closing.wait()
        if request.headers["webhook-id"] not in {one["id"] for one in self.taken}:
            self.taken.append({**told, "id": request.headers["webhook-id"]})
        return web.Response(status=204)

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        names = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = b64decode(self.secret.removeprefix("whsec_"))
        signed = ".".join(names).encode() + b"." + body
        right = "v1," + b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return right in request.headers["webhook-signature"].split(" ")


@pytest.fixture
async def service() -> AsyncGenerator[Service, None]:
    service = Service()
    app = web.Application(client_max_size=2 * MAX_BYTES)
    app.router.add_post("/in", service.take)
    async with listening(app, service.closing.set) as url:
        service.url = f"{url}/in"
        yield service


def section(service: Service, **changes: object) -> dict[str, object]:
    return {"url": service.url, "secret": SECRET, "allow_private": True, **changes}


def provider(service: Service, **changes: object) -> AbstractAsyncContextManager[WebhookHttp]:
    return opened(WebhookHttp, section(service, **changes))


def message(address: str = "member 7", **changes: Any) -> Message:
    content = WebhookContent(type="points.added", data={"text": "سلام"})
    return Message(**{"key": "dlv_1", "address": address, "content": content, **changes})


class TestConformance(ProviderContract, SilenceContract, KeyContract):
    provider = WebhookHttp
    address = "member 7"
    silent = "mute"
    secrets: ClassVar[Sequence[str]] = (SECRET, SECRET.removeprefix("whsec_"))
    outcomes: ClassVar[Sequence[Outcome]] = (
        Outcome("hang up", InDoubt),
        Outcome("777", InDoubt),
        *(Outcome(status, TemporaryFailure) for status in ("408", "425", "429", "500", "502")),
        *(Outcome(status, TemporaryFailure) for status in ("503", "504", "401", "403", "301")),
        *(Outcome(status, TemporaryFailure) for status in ("404", "405")),
        *(Outcome(status, TemporaryFailure) for status in ("302", "307", "308")),
        *(Outcome(status, PermanentFailure) for status in ("400", "409", "410", "413")),
    )

    @pytest.fixture
    def settings(self, service: Service) -> Mapping[str, object]:
        self.service = service
        return section(service)

    @pytest.fixture
    def unreachable(self) -> Mapping[str, object]:
        return section(Service(url=NOBODY))

    async def times_taken(self, message: Message) -> int:
        return sum(one["id"] == message.key for one in self.service.taken)

    def content(self, text: str) -> WebhookContent:
        return WebhookContent(data={"text": text})

    async def arrived(self, message: Message) -> str:
        [text] = [one["data"]["text"] for one in self.service.taken if one["id"] == message.key]
        return str(text)

    async def test_it_says_what_became_of_a_message(self, opened: Any, outcome: Outcome) -> None:
        """As the kit's; an address of three digits may be the status that the reason shows."""
        with pytest.raises(outcome.raises) as caught:
            await opened.send(self.message(address=outcome.address))

        assert getattr(caught.value, "address_dead", False) is outcome.address_dead


def test_the_gateway_finds_channel_and_provider() -> None:
    plugins = load_plugins(
        EntryPoint(name, f"angarium.channels.{name}", "angarium.plugins")
        for name in ("webhook", "webhook_http")
    )

    assert plugins.channels["webhook"] is WEBHOOK
    assert plugins.providers["webhook_http"] is WebhookHttp


async def test_what_the_service_is_told(service: Service) -> None:
    asked = message(at=1_795_341_600_123, delivery="dlv_1", test=True)
    async with provider(service) as webhook:
        assert await webhook.send(asked) == Accepted(provider_id="dlv_1")

    [(headers, body)] = service.requests
    assert json.loads(body) == {
        "type": "points.added",
        "timestamp": "2026-11-22T10:00:00.123Z",
        "to": "member 7",
        "delivery": "dlv_1",
        "test": True,
        "data": {"text": "سلام"},
    }
    assert headers["webhook-id"] == "dlv_1"
    assert headers["webhook-timestamp"] == "1795341600"
    assert headers["Content-Type"] == "application/json"


async def test_the_library_that_receivers_use_accepts_it(service: Service) -> None:
    async with provider(service) as webhook:
        await webhook.send(message(at=int(time.time() * 1000)))

    [(headers, body)] = service.requests
    assert Webhook(SECRET).verify(body, dict(headers))["to"] == "member 7"


@pytest.mark.parametrize("known", [SECRET, NEW_SECRET])
async def test_while_secrets_change_either_is_enough(service: Service, known: str) -> None:
    service.secret = known
    async with provider(service, secret=NEW_SECRET, old_secret=SECRET) as webhook:
        await webhook.send(message())

    assert len(service.taken) == 1


async def test_another_secret_is_our_fault(service: Service) -> None:
    async with provider(service, secret=NEW_SECRET) as webhook:
        with pytest.raises(TemporaryFailure, match="check secret") as caught:
            await webhook.send(message())

    assert caught.value.pause


@pytest.mark.parametrize("status", ["404", "405"])
async def test_a_wrong_url_costs_no_message_and_a_refusal_no_channel(
    service: Service, status: str
) -> None:
    async with provider(service) as webhook:
        with pytest.raises(TemporaryFailure, match="check url") as caught:
            await webhook.send(message(status))
        assert caught.value.pause
        await webhook.send(message("member 7"))
        with pytest.raises(PermanentFailure, match=status):
            await webhook.send(message(status))


@pytest.mark.parametrize(
    ("status", "headers", "seconds", "pause"),
    [
        ("429", {"Retry-After": "7"}, 7, True),
        ("429", {}, 30, True),
        ("503", {"Retry-After": "120"}, 120, True),
        ("500", {"Retry-After": "9"}, 9, False),
        ("500", {}, None, False),
    ],
)
async def test_the_service_says_how_long_to_wait(
    service: Service, status: str, headers: dict[str, str], seconds: float | None, pause: bool
) -> None:
    service.headers = headers
    async with provider(service) as webhook:
        with pytest.raises(TemporaryFailure) as caught:
            await webhook.send(message(status))

    assert (caught.value.retry_after, caught.value.pause) == (seconds, pause)


async def test_a_service_that_has_left_needs_the_operator(service: Service) -> None:
    async with provider(service) as webhook:
        with pytest.raises(PermanentFailure, match="set another") as caught:
            await webhook.send(message("410"))

    assert not caught.value.address_dead


async def test_a_service_that_is_away_pauses_the_channel(service: Service) -> None:
    async with provider(service, url="http://127.0.0.1:1") as webhook:
        with pytest.raises(TemporaryFailure) as caught:
            await webhook.send(message())

    assert caught.value.pause


async def test_what_is_too_large_is_not_sent(service: Service) -> None:
    large = WebhookContent(data={"text": "x" * MAX_BYTES})
    async with provider(service) as webhook:
        with pytest.raises(PermanentFailure, match="larger than"):
            await webhook.send(message(content=large))

    assert not service.requests


async def test_a_name_of_this_machine_is_not_called_unless_allowed(service: Service) -> None:
    port = service.url.rpartition(":")[2].partition("/")[0]
    url = f"https://localhost:{port}/in"  # its text tells nothing: it must be resolved
    async with provider(service, url=url, allow_private=False) as webhook:
        with pytest.raises(TemporaryFailure, match="no public address") as caught:
            await webhook.send(message())

    assert caught.value.pause
    assert not service.requests


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"url": "http://127.0.0.1/in"}, "url: must begin with https"),
        ({"url": "http://hooks.example.org/in"}, "url: must begin with https"),
        ({"url": "https://10.0.0.1/in"}, "url: this address is not a public one.*allow_private"),
        ({"url": "https://a:b@example.org"}, "url: must hold no user name"),
        ({"url": "http://169.254.169.254", "allow_private": True}, "not a public one$"),
        ({"secret": "whsec_"}, "secret: must be whsec_ and 24 to 64 bytes"),
        ({"secret": SECRET.removeprefix("whsec_")}, "secret: must be whsec_"),
        ({"secret": "whsec_سلام"}, "secret: must be whsec_"),
        ({"secret": "whsec_" + "A" * 100}, "secret: must be whsec_"),
        ({"old_secret": "hunter2"}, "old_secret: must be whsec_"),
        ({"connections": 0}, "connections: Expected int >= 1"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, object], error: str) -> None:
    given = {"url": "https://hooks.example.org/in", "secret": SECRET, **changes}
    with pytest.raises(SettingsInvalid, match=error) as invalid:
        decode_settings(WebhookHttpSettings, given, "channels.webhook_http")

    assert "hunter2" not in str(invalid.value)


@pytest.mark.parametrize("text", ["", " ", "a\nb", "x" * 513, "a\x00"])
def test_an_address_is_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        parse_webhook_address(text)


def test_an_address_is_what_the_service_knows_the_person_by() -> None:
    assert parse_webhook_address(" عضو ۷ ") == "عضو ۷"
