"""A push service's URL is its own: it is called as the browser gave it (RFC 8030 §4)."""

import json

import pytest
from aiohttp import web

from angarium.channels.web_push_vapid import WebPushVapid
from tests.channels.opened import opened
from tests.channels.test_web_push_address import AUTH, P256DH
from tests.channels.test_web_push_vapid import message
from tests.counterparts.http_server import listening

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
