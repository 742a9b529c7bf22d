"""The key of web push: one for each instance, told to every page, given to what sends."""

import asyncio

import pytest

from angarium.channels._web_push_crypto import decode, make_private_key, public_key
from angarium.config.settings import Settings
from angarium.core.store.protocol import Store
from angarium.gateway.web_push import WEB_PUSH_HANDLERS
from angarium.gateway.web_push_key import instance_key, with_instance_key
from tests.gateway.conftest import OpenDoor

PATH = "/v1/web-push/key"
SHOP = "https://shop.example"


async def test_an_instance_makes_one_key_however_many_ask_first(store: Store) -> None:
    keys = await asyncio.gather(*(instance_key(store) for _ in range(5)))

    assert len(set(keys)) == 1
    assert await instance_key(store) == keys[0]


async def test_pages_are_told_the_public_half(open_door: OpenDoor) -> None:
    door = await open_door(handlers=WEB_PUSH_HANDLERS)

    first, second = [await door.client.get(PATH) for _ in range(2)]

    assert first.status_code == 200
    assert first.json() == second.json()
    assert first.json() == {"publicKey": public_key(await instance_key(door.parts.store))}
    assert len(decode(first.json()["publicKey"])) == 65
    assert "max-age" in first.headers["cache-control"]


async def test_a_key_in_the_settings_is_the_one_that_is_told(open_door: OpenDoor) -> None:
    key = make_private_key()
    channels = {"web_push_vapid": {"contact": "mailto:a@b.c", "private_key": key}}
    door = await open_door(Settings(channels=channels), handlers=WEB_PUSH_HANDLERS)

    response = await door.client.get(PATH)

    assert response.json() == {"publicKey": public_key(key)}


async def test_a_page_of_another_origin_may_read_it(open_door: OpenDoor) -> None:
    door = await open_door(handlers=WEB_PUSH_HANDLERS)

    response = await door.client.get(PATH, headers={"Origin": SHOP})
    asked = {"Origin": SHOP, "Access-Control-Request-Headers": "authorization"}
    preflight = await door.client.options(PATH, headers=asked)

    assert response.headers["access-control-allow-origin"] == SHOP
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert preflight.headers["access-control-allow-origin"] == SHOP
    assert preflight.headers["access-control-allow-headers"] == "authorization"
    assert "GET" in preflight.headers["access-control-allow-methods"]


@pytest.mark.parametrize("section", [{}, {"private_key": ""}])
async def test_what_sends_is_given_the_instances_key(
    store: Store, section: dict[str, object]
) -> None:
    sections = {"web_push_vapid": {"contact": "mailto:a@b.c", **section}, "email_smtp": {}}

    filled = await with_instance_key(sections, store)

    key = await instance_key(store)
    assert filled == {
        "web_push_vapid": {"contact": "mailto:a@b.c", "private_key": key},
        "email_smtp": {},
    }


async def test_what_needs_no_key_is_given_none(store: Store) -> None:
    named = {"web_push_vapid": {"private_key": "mine"}}

    assert await with_instance_key({"email_smtp": {}}, store) == {"email_smtp": {}}
    assert await with_instance_key(named, store) == named
