"""How often one network may use the paths that need no key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from angarium.config.settings import Limits, Settings
from angarium.gateway.app import create_app
from angarium.gateway.limits import BUCKETS, Allowances
from angarium.gateway.problems import Refusal
from angarium.gateway.public import PUBLIC_HANDLERS
from angarium.gateway.public_limit import limit_public, network_of
from tests.gateway.conftest import OpenDoor
from tests.gateway.doors import Clock

ME = "192.0.2.1"


@asynccontextmanager
async def client(app: Any, host: str = ME) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, client=(host, 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as found:
        yield found


@pytest.fixture
async def app(open_door: OpenDoor) -> Any:
    settings = Settings(limits=Limits(public_per_second=3))
    return create_app((await open_door(settings)).parts, PUBLIC_HANDLERS)


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/c/wrong", 404),
        ("GET", "/o/wrong.gif", 404),
        ("GET", "/u/wrong", 404),
        ("GET", "/callbacks/nobody", 404),
        ("POST", "/callbacks/nobody", 404),
        ("GET", "/v1/web-push/key", 200),
        ("OPTIONS", "/v1/web-push/key", 204),
    ],
)
async def test_who_comes_too_often_is_told_when_to_come_again(
    app: Any, clock: Clock, method: str, path: str, answer: int
) -> None:
    async with client(app) as mine, client(app, "192.0.2.2") as others:
        first = [(await mine.request(method, path)).status_code for _ in range(3)]
        refused = await mine.request(method, path)
        other = await others.request(method, path)
        clock.at += 1_000
        later = await mine.request(method, path)

    assert first == [answer] * 3
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    problem = refused.json()
    assert problem["code"] == "too_many_requests"
    assert problem["request_id"] == refused.headers["x-request-id"]
    assert (other.status_code, later.status_code) == (answer, answer)


async def test_paths_that_need_a_key_are_not_counted(app: Any) -> None:
    async with client(app) as mine:
        statuses = {(await mine.get("/health/live")).status_code for _ in range(20)}

    assert statuses == {200}


async def test_a_provider_may_tell_of_any_number_of_messages(open_door: OpenDoor) -> None:
    async def accepting(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    settings = Settings(limits=Limits(public_per_second=3))
    app = limit_public((await open_door(settings)).parts, accepting)
    async with client(app) as provider:
        statuses = {(await provider.post("/callbacks/ours")).status_code for _ in range(20)}

    assert statuses == {200}


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("a:b", "a:c", False),
    ],
)
def test_an_ipv6_network_counts_as_one(left: str, right: str, same: bool) -> None:
    networks = [network_of({"client": (host, 1)}) for host in (left, right)]

    assert (networks[0] == networks[1]) is same


def test_a_request_from_nowhere_has_a_network_too() -> None:
    assert network_of({"client": None}) == network_of({}) == ""


def test_any_number_of_addresses_takes_no_more_than_some_memory() -> None:
    clock = Clock()
    allowances = Allowances(1, clock)
    for number in range(BUCKETS):
        allowances.spend(f"old {number}", 1)
    clock.at += 1_000
    allowances.spend("mine", 1)

    with pytest.raises(Refusal):
        allowances.check("mine")
    assert allowances.remembered == 1
    for number in range(3 * BUCKETS):
        allowances.spend(f"new {number}", 1)
    assert allowances.remembered <= BUCKETS
