"""Figures as they change, by Server-Sent Events (S1.12)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from litestar import Litestar

from angarium.config.settings import Http
from angarium.core.delivery.status import DeliveryState
from angarium.gateway.admin import ADMIN_HANDLERS
from angarium.gateway.app import create_app
from angarium.gateway.live import end_streams
from angarium.gateway.serve import listen, run_server
from tests.gateway.seed import Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/deliveries/stats/live"


@asynccontextmanager
async def serving(api: Api) -> AsyncIterator[tuple[Litestar, str]]:
    """The API on a real socket: a stream must not be read as a whole."""
    app = create_app(api.parts, ADMIN_HANDLERS)
    listener = listen("127.0.0.1", 0)
    ready = asyncio.Event()
    server = asyncio.create_task(run_server(app, listener, Http(), ready=ready.set))
    await ready.wait()
    host, port = listener.getsockname()
    try:
        yield app, f"http://{host}:{port}"
    finally:
        server.cancel()
        await asyncio.wait({server})


@asynccontextmanager
async def streaming(api: Api, url: str, **params: Any) -> AsyncIterator[httpx.Response]:
    headers = {"Authorization": f"Bearer {api.keys['default']}"}
    async with (
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client,
        client.stream("GET", PATH, params=params, headers=headers) as response,
    ):
        yield response


async def figures(lines: AsyncIterator[str]) -> Any:
    async for line in lines:
        if line.startswith("data: "):
            return msgspec.json.decode(line.removeprefix("data: "))
    return None


async def test_first_the_present_figures_then_each_change(api: Api) -> None:
    await api.seed.delivery("dlv_1", "prf_1")
    async with (
        serving(api) as (_, url),
        streaming(api, url, campaign="cmp_1", group_by="channel") as response,
    ):
        lines = response.aiter_lines()
        first = await figures(lines)
        await api.seed.delivery("dlv_2", "prf_1", DeliveryState.SKIPPED, channel="sms")
        second = await figures(lines)

    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert "no-store" in response.headers["Cache-Control"]
    assert second == await api.read("/v1/deliveries/stats", group_by="channel")
    assert (first["totals"]["planned"], second["totals"]["planned"]) == (1, 2)
    assert [group["channel"] for group in second["groups"]] == ["email", "sms"]


async def test_streams_end_when_the_server_is_to_stop(api: Api) -> None:
    async with serving(api) as (app, url), streaming(api, url) as response:
        lines = response.aiter_lines()
        assert await figures(lines) is not None
        end_streams(app)
        assert await figures(lines) is None


async def test_a_query_that_cannot_be_read_is_refused_at_once(api: Api) -> None:
    assert (await api.get(PATH, group_by="x")).status_code == 422
    assert (await api.public.get(PATH)).status_code == 401
