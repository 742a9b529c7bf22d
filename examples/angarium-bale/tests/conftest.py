"""A stand-in for Bale on this machine; it knows what to do by the chat that is written to."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

pytest.register_assert_rewrite("angarium.plugins.testing")

TOKEN = "123:a-secret-token"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Bale:
    url: str = ""
    sent: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != TOKEN:
            return web.json_response({"ok": False, "error_code": 401}, status=401)
        body = await request.json()
        match body["chat_id"]:
            case "1000403" | "1000400" | "1000500" as chat:
                return web.json_response({"ok": False}, status=int(chat[-3:]))
            case "1000429":
                busy = {"ok": False, "parameters": {"retry_after": 7}}
                return web.json_response(busy, status=429)
            case "1000200":
                return web.Response(text="<html>a captive portal</html>")
            case "1000000" | "1000001" as chat:
                if chat == "1000001":  # never answers
                    await self.over.wait()
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            case _:
                self.sent.append(body)
                return web.json_response({"ok": True, "result": {"message_id": len(self.sent)}})


@pytest.fixture
async def bale() -> AsyncGenerator[Bale, None]:
    bale = Bale()
    app = web.Application()
    app.router.add_post("/bot{token}/sendMessage", bale.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    bale.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield bale
    bale.over.set()
    await runner.cleanup()
