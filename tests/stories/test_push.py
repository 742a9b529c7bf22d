"""S1.15 and S1.17 on a whole instance, with Google's, Apple's and a browser's services opposite."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.counterparts.apns import KEY_ID, TEAM_ID, TOPIC, Apns, apns_server
from tests.counterparts.fcm import Fcm, fcm_server
from tests.counterparts.web_push import PushService, push_service
from tests.parts.instance import Instance, ago, running_instance
from tests.parts.waiting import until
from tests.stories.test_devices import from_phone, person
from tests.stories.test_published_uses import track
from tests.stories.visits import login, settle, visit, visitor

SHOP = "https://shop.example/cart?item=1"
RICH: dict[str, Any] = {
    "title": "سبد خرید 🛒",
    "body": "می‌خواهید ادامه دهید؟",
    "image": "https://shop.example/{{ event.properties.item }}.png",
    "link": SHOP,
    "buttons": [
        {"id": "buy", "title": "خرید", "link": "shop://buy/{{ event.properties.item }}"},
        {"id": "see", "title": "دیدن", "link": "https://shop.example/see"},
    ],
    "data": {"cart": "{{ event.properties.item }}", "count": 2},
    "collapse": "cart",
    "ttl": "PT1H",
}
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


class World(NamedTuple):
    """The instance and the services opposite."""

    instance: Instance
    fcm: Fcm
    apns: Apns
    browsers: PushService


@pytest.fixture(scope="module")
def apns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apns]:
    with apns_server(tmp_path_factory.mktemp("apns")) as server:
        server.reset(int(time.time()))
        yield server


def configure(folder: Path, fcm: Fcm, apns: Apns, browsers: PushService) -> Path:
    account, key = folder / "shop.json", folder / "shop.p8"
    account.write_text(fcm.account())
    key.write_text(apns.private_key)
    sections: dict[str, dict[str, str]] = {
        "push_fcm": {"service_account_file": str(account), "url": fcm.url},
        "push_apns": {
            "key_file": str(key),
            "key_id": KEY_ID,
            "team_id": TEAM_ID,
            "topic": TOPIC,
            "url": apns.url,
            "ca_file": apns.ca_file,
        },
        "web_push_vapid": {"contact": "mailto:ops@example.org", "push_services": browsers.url},
    }
    lines: list[str] = []
    for name, settings in sections.items():
        lines += [f"[channels.{name}]", *(f"{k} = {json.dumps(v)}" for k, v in settings.items())]
    path = folder / "angarium.toml"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, apns: Apns) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("push")
    async with fcm_server() as fcm, push_service() as browsers:
        fcm.now = int(time.time())
        settings = configure(folder, fcm, apns, browsers)
        async with running_instance(folder, {"ANGARIUM_CONFIG": str(settings)}) as instance:
            yield World(instance, fcm, apns, browsers)


class Phone:
    """Somebody's phone with the app on it."""

    def __init__(self, world: World, type_: str) -> None:
        self.user, self.id, self.type = person(), f"phone-{uuid4().hex}", type_
        self.token = uuid4().hex + uuid4().hex
        self._instance = world.instance

    def _from(self, message: dict[str, Any]) -> dict[str, Any]:
        sent = from_phone(message, self.id, self.token)
        sent["context"]["device"]["type"] = self.type
        return sent

    async def join(self) -> None:
        allowed = login(self.user, visitor(), ago(minutes=30), traits={"push_opt_in": True})
        await self._instance.send(self._from(allowed))
        await settle(self._instance, self.user)

    async def says(self, event: str, **properties: Any) -> None:
        await self._instance.send(self._from(track(self.user, event, ago(), **properties)))

    async def decision(self, campaign: str) -> dict[str, Any]:
        """The last one that explain tells."""
        path = f"/v1/profiles/{self.user}/explain"
        found: list[dict[str, Any]] = (await self._instance.ask(path, campaign=campaign))[
            "decisions"
        ]
        return found[0]


@pytest.fixture
async def android(world: World) -> Phone:
    phone = Phone(world, "android")
    await phone.join()
    return phone


@pytest.fixture
async def iphone(world: World) -> Phone:
    phone = Phone(world, "ios")
    await phone.join()
    return phone


async def campaign(world: World, content: dict[str, Any], **members: Any) -> tuple[str, str]:
    """An active campaign with this content, and the event that fires it."""
    event = f"Event {uuid4().hex}"
    send_at = {"trigger": {"event": event}, **members}
    return await world.instance.campaign(event, send_at, content=content), event


