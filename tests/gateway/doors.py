"""A whole door for a test: a server on a free port, with a store, a broker and keys of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from litestar.types import ControllerRouterHandler

from angarium.config.settings import Settings
from angarium.core.bus.bus import Bus
from angarium.core.bus.subjects import EVENTS
from angarium.core.delivery.links import Links
from angarium.core.store.keys import Kind, make_key, save_key
from angarium.core.store.protocol import Store
from angarium.gateway.app import create_app
from angarium.gateway.keyring import Keyring
from angarium.gateway.metrics import Metrics
from angarium.gateway.parts import AllParts
from angarium.gateway.serve import listen, run_server
from angarium.plugins.manager import load_plugins

LINKS = Links(b"secret", "http://links.example")
NOON = 1_795_262_400_000  # 2026-11-21T12:00:00Z


class Clock:
    """The time, as ms since 1970; it stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> int:
        return self.at


class Door:
    """A running server, a client to it, and what came out on the other side."""

    def __init__(self, parts: AllParts, address: tuple[str, int], keys: dict[Kind, str]) -> None:
        self.parts = parts
        self.address = address
        self.admin_key = keys["admin"]
        self.write_key = keys["write"]
        self.client = httpx.AsyncClient(
            base_url=f"http://{address[0]}:{address[1]}", timeout=30, trust_env=False
        )
        self.after = 0

    @property
    def admin(self) -> dict[str, str]:
        """The headers of an admin call."""
        return {"Authorization": f"Bearer {self.admin_key}"}

    async def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        """Send `body`, bytes or a value, with the write key as SDKs do."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        options.setdefault("auth", (self.write_key, ""))
        return await self.client.post(path, content=content, **options)

    async def stored(self, count: int = 1) -> list[dict[str, Any]]:
        """The next `count` envelopes of the stream, or a few more: some share a message."""
        found: list[dict[str, Any]] = []
        async with self.parts.bus.pull(EVENTS, after=self.after) as puller:
            while len(found) < count:
                for item in await puller.get(count - len(found)):
                    document = msgspec.json.decode(item.body)
                    found += document if isinstance(document, list) else [document]
                    self.after = item.sequence
        return found

    async def published(self) -> int:
        """How many envelopes have come that `stored` did not give out."""
        return (await self.parts.bus.stream_state(EVENTS)).last_sequence - self.after


@asynccontextmanager
async def run_door(
    settings: Settings,
    bus: Bus,
    store: Store,
    clock: Clock,
    handlers: Sequence[ControllerRouterHandler] = (),
) -> AsyncIterator[Door]:
    keys = await _make_keys(store, clock.at)
    keyring = Keyring(store, clock)
    parts = AllParts(store, bus, settings, load_plugins(()), clock, keyring, LINKS, Metrics())
    app = create_app(parts, handlers)
    ready = asyncio.Event()

    listener = listen("127.0.0.1", 0)
    address: tuple[str, int] = listener.getsockname()
    task = asyncio.create_task(run_server(app, listener, settings.http, ready=ready.set))
    await ready.wait()
    door = Door(parts, address, keys)
    door.after = (await bus.stream_state(EVENTS)).last_sequence
    yield door
    await door.client.aclose()
    task.cancel()
    await asyncio.wait({task})
    await keyring.close()


async def _make_keys(store: Store, now: int) -> dict[Kind, str]:
    keys: dict[Kind, str] = {"admin": make_key("admin"), "write": make_key("write")}
    async with store.transaction() as tx:
        for kind, text in keys.items():
            await save_key(tx, "default", kind, text, name=f"test {kind}", now=now)
    return keys
