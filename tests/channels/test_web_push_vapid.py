"""Notifications to browsers: what a strict push service takes, and what only the browser reads."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from angarium.channels.web_push_vapid import (
    MOST_BYTES,
    MOST_SECONDS,
    WebPushVapid,
    WebPushVapidSettings,
)
from angarium.plugins import (
    Accepted,
    InDoubt,
    Message,
    PermanentFailure,
    PushContent,
    TemporaryFailure,
)
from angarium.plugins.settings import SettingsInvalid, decode_settings
from angarium.plugins.testing import Outcome, ProviderContract, SilenceContract
from tests.channels.opened import NOBODY, opened
from tests.counterparts.web_push import Browser, PushService, push_service

KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AT = 1_790_000_000_000
HOUR = 3_600_000


@pytest.fixture
async def service() -> AsyncGenerator[PushService, None]:
    async with push_service() as running:
        running.at = AT
        yield running


def section(service: PushService, **changes: object) -> dict[str, object]:
    return {
        "contact": "mailto:ops@example.org",
        "private_key": KEY,
        "push_services": service.url,
        **changes,
    }


def provider(service: PushService, **changes: object) -> AbstractAsyncContextManager[WebPushVapid]:
    return opened(WebPushVapid, section(service, **changes))


def message(address: str, number: int = 1, **changes: Any) -> Message:
    content = PushContent(**{"title": "سلام", "body": "متن", **changes.pop("content", {})})
    fields: dict[str, Any] = {
        "key": f"dlv_{number}",
        "delivery": f"dlv_{number}",
        "address": address,
        "content": content,
        "at": AT,
        **changes,
    }
    return Message(**fields)


class TestConformance(ProviderContract, SilenceContract):
    provider = WebPushVapid
    address = "browser"
    silent = "mute"
    secrets: ClassVar[Sequence[str]] = (KEY,)
    outcomes: ClassVar[Sequence[Outcome]] = (
        Outcome("answered 404", PermanentFailure, address_dead=True),
        Outcome("answered 410", PermanentFailure, address_dead=True),
        Outcome("answered 403", TemporaryFailure),
        Outcome("answered 413", PermanentFailure),
        Outcome("answered 429", TemporaryFailure),
        Outcome("answered 503", TemporaryFailure),
        Outcome("no subscription", PermanentFailure, address_dead=True),
    )

    @pytest.fixture
    def settings(self, service: PushService) -> Mapping[str, object]:
        self.service = service
        self.browser = service.subscribe()
        self.endpoints = {self.address: self.browser.subscription}
        self.endpoints[self.silent] = service.subscribe(self.silent).subscription
        service.silent.add(self.silent)
        for outcome in self.outcomes:
            words = outcome.address.split()
            if words[0] == "answered":
                service.answers[words[1]] = (int(words[1]), {})
                self.endpoints[outcome.address] = service.subscribe(words[1]).subscription
        return section(service)

    @pytest.fixture
    def unreachable(self) -> Mapping[str, object]:
        self.endpoints = {self.address: Browser(f"{NOBODY}/wpush/v2/a").subscription}
        return section(PushService(url=NOBODY))

    async def test_a_vendor_that_is_away_leaves_no_doubt(
        self, unreachable: Mapping[str, object]
    ) -> None:
        """As the kit's; but there are other push services, so it asks for no pause."""
        async with opened(WebPushVapid, unreachable) as web_push:
            with pytest.raises(TemporaryFailure) as caught:
                await web_push.send(self.message())

        assert not caught.value.pause

    def message(self, text: str = "hello", *, address: str = "", key: str = "dlv_1") -> Message:
        given = address or self.address
        return super().message(text, address=self.endpoints.get(given, given), key=key)

    async def arrived(self, message: Message) -> str:
        read = [self.browser.read(pushed.body) for pushed in self.service.pushed]
        [body] = [one["body"] for one in read if one["delivery"] == message.delivery]
        return str(body)


async def test_what_is_sent_is_what_was_asked(service: PushService) -> None:
    browser = service.subscribe(key=PUBLIC)
    content = {
        "title": "۲۰٪ تخفیف 🎉",
        "body": "«می‌خواهم»",
        "image": "https://example.org/a.png",
        "link": "https://example.org/",
        "buttons": ({"id": "buy", "title": "خرید", "link": "https://example.org/buy"},),
        "data": {"order": 17, "nested": {"a": [None, True]}},
        "collapse": "cart",
        "ttl": timedelta(minutes=10),
    }
    asked = message(browser.subscription, content=content, deadline=AT + HOUR)
    async with provider(service, urgency="high") as web_push:
        accepted = await web_push.send(asked)

    [pushed] = service.pushed
    assert accepted == Accepted(provider_id=f"{service.url}/m/m1")
    assert browser.read(pushed.body) == {
        **content,
        "buttons": list(content["buttons"]),
        "delivery": "dlv_1",
        "ttl": 600,
    }
    assert pushed.headers["TTL"] == "600"
    assert pushed.headers["Urgency"] == "high"
    assert pushed.headers["Topic"] == "cart"
    assert pushed.claims == {
        "aud": service.url,
        "exp": AT // 1000 + 12 * 3600,
        "sub": "mailto:ops@example.org",
    }
    assert pushed.headers["Authorization"].endswith(f", k={PUBLIC}")


