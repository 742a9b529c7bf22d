"""Browsers of other origins: what they are told, on which routes, and with which settings."""

import msgspec
import pytest

from angarium.config.settings import Limits, Settings
from angarium.gateway.cors import Cors
from tests.gateway.conftest import OpenDoor
from tests.gateway.doors import Door

SHOP = "https://shop.example"
ASKED = "authorization,content-type,anonymousid,sentat,x-retry-count"
TRACK = {"event": "A", "userId": "u1"}


async def preflight(door: Door, path: str, origin: str = SHOP) -> dict[str, str]:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ASKED,
    }
    response = await door.client.options(path, headers=headers)
    return {"status": str(response.status_code), **response.headers}


@pytest.mark.parametrize("path", ["/v1/track", "/v1/t", "/v1/batch", "/v1/b/", "/v1/alias"])
async def test_a_preflight_needs_no_key_and_allows_what_is_asked(door: Door, path: str) -> None:
    answer = await preflight(door, path)

    assert answer["status"] == "204"
    assert answer["access-control-allow-origin"] == SHOP
    assert answer["access-control-allow-headers"] == ASKED
    assert "POST" in answer["access-control-allow-methods"]
    assert answer["access-control-max-age"] == "86400"
    assert "Origin" in answer["vary"]
    assert "access-control-allow-credentials" not in answer


async def test_an_answer_may_be_read_by_the_page_that_asked(door: Door) -> None:
    response = await door.post("/v1/track", TRACK, headers={"Origin": SHOP})

    assert response.headers["access-control-allow-origin"] == SHOP
    assert "Retry-After" in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize("body", [b"{", b'{"event":"A"}'])
async def test_refusals_may_be_read_too(door: Door, body: bytes) -> None:
    response = await door.post("/v1/track", body, headers={"Origin": SHOP})

    assert response.status_code >= 400
    assert response.headers["access-control-allow-origin"] == SHOP


async def test_a_browser_sees_how_long_it_shall_wait(open_door: OpenDoor) -> None:
    door = await open_door(Settings(limits=Limits(events_per_second=1)))
    await door.post("/v1/batch", {"batch": [{**TRACK, "type": "track"}] * 5})

    response = await door.post("/v1/track", TRACK, headers={"Origin": SHOP})

    assert (response.status_code, response.headers["retry-after"]) == (429, "5")
    assert "Retry-After" in response.headers["access-control-expose-headers"]


async def test_only_listed_origins_may_send_where_there_is_a_list(open_door: OpenDoor) -> None:
    door = await open_door(msgspec.convert({"http": {"origins": [SHOP + "/"]}}, Settings))

    assert (await preflight(door, "/v1/t"))["access-control-allow-origin"] == SHOP
    assert "access-control-allow-origin" not in await preflight(
        door, "/v1/t", "https://evil.example"
    )


@pytest.mark.parametrize("path", ["/v1/keys", "/health/ready", "/metrics", "/schema", "/nowhere"])
async def test_other_routes_say_nothing_to_foreign_pages(door: Door, path: str) -> None:
    answer = await preflight(door, path)
    response = await door.client.get(path, headers={"Origin": SHOP, **door.admin})

    assert "access-control-allow-origin" not in answer
    assert "access-control-allow-origin" not in response.headers


def test_a_client_that_is_no_browser_is_told_nothing() -> None:
    assert Cors(["*"]).headers({}) == []
    assert Cors(["*"]).preflight({}) == []
