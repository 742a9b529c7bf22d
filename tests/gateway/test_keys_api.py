"""Keys over HTTP: made once, shown once, listed without their text, revoked at once."""

from typing import Any

import httpx
import pytest

from angarium.core.events.times import format_instant
from tests.gateway.conftest import OpenDoor
from tests.gateway.doors import NOON, Clock, Door

TRACK = {"event": "A", "userId": "u1"}


async def make(door: Door, key: str = "", **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key or door.admin_key}"}
    return await door.client.post("/v1/keys", json=body, headers=headers)


async def test_a_made_write_key_sends_events_and_nothing_else(open_door: OpenDoor) -> None:
    door = await open_door()

    response = await make(door, kind="write", name="Shop page")

    body = response.json()
    assert response.status_code == 201
    assert body["key"].startswith("ang_wk_")
    assert (body["kind"], body["name"], body["scopes"]) == ("write", "Shop page", ["ingest"])
    assert (await door.post("/v1/track", TRACK, auth=(body["key"], ""))).status_code == 200
    assert (await make(door, body["key"], kind="write", name="x")).status_code == 403


async def test_the_text_of_a_key_is_never_shown_again(open_door: OpenDoor) -> None:
    door = await open_door()
    made = (await make(door, kind="admin", name="Reports", scopes=["deliveries:read"])).json()

    response = await door.client.get("/v1/keys", headers=door.admin)

    assert made["key"] not in response.text
    [listed] = [key for key in response.json()["data"] if key["id"] == made["id"]]
    assert listed == {
        "id": made["id"],
        "kind": "admin",
        "name": "Reports",
        "scopes": ["deliveries:read"],
        "hint": "ang_ak_…" + made["key"][-4:],
        "createdAt": format_instant(NOON),
        "expiresAt": None,
        "revokedAt": None,
    }


async def test_a_revoked_key_opens_nothing_at_once(open_door: OpenDoor) -> None:
    door = await open_door()
    made = (await make(door, kind="write", name="x")).json()
    auth = (made["key"], "")
    assert (await door.post("/v1/track", TRACK, auth=auth)).status_code == 200

    first = await door.client.delete(f"/v1/keys/{made['id']}", headers=door.admin)
    second = await door.client.delete(f"/v1/keys/{made['id']}", headers=door.admin)

    assert (first.status_code, second.status_code) == (204, 204)
    assert (await door.post("/v1/track", TRACK, auth=auth)).status_code == 401


async def test_a_key_expires(open_door: OpenDoor, clock: Clock) -> None:
    door = await open_door()
    until = format_instant(NOON + 60_000)
    made = (await make(door, kind="write", name="x", expiresAt=until)).json()

    assert made["expiresAt"] == until
    assert (await door.post("/v1/track", TRACK, auth=(made["key"], ""))).status_code == 200
    clock.at += 60_000
    assert (await door.post("/v1/track", TRACK, auth=(made["key"], ""))).status_code == 401


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "write", "name": ""}, "/name"),
        ({"kind": "write", "name": "x" * 201}, "/name"),
        ({"kind": "root", "name": "x"}, "/kind"),
        ({"kind": "admin", "name": "x", "scopes": []}, "/scopes"),
        ({"kind": "admin", "name": "x", "scopes": ["*", "all"]}, "/scopes/1"),
        ({"kind": "admin", "name": "x", "expiresAt": "2020-01-01T00:00:00Z"}, "/expiresAt"),
        ({"kind": "admin", "name": "x", "expiresAt": "tomorrow"}, "/expiresAt"),
        ({"kind": "write", "name": "x", "scopes": ["*"]}, "/scopes"),
        ({"kind": "admin", "name": "x", "scopes": ["campaign:read"]}, "/scopes"),
        ({"kind": "write", "name": "x", "workspace": "other"}, ""),
        ({"kind": "write"}, ""),
    ],
)
async def test_a_wrong_field_is_named(door: Door, body: dict[str, Any], pointer: str) -> None:
    response = await make(door, **body)

    assert response.status_code == 422
    assert pointer in [error["pointer"] for error in response.json()["errors"]]


async def test_nobody_gives_away_more_than_they_have(open_door: OpenDoor) -> None:
    door = await open_door()
    made = await make(door, kind="admin", name="x", scopes=["keys:*", "profiles:read"])
    clerk = made.json()["key"]

    for scopes in (None, ["*"], ["profiles:*"], ["campaigns:write"]):
        response = await make(door, clerk, kind="admin", name="y", scopes=scopes)
        assert response.status_code == 403, scopes
    response = await make(door, clerk, kind="admin", name="y", scopes=["profiles:read"])
    assert response.status_code == 201


async def test_a_key_cannot_revoke_itself(open_door: OpenDoor) -> None:
    door = await open_door()
    keys = (await door.client.get("/v1/keys", headers=door.admin)).json()["data"]
    [own] = [key["id"] for key in keys if key["kind"] == "admin"]

    response = await door.client.delete(f"/v1/keys/{own}", headers=door.admin)

    assert (response.status_code, response.json()["code"]) == (409, "conflict")


async def test_an_unknown_key_cannot_be_revoked(door: Door) -> None:
    response = await door.client.delete("/v1/keys/key_unknown", headers=door.admin)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_the_list_comes_in_pages(open_door: OpenDoor) -> None:
    door = await open_door()
    for n in range(5):
        await make(door, kind="write", name=f"n{n}")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await door.client.get("/v1/keys", headers=door.admin, params=params)).json()
        seen += [key["name"] for key in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 7