@pytest.mark.parametrize(
    ("ttl", "deadline", "seconds"),
    [
        (None, 0, MOST_SECONDS),
        (timedelta(hours=1), 0, 3600),
        (timedelta(seconds=1.9), 0, 1),
        (None, AT + HOUR, 3600),
        (timedelta(hours=2), AT + HOUR, 3600),
        (timedelta(hours=1), AT + 2 * HOUR, 3600),
        (timedelta(days=365), 0, MOST_SECONDS),
        (timedelta(hours=-1), 0, 0),
        (timedelta(hours=1), AT - 1, 0),
    ],
)
async def test_the_push_service_tries_no_longer_than_it_is_of_use(
    service: PushService, ttl: timedelta | None, deadline: int, seconds: int
) -> None:
    browser = service.subscribe()
    async with provider(service) as web_push:
        asked = message(browser.subscription, content={"ttl": ttl}, deadline=deadline)
        await web_push.send(asked)

    assert service.pushed[0].headers["TTL"] == str(seconds)
    assert browser.read(service.pushed[0].body)["ttl"] == seconds


@pytest.mark.parametrize("collapse", ["cart_17-a", "a" * 32, "a" * 33, "سبد", "a b"])
async def test_what_replaces_what_is_told_in_letters_that_a_topic_may_have(
    service: PushService, collapse: str
) -> None:
    browser = service.subscribe()
    async with provider(service) as web_push:
        for given in (collapse, collapse, f"{collapse}."):
            await web_push.send(message(browser.subscription, content={"collapse": given}))

    first, second, other = (pushed.headers["Topic"] for pushed in service.pushed)
    assert first == second != other
    assert (first == collapse) is (collapse in ("cart_17-a", "a" * 32))


@pytest.mark.parametrize("urgency", ["very-low", "normal", "high"])
async def test_how_soon_a_phone_is_woken_is_the_operators_word(
    service: PushService, urgency: str
) -> None:
    browser = service.subscribe()
    async with provider(service, urgency=urgency) as web_push:
        await web_push.send(message(browser.subscription))

    assert service.pushed[0].headers["Urgency"] == urgency


@pytest.mark.parametrize("policy", ["silent", "live"])
async def test_what_a_browser_would_show_all_the_same_is_not_sent(
    service: PushService, policy: str
) -> None:
    """Subscriptions are userVisibleOnly: a push that shows nothing is shown as something."""
    browser = service.subscribe()
    async with provider(service) as web_push:
        with pytest.raises(PermanentFailure, match="are for phones") as caught:
            await web_push.send(message(browser.subscription, content={policy: True}))

    assert (service.pushed, caught.value.address_dead) == ([], False)


async def test_every_message_has_a_key_and_a_salt_of_its_own(service: PushService) -> None:
    browser = service.subscribe()
    async with provider(service) as web_push:
        for _ in range(3):
            await web_push.send(message(browser.subscription))

    assert len({pushed.body[:16] for pushed in service.pushed}) == 3
    assert len({pushed.body[21:86] for pushed in service.pushed}) == 3


async def test_the_largest_content_arrives_and_a_larger_one_is_not_sent(
    service: PushService,
) -> None:
    browser = service.subscribe()
    async with provider(service) as web_push:
        await web_push.send(message(browser.subscription, content={"body": ""}))
        rest = MOST_BYTES - len(
            json.dumps(browser.read(service.pushed[0].body), **COMPACT).encode()
        )
        await web_push.send(message(browser.subscription, content={"body": "a" * rest}))
        with pytest.raises(
            PermanentFailure, match="takes 3994 bytes, and push services carry 3993"
        ) as caught:
            await web_push.send(message(browser.subscription, content={"body": "a" * (rest + 1)}))

    assert not caught.value.address_dead
    assert [len(pushed.body) for pushed in service.pushed][1:] == [4096]
    assert browser.read(service.pushed[1].body)["body"] == "a" * rest


COMPACT: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}


