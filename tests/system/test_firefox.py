"""A real Firefox subscribes with the key of a real instance, and shows what is sent to it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from angarium.channels.web_push_vapid import NAME, WebPushVapid
from angarium.core.store.open import open_store, sqlite_url
from angarium.core.workers.clock import now
from angarium.gateway.web_push_key import with_instance_key
from angarium.plugins import Message, PushContent, TemporaryFailure
from angarium.plugins.settings import decode_settings
from tests.counterparts.web_push import PushService, push_service
from tests.parts.firefox import Site, push_prefs, running_firefox, running_site
from tests.parts.instance import Instance, running_instance
from tests.parts.waiting import until

PAGES = Path(__file__).with_name("firefox_pages")
CONTACT = "mailto:ops@example.org"
DELIVERED = 100

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
async def service() -> AsyncIterator[PushService]:
    async with push_service() as running:
        yield running


@pytest.fixture(scope="module")
async def site() -> AsyncIterator[Site]:
    async with running_site(PAGES) as running:
        yield running


@pytest.fixture(scope="module")
async def instance(
    tmp_path_factory: pytest.TempPathFactory, service: PushService
) -> AsyncIterator[Instance]:
    environ = {
        "ANGARIUM_CHANNELS_WEB_PUSH_VAPID_CONTACT": CONTACT,
        "ANGARIUM_CHANNELS_WEB_PUSH_VAPID_PUSH_SERVICES": service.url,
    }
    async with running_instance(tmp_path_factory.mktemp("instance"), environ) as running:
        yield running


@pytest.fixture(scope="module")
async def subscription(
    tmp_path_factory: pytest.TempPathFactory, service: PushService, site: Site, instance: Instance
) -> AsyncIterator[dict[str, Any]]:
    """What the browser said when it had subscribed; it stays open until the tests have ended."""
    prefs = push_prefs(service.url.replace("http:", "ws:"))
    page = f"{site.url}/index.html?gateway={instance.url}"
    async with running_firefox(tmp_path_factory.mktemp("firefox"), page, prefs):
        report = await site.report("subscribed")
        yield report["subscription"]


@pytest.fixture
async def provider(service: PushService, instance: Instance) -> AsyncIterator[WebPushVapid]:
    """As the instance's own delivery worker builds it, with the key that the instance made."""
    store = await open_store(sqlite_url(instance.folder / "data/angarium.db"))
    written = {"contact": CONTACT, "push_services": service.url}
    sections = await with_instance_key({NAME: written}, store)
    await store.close()
    built = WebPushVapid(decode_settings(WebPushVapid.Settings, sections[NAME], NAME))
    await built.open()
    yield built
    await built.close()


def message(number: int, subscription: dict[str, Any], **content: Any) -> Message:
    key = f"dlv_{number}"
    address, shown = json.dumps(subscription), PushContent(**content)
    return Message(key=key, delivery=key, address=address, content=shown, at=now())


async def test_firefox_shows_what_the_provider_sends(
    subscription: dict[str, Any], provider: WebPushVapid, service: PushService, site: Site
) -> None:
    before, tag = len(service.acks), uuid4().hex
    first = {"title": "سبد خرید 🎉", "body": "«می‌خواهم» ۱۲۳", "data": {"order": 17}}
    await provider.send(message(1, subscription, collapse=tag, **first))
    report = await site.report("shown")

    assert {**first, "tag": tag} in report["notifications"]
    assert report["payload"]["delivery"] == "dlv_1"

    second = {"title": "باز هم سبد", "body": "ا" * 1500, "data": {}}
    await provider.send(message(2, subscription, collapse=tag, **second))
    report = await site.report("shown")

    shown = [one for one in report["notifications"] if one["tag"] == tag]
    assert shown == [{**second, "tag": tag}]  # the later replaced the earlier

    async def acknowledged() -> bool:
        return service.acks[before:] == [DELIVERED, DELIVERED]

    await until(acknowledged)


async def test_firefox_shows_what_a_campaign_sends(
    subscription: dict[str, Any], instance: Instance, site: Site
) -> None:
    user, event = f"user-{uuid4().hex[:8]}", f"AddToCart {uuid4().hex[:8]}"
    content = {"title": "{{ profile.first_name }}، سبد شما", "body": "{{ event.properties.name }}"}
    campaign = await instance.campaign(
        "Cart", {"trigger": {"event": event}}, content={"web_push": content}
    )
    who = {"userId": user, "anonymousId": uuid4().hex}
    subscribed = {"event": "Push Subscribed", "properties": {"subscription": subscription}}
    await instance.send(
        {"type": "identify", "traits": {"first_name": "سارا"}, **who},
        {"type": "track", **subscribed, **who},
        {"type": "track", "event": event, "properties": {"name": "کفش"}, **who},
    )

    report = await site.report("shown")

    assert report["payload"]["title"] == "سارا، سبد شما"
    assert report["payload"]["body"] == "کفش"
    await instance.until_stats(campaign, accepted=1)
    deliveries = await instance.ask("/v1/deliveries", campaign=campaign)
    assert [one["id"] for one in deliveries["data"]] == [report["payload"]["delivery"]]


async def test_another_key_reaches_no_browser(
    subscription: dict[str, Any], service: PushService
) -> None:
    before = len(service.pushed)
    stranger = {
        "contact": CONTACT,
        "push_services": service.url,
        "private_key": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
    }
    other = WebPushVapid(decode_settings(WebPushVapid.Settings, stranger, NAME))
    with pytest.raises(TemporaryFailure, match="private_key") as caught:
        await other.send(message(1, subscription, title="t"))
    await other.close()

    assert caught.value.pause
    assert service.pushed[before:] == []