def to_android(world: World, phone: Phone) -> list[dict[str, Any]]:
    return [message for message in world.fcm.sent if message["token"] == phone.token]


def to_iphone(world: World, phone: Phone) -> list[dict[str, Any]]:
    path = f"/3/device/{phone.token}"
    return [one for one in world.apns.taken if one["headers"][":path"] == path]


async def follow(instance: Instance, link: str) -> str:
    """Where somebody arrives who taps."""
    async with httpx.AsyncClient(base_url=instance.url, headers=BROWSER) as http:
        answer = await http.get(urlsplit(link).path)
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


async def test_a_rich_notification_arrives_whole_on_both_kinds_of_phone(
    world: World, android: Phone, iphone: Phone
) -> None:
    """S1.17: image, buttons, deep links; a tap that leads to the web is counted."""
    id, event = await campaign(world, {"push": RICH})
    await android.says(event, item="shoes")
    await iphone.says(event, item="hat")
    await world.instance.until_stats(id, accepted=2)

    [google] = to_android(world, android)
    assert google["notification"] == {
        "title": RICH["title"],
        "body": RICH["body"],
        "image": "https://shop.example/shoes.png",
    }
    buttons = json.loads(google["data"]["buttons"])
    assert [(one["id"], one["title"]) for one in buttons] == [("buy", "خرید"), ("see", "دیدن")]
    assert buttons[0]["link"] == "shop://buy/shoes"
    assert (google["data"]["cart"], google["data"]["count"]) == ("shoes", "2")
    android_part = google["android"]
    assert (android_part["priority"], android_part["collapse_key"]) == ("HIGH", "cart")
    assert 3500 <= int(android_part["ttl"].removesuffix("s")) <= 3600

    [apple] = to_iphone(world, iphone)
    headers, body = apple["headers"], apple["body"]
    assert (headers["apns-push-type"], headers["apns-priority"]) == ("alert", "10")
    assert headers["apns-collapse-id"] == "cart"
    assert 0 < int(headers["apns-expiration"]) - time.time() <= 3600
    assert body["aps"]["alert"] == {"title": RICH["title"], "body": RICH["body"]}
    assert (body["aps"]["category"], body["image"]) == ("buy.see", "https://shop.example/hat.png")
    assert body["buttons"][0]["link"] == "shop://buy/hat"
    assert (body["cart"], body["count"]) == ("hat", 2)

    assert await follow(world.instance, google["data"]["link"]) == SHOP
    assert await follow(world.instance, buttons[1]["link"]) == "https://shop.example/see"
    assert await follow(world.instance, body["link"]) == SHOP

    async def counted() -> bool:
        return (await world.instance.stats(id))["reactions"]["clicked"] == 2

    await until(counted)


async def test_a_browser_is_given_two_buttons_and_counts_its_clicks(world: World) -> None:
    """S1.17: web push."""
    user, anonymous = person(), visitor()
    key = (await world.instance.http.get("/v1/web-push/key")).json()["publicKey"]
    browser = world.browsers.subscribe(key=key)
    asked = visit(anonymous, "Push Subscribed", ago(minutes=9), subscription=browser.json)
    await world.instance.send(asked, login(user, anonymous, ago(minutes=8)))
    id, event = await campaign(world, {"web_push": RICH})
    await world.instance.send(track(user, event, ago(), item="shoes"))
    await world.instance.until_stats(id, accepted=1)

    [pushed] = [one for one in world.browsers.pushed if browser.endpoint.endswith(one.token)]
    payload = browser.read(pushed.body)
    assert (pushed.headers["Topic"], pushed.headers["Urgency"]) == ("cart", "normal")
    assert 3500 <= int(pushed.headers["TTL"]) <= 3600
    assert (payload["title"], payload["image"]) == (RICH["title"], "https://shop.example/shoes.png")
    assert [one["id"] for one in payload["buttons"]] == ["buy", "see"]
    assert payload["buttons"][0]["link"] == "shop://buy/shoes"
    assert await follow(world.instance, payload["link"]) == SHOP