async def test_a_notification_with_nothing_to_show_is_not_sent(service: PushService) -> None:
    async with provider(service) as web_push:
        empty = message(service.subscribe().subscription, content={"title": "", "body": ""})
        with pytest.raises(PermanentFailure, match="neither title nor body"):
            await web_push.send(empty)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {}, Accepted("dlv_1")),
        (201, {"Location": "https://push.example/m/1"}, Accepted("https://push.example/m/1")),
        (201, {"Location": "x" * 513}, Accepted("dlv_1")),
        (201, {"X-WNS-MSG-ID": "4F6E"}, Accepted("4F6E")),
        (202, {}, Accepted("dlv_1")),
        (404, {}, PermanentFailure("…", address_dead=True)),
        (410, {}, PermanentFailure("…", address_dead=True)),
        (400, {}, PermanentFailure("another key")),
        (401, {}, TemporaryFailure("check private_key, contact and the clock", 60, pause=True)),
        (403, {}, TemporaryFailure("check private_key and contact", 60, pause=True)),
        (413, {}, PermanentFailure("shorten the content")),
        (418, {}, PermanentFailure("RFC 8030 does not know")),
        (307, {"Location": "http://127.0.0.1:9/"}, PermanentFailure("RFC 8030 does not know")),
        (406, {"Retry-After": "5"}, TemporaryFailure("later", 5)),
        (408, {}, TemporaryFailure("later")),
        (429, {"Retry-After": "120"}, TemporaryFailure("later", 120)),
        (429, {"Retry-After": "soon"}, TemporaryFailure("later")),
        (500, {}, TemporaryFailure("later")),
        (503, {"Retry-After": "9999999999"}, TemporaryFailure("later", 86_400)),
    ],
)
async def test_each_answer_means_one_outcome(
    service: PushService, status: int, headers: dict[str, str], expected: Any
) -> None:
    browser = service.subscribe("told")
    service.answers["told"] = (status, headers)
    async with provider(service) as web_push:
        [end] = await asyncio.gather(
            web_push.send(message(browser.subscription)), return_exceptions=True
        )

    assert type(end) is type(expected)
    if isinstance(end, Accepted):
        assert end == expected
        return
    assert str(end).startswith("web_push_vapid: ")
    assert f"({status})" in str(end)
    assert str(expected).strip("…") in str(end)
    for name in ("address_dead", "retry_after", "pause"):
        assert getattr(end, name, None) == getattr(expected, name, None)


async def test_a_push_service_that_is_away_stops_no_other(service: PushService) -> None:
    gone = Browser("http://127.0.0.1:1/wpush/v2/a")
    here = service.subscribe()
    async with provider(service, push_services=f"{service.url}, http://127.0.0.1:1") as web_push:
        with pytest.raises(TemporaryFailure) as caught:
            await web_push.send(message(gone.subscription))
        await web_push.send(message(here.subscription))

    assert not caught.value.pause


async def test_no_answer_leaves_it_in_doubt(service: PushService) -> None:
    browser = service.subscribe("mute")
    service.silent.add("mute")
    async with provider(service, connect_seconds=0.1, answer_seconds=0.1) as web_push:
        with pytest.raises(InDoubt):
            await web_push.send(message(browser.subscription))


@pytest.mark.parametrize(
    ("later", "signed"), [(0, 1), (6 * HOUR - 1, 1), (6 * HOUR, 2), (-HOUR, 1), (40 * HOUR, 2)]
)
async def test_a_signature_serves_for_six_hours(
    service: PushService, later: int, signed: int
) -> None:
    browser = service.subscribe()
    async with provider(service) as web_push:
        await web_push.send(message(browser.subscription))
        service.at = AT + later
        await web_push.send(message(browser.subscription, at=AT + later))

    assert len({pushed.headers["Authorization"] for pushed in service.pushed}) == signed


async def test_each_push_service_has_a_signature_of_its_own(service: PushService) -> None:
    async with (
        push_service() as other,
        provider(service, push_services=f"{service.url},{other.url}") as web_push,
    ):
        other.at = AT
        await web_push.send(message(service.subscribe().subscription))
        await web_push.send(message(other.subscribe().subscription))

    assert service.pushed[0].claims["aud"] == service.url
    assert other.pushed[0].claims["aud"] == other.url


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"contact": "ops@example.org"}, "contact"),
        ({"contact": "mailto:nobody"}, "contact"),
        ({"contact": "http://example.org"}, "contact"),
        ({"private_key": "hunter2"}, "private_key"),
        ({"private_key": urlsafe_b64encode(bytes(32)).decode()}, "private_key"),
        ({"push_services": "push.example.org:8443"}, "push_services"),
        ({"push_services": "*"}, "push_services"),
        ({"push_services": "https://*.example.org"}, "push_services"),
        ({"push_services": "http://push.example.org"}, "push_services"),
        ({"push_services": "https://push.example.org/path"}, "push_services"),
        ({"urgency": "now"}, "urgency"),
        ({"connections": 0}, "connections"),
    ],
)
def test_a_setting_that_cannot_work_is_named(changes: dict[str, object], complaint: str) -> None:
    given = {"contact": "https://example.org/contact", **changes}
    with pytest.raises(SettingsInvalid, match=complaint) as caught:
        decode_settings(WebPushVapidSettings, given, "channels.web_push_vapid")

    assert "hunter2" not in str(caught.value)


async def test_without_a_key_it_does_not_start() -> None:
    settings = decode_settings(WebPushVapidSettings, {"contact": "https://example.org/"}, "c")
    web_push = WebPushVapid(settings)

    with pytest.raises(ValueError, match="private_key"):
        await web_push.open()
    with pytest.raises(TemporaryFailure) as caught:
        await web_push.send(message(Browser("https://fcm.googleapis.com/fcm/send/a").subscription))
    assert caught.value.pause
