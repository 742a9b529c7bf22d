"""A text-message gateway as many vendors have one: JSON, a form, or all in the address."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.counterparts.http_server import listening


@dataclass
class Came:
    """One request as it was read."""

    method: str
    content_type: str
    headers: dict[str, str]
    fields: dict[str, Any]


@dataclass
class SmsGateway:
    """`answers`: what a number is answered with (HTTP status, body), instead of 200 and an id;
    `silent`: numbers that get none. An Idempotency-Key that came before gives the first answer.
    """

    url: str = ""
    came: list[Came] = field(default_factory=list[Came])
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict[str, tuple[int, bytes]])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    silent: set[str] = field(default_factory=set[str])
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    _keys: dict[str, str] = field(default_factory=dict[str, str])

    def to(self, number: str) -> list[dict[str, Any]]:
        """The requests for a number."""
        return [one.fields for one in self.came if one.fields.get("to") == number]

    async def take(self, request: web.Request) -> web.Response:
        """Any method at /send; what cannot be read is answered with 422."""
        fields: dict[str, Any] = dict(request.query)
        if request.method == "POST" and request.content_type == "application/json":
            try:
                fields.update(json.loads(await request.read()))
            except ValueError:
                return web.Response(status=422)
        elif request.method == "POST":
            fields.update({name: str(value) for name, value in (await request.post()).items()})
        headers = {name.lower(): value for name, value in request.headers.items()}
        key = headers.get("idempotency-key", "")
        if key in self._keys:
            return self._take(self._keys[key])
        self.came.append(Came(request.method, request.content_type, headers, fields))
        number = str(fields.get("to"))
        if number in self.answers:
            status, body = self.answers[number]
            return web.Response(status=status, body=body, headers=self.headers)
        if number in self.silent:
            await self.closing.wait()
        id = f"G{len(self.came)}"
        if key:
            self._keys[key] = id
        return self._take(id)

    def _take(self, id: str) -> web.Response:
        return web.json_response({"messages": [{"id": id, "state": "QUEUED"}]})


@asynccontextmanager
async def sms_gateway() -> AsyncGenerator[SmsGateway, None]:
    """Listen on a free port of this machine."""
    gateway = SmsGateway()
    app = web.Application(client_max_size=16 * 1024**2)
    app.router.add_route("*", "/send", gateway.take)
    async with listening(app, gateway.closing.set) as url:
        gateway.url = f"{url}/send"
        yield gateway