async def test_a_silent_message_is_data_alone(world: World, android: Phone, iphone: Phone) -> None:
    """S1.15"""
    silent = {"silent": True, "data": {"refresh": "{{ event.properties.what }}"}}
    id, event = await campaign(world, {"push": silent})
    await android.says(event, what="prices")
    await iphone.says(event, what="prices")
    await world.instance.until_stats(id, accepted=2)

    [google] = to_android(world, android)
    assert "notification" not in google
    assert "notification" not in google["android"]
    assert google["data"]["refresh"] == "prices"
    [apple] = to_iphone(world, iphone)
    assert apple["body"]["aps"] == {"content-available": 1}
    assert apple["headers"]["apns-push-type"] == "background"
    assert apple["headers"]["apns-priority"] == "5"


@pytest.mark.parametrize("type_", ["android", "ios"])
async def test_a_live_message_reaches_who_has_the_app_open_and_nobody_else(
    world: World, type_: str
) -> None:
    """S1.15: not later either."""
    phone = Phone(world, type_)
    await phone.join()
    content = {"push": {"title": "گل! {{ event.properties.score }}", "live": True}}
    id, event = await campaign(world, content)

    await phone.says(event, score="0-0")
    await world.instance.until_stats(id, skipped=1)
    decision = await phone.decision(id)
    assert (decision["outcome"], decision["reason"]) == ("skipped", "app_closed")
    [gate] = [one for one in decision["gates"] if one["gate"] == "app"]
    assert (gate["saw"]["said"], gate["saw"]["withinSeconds"]) == ("nothing", 600)

    await phone.says("Application Opened")
    await phone.says(event, score="1-0")
    await world.instance.until_stats(id, accepted=1, skipped=1)
    await phone.says("Application Backgrounded")
    await phone.says(event, score="2-0")
    await world.instance.until_stats(id, accepted=1, skipped=2)

    if type_ == "android":
        [sent] = to_android(world, phone)
        assert sent["android"] == {"priority": "NORMAL", "ttl": "0s"}
        assert "notification" not in sent
        assert (sent["data"]["title"], sent["data"]["live"]) == ("گل! 1-0", "true")
    else:
        [sent] = to_iphone(world, phone)
        assert sent["headers"]["apns-expiration"] == "0"
        assert sent["body"]["aps"] == {"content-available": 1}
        assert (sent["body"]["title"], sent["body"]["live"]) == ("گل! 1-0", True)


async def test_whose_app_is_closed_is_sent_the_next_channel_at_once(
    world: World, android: Phone
) -> None:
    """S1.14, S1.15: without a fallback too, since nothing live could reach them."""
    address = f"{uuid4().hex}@example.org"
    traits = {"email": address}
    await world.instance.send(login(android.user, visitor(), ago(minutes=20), traits=traits))
    email = {"subject": "Goal", "text": "{{ event.properties.score }}"}
    live = {"title": "Goal", "live": True}
    id, event = await campaign(world, {"order": ["push", "email"], "push": live, "email": email})

    await android.says(event, score="1-0")
    await world.instance.until_stats(id, planned=1, accepted=1)
    assert (len(world.instance.mails(address)), to_android(world, android)) == (1, [])

    await android.says("Application Opened")
    await android.says(event, score="2-0")
    await world.instance.until_stats(id, planned=2, accepted=2)
    assert (len(world.instance.mails(address)), len(to_android(world, android))) == (1, 1)


async def test_what_waited_longer_than_its_ttl_is_not_sent(world: World, android: Phone) -> None:
    """S1.15"""
    content = {"push": {"title": "Now or not", "ttl": "PT5M"}}
    id, event = await campaign(world, content, delay="PT1S")

    await world.instance.send(track(android.user, event, ago(minutes=20)))
    await world.instance.until_stats(id, skipped=1)

    assert (await android.decision(id))["reason"] == "expired"
    assert to_android(world, android) == []


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({"web_push": {"silent": True, "data": {"a": 1}}}, "/content/web_push/silent"),
        ({"web_push": {"title": "x", "live": True}}, "/content/web_push/live"),
        ({"push": {"title": "x", "link": "javascript:alert(1)"}}, "/content/push/link"),
        ({"push": {"title": "x", "buttons": [RICH["buttons"][0]] * 4}}, "/content/push/buttons"),
    ],
)
async def test_what_no_service_could_deliver_is_refused_at_the_save(
    world: World, content: dict[str, Any], pointer: str
) -> None:
    body = {"name": "x", "send_at": {"trigger": {"event": "x"}}, "content": content}
    answer = await world.instance.http.post("/v1/campaigns", json=body)

    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
