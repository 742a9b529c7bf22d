"""Where a key may stand in a request, and what the guard of the admin routes lets through."""

from base64 import b64encode

import pytest
from litestar import get
from litestar.handlers import HTTPRouteHandler

from angarium.core.store.keys import Kind, make_key, save_key
from angarium.gateway.auth import bearer_key, requires, write_key
from angarium.gateway.keyring import Caller, Holder
from tests.gateway.conftest import OpenDoor
from tests.gateway.doors import Clock, Door


def basic(text: str) -> bytes:
    return b"Basic " + b64encode(text.encode())


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, ""),
        ({b"authorization": basic("wk:")}, "wk"),
        ({b"authorization": basic("wk")}, "wk"),
        ({b"authorization": basic("wk:a:b")}, "wk"),
        ({b"authorization": b"BASIC  " + b64encode(b"wk:") + b" "}, "wk"),
        ({b"authorization": b"Basic wk"}, ""),
        ({b"authorization": b"Basic " + b64encode(b"\xff:")}, "\ufffd"),
        ({b"authorization": b"Bearer wk"}, "wk"),
        ({b"authorization": b"bearer  wk "}, "wk"),
        ({b"authorization": b"wk"}, ""),
        ({b"x-write-key": b" wk "}, "wk"),
        ({b"x-write-key": b"wk:secret"}, "wk"),
        ({b"x-write-key": b"wk", b"authorization": b"Bearer other"}, "wk"),
        ({b"x-write-key": b"wk", b"authorization": basic("first:")}, "first"),
        ({b"x-write-key": b"wk", b"authorization": basic(":password")}, "wk"),
    ],
)
def test_the_first_place_that_holds_a_key_counts(headers: dict[bytes, bytes], key: str) -> None:
    assert write_key(headers) == key


def test_an_admin_key_stands_behind_bearer_only() -> None:
    assert bearer_key({b"authorization": b"Bearer ak"}) == "ak"
    assert bearer_key({b"authorization": basic("ak:")}) == ""
    assert bearer_key({b"x-write-key": b"ak"}) == ""


@pytest.mark.parametrize(
    ("scopes", "scope", "may"),
    [
        (["*"], "campaigns:write", True),
        (["campaigns:write"], "campaigns:write", True),
        (["campaigns:*"], "campaigns:write", True),
        (["campaigns:read"], "campaigns:write", False),
        (["profiles:*"], "campaigns:write", False),
        ([], "campaigns:write", False),
        (["ingest"], "ingest", True),
    ],
)
def test_a_scope_is_held_by_itself_by_its_noun_or_by_all(
    scopes: list[str], scope: str, may: bool
) -> None:
    assert Holder("key_1", "default", "admin", frozenset(scopes)).may(scope) is may


def whoami() -> HTTPRouteHandler:
    @get("/whoami", guards=[requires("keys:read")])
    async def route(caller: Caller) -> str:
        return f"{caller.kind} {caller.workspace}"

    return route


async def add_key(door: Door, kind: Kind, *scopes: str, expires_at: int | None = None) -> str:
    text = make_key(kind)
    async with door.parts.store.transaction() as tx:
        await save_key(
            tx, "default", kind, text, name="t", now=0, scopes=scopes, expires_at=expires_at
        )
    door.parts.keyring.forget()
    return text


async def ask(door: Door, key: str) -> tuple[int, str]:
    response = await door.client.get("/whoami", headers={"Authorization": f"Bearer {key}"})
    if response.status_code == 200:
        return 200, response.text
    return response.status_code, response.json()["code"]


async def test_a_guard_lets_in_admin_keys_with_its_scope(open_door: OpenDoor, clock: Clock) -> None:
    door = await open_door(handlers=[whoami()])
    expiring = await add_key(door, "admin", expires_at=clock.at + 1_000)

    assert await ask(door, door.admin_key) == (200, "admin default")
    assert await ask(door, await add_key(door, "admin", "keys:read")) == (200, "admin default")
    assert await ask(door, await add_key(door, "admin", "keys:write")) == (403, "forbidden")
    assert await ask(door, door.write_key) == (403, "forbidden")
    assert await ask(door, await add_key(door, "write", "*")) == (403, "forbidden")
    assert await ask(door, make_key("admin")) == (401, "not_authenticated")
    assert await ask(door, "-") == (401, "not_authenticated")
    assert (await ask(door, expiring))[0] == 200
    clock.at += 1_000
    assert await ask(door, expiring) == (401, "not_authenticated")


async def test_a_refusal_names_the_scope_that_is_missing(open_door: OpenDoor) -> None:
    door = await open_door(handlers=[whoami()])
    key = await add_key(door, "admin", "other:read")

    response = await door.client.get("/whoami", headers={"Authorization": f"Bearer {key}"})

    assert "keys:read" in response.json()["message"]
