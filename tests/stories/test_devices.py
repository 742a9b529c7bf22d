"""Devices and push addresses on a whole instance: S2.5, S2.10, S2.12, api.md "Devices"."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.parts.instance import Instance, ago, running_instance
from tests.people.test_devices import SUBSCRIPTION
from tests.stories.test_published_uses import track
from tests.stories.visits import login, rejects_of, settle, visit, visitor

CONSOLES = "[channels.push_console]\n[channels.web_push_console]\n"


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """One whose notifications are printed."""
    folder = tmp_path_factory.mktemp("instance")
    settings = folder / "angarium.toml"
    settings.write_text(CONSOLES)
    async with running_instance(folder, {"ANGARIUM_CONFIG": str(settings)}) as running:
        yield running


def printed(folder: Path, channel: str, address: str) -> int:
    """How many notifications went to an address."""
    return (folder / "up.log").read_text().count(f"── {channel} to {address}")


async def push_campaign(instance: Instance, channel: str, event: str) -> str:
    content = {"order": [channel], channel: {"title": "Hello", "body": event}}
    return await instance.campaign(event, {"trigger": {"event": event}}, content=content)


def from_phone(message: dict[str, Any], phone: str, token: str | None = None) -> dict[str, Any]:
    device = {"id": phone, "type": "android"} | ({"token": token} if token else {})
    return {**message, "context": {"device": device}}


def person() -> str:
    return f"user-{uuid4().hex}"


async def test_a_token_goes_along_to_who_logs_in_on_the_phone(instance: Instance) -> None:
    """S2.5: after a logout nothing of the first person's reaches the phone."""
    sara, reza, phone, token = person(), person(), f"phone-{uuid4().hex}", f"token-{uuid4().hex}"
    allowed = {"push_opt_in": True}
    event = f"Event {uuid4().hex}"
    campaign = await push_campaign(instance, "push", event)

    first = login(sara, visitor(), ago(minutes=9), traits=allowed)
    await instance.send(from_phone(first, phone, token))
    await instance.send(track(sara, event, ago(minutes=8)))
    await instance.until_stats(campaign, accepted=1)
    assert printed(instance.folder, "push", token) == 1

    second = login(reza, visitor(), ago(minutes=7), traits=allowed)
    await instance.send(from_phone(second, phone))
    await settle(instance, reza)
    await instance.send(track(sara, event, ago(minutes=6)))
    await instance.until_stats(campaign, accepted=1, skipped=1)
    await instance.send(track(reza, event, ago(minutes=5)))
    await instance.until_stats(campaign, accepted=2, skipped=1)

    assert printed(instance.folder, "push", token) == 2
    [decision, _] = (await instance.ask(f"/v1/profiles/{sara}/explain"))["decisions"]
    assert (decision["outcome"], decision["reason"]) == ("skipped", "no_address")
    assert (await settle(instance, sara))["devices"] == []
    [device] = (await settle(instance, reza))["devices"]
    assert (device["id"], device["channel"], device["state"]) == (phone, "push", "live")
    timeline = await instance.ask(f"/v1/profiles/{sara}/timeline")
    assert token not in str(timeline) + str(device)


async def test_a_browser_subscribes_gets_a_campaign_and_unsubscribes(instance: Instance) -> None:
    """S2.10: the browser's permission is the consent."""
    user, browser, event = person(), visitor(), f"Event {uuid4().hex}"
    campaign = await push_campaign(instance, "web_push", event)
    endpoint = f"https://push.example.org/{uuid4().hex}"
    subscription = SUBSCRIPTION | {"endpoint": endpoint}
    asked = visit(browser, "Push Subscribed", ago(minutes=9), subscription=subscription)

    await instance.send(asked)
    await instance.send(login(user, browser, ago(minutes=8)))
    await instance.send(track(user, event, ago(minutes=7)))
    await instance.until_stats(campaign, accepted=1)

    assert printed(instance.folder, "web_push", f'{{"endpoint":"{endpoint}"') == 1
    known = await settle(instance, user)
    assert known["consents"]["web_push"]["state"] == "opted_in"
    assert known["attributes"]["web_push_opt_in"] is True
    [device] = known["devices"]
    assert (device["type"], device["channel"], device["state"]) == ("web", "web_push", "live")
    timeline = await instance.ask(f"/v1/profiles/{user}/timeline")
    assert endpoint not in str(known) + str(timeline)

    await instance.send(visit(browser, "Push Unsubscribed", ago(minutes=6)) | {"userId": user})
    await settle(instance, user)
    await instance.send(track(user, event, ago(minutes=5)))
    await instance.until_stats(campaign, accepted=1, skipped=1)
    [decision, _] = (await instance.ask(f"/v1/profiles/{user}/explain"))["decisions"]
    assert decision["reason"] == "no_address"

    denied = visit(browser, "Push Permission Denied", ago(minutes=4)) | {"userId": user}
    await instance.send(denied)
    assert (await settle(instance, user))["consents"]["web_push"]["state"] == "opted_out"


async def test_a_token_that_cannot_be_used_is_listed_and_the_event_stays(
    instance: Instance,
) -> None:
    """S2.12"""
    user, event = person(), f"Event {uuid4().hex}"
    message = from_phone(track(user, event, ago(minutes=1)), "phone-1", "two words")

    await instance.send(message)
    known = await settle(instance, user)

    assert known["events"] == {event: 1}
    assert known["devices"][0]["state"] == "none"
    assert await rejects_of(instance, message) == [("context.device.token", "bad_token")]
