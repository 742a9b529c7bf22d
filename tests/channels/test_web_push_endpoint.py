"""A push service is called as the browser gave it (RFC 8030 §4), and when it wants to be."""

import asyncio
import json

import pytest
from aiohttp import web

from angarium.channels.web_push_vapid import WebPushVapid
from angarium.plugins import TemporaryFailure
from tests.channels.opened import opened
from tests.channels.test_web_push_address import AUTH, P256DH
from tests.channels.test_web_push_vapid import AT, message, provider
from tests.counterparts.http_server import listening
from tests.counterparts.web_push import push_service

KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"


@pytest.mark.parametrize("path", ["/w/?token=BQYA%2fabc%2bdef%3d%3d", "/send/a%3Ab%7Ec"])
async def test_an_endpoint_is_called_as_the_browser_gave_it(path: str) -> None:
    seen: list[str] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(request.raw_path)
        return web.Response(status=201)

    app = web.Application()
    app.router.add_post("/{rest:.*}", take)
    async with listening(app, lambda: None) as url:
        section = {"contact": "mailto:a@b.example", "private_key": KEY, "push_services": url}
        subscription = json.dumps(
            {"endpoint": url + path, "keys": {"p256dh": P256DH, "auth": AUTH}}
        )
        async with opened(WebPushVapid, section) as push:
            await push.send(message(subscription))
    assert seen == [path]


@pytest.mark.parametrize(("status", "held"), [(503, True), (429, False)])
async def test_a_push_service_that_is_down_is_left_alone_for_as_long_as_it_says(
    status: int, held: bool
) -> None:
    """G10; of a browser that gets too much, only that one's messages wait."""
    async with push_service() as service:
        service.at = AT
        first, second = service.subscribe("first"), service.subscribe("second")
        service.answers["first"] = (status, {"Retry-After": "30"})
        async with provider(service) as web_push:
            with pytest.raises(TemporaryFailure):
                await web_push.send(message(first.subscription, 1))
            end = await asyncio.gather(
                web_push.send(message(second.subscription, 2, at=AT + 20_000)),
                return_exceptions=True,
            )
            await web_push.send(message(second.subscription, 3, at=AT + 30_000))

    assert [getattr(one, "retry_after", None) for one in end] == [10 if held else None]
    assert isinstance(end[0], TemporaryFailure) is held
