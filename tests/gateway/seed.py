"""The whole API in this process, on a store whose rows a test writes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from angarium.config.settings import Settings
from angarium.core.bus.bus import Bus
from angarium.core.delivery.links import Links
from angarium.core.delivery.record import Delivery, NewDelivery, move
from angarium.core.delivery.status import DeliveryState
from angarium.core.store import ledger
from angarium.core.store.campaigns import create_campaign
from angarium.core.store.catalogue import QUERIES
from angarium.core.store.changes import Changes
from angarium.core.store.keys import make_key, save_key
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from angarium.gateway.admin import ADMIN_HANDLERS
from angarium.gateway.app import create_app
from angarium.gateway.keyring import Keyring
from angarium.gateway.metrics import Metrics
from angarium.gateway.parts import AllParts
from angarium.gateway.paths import keep_segments
from angarium.gateway.public import PUBLIC_HANDLERS
from angarium.plugins.manager import Plugins
from tests.gateway.doors import NOON, Clock

SEEDING = Path(__file__).with_name("seeding")
__all__ = ["DAY", "HOUR", "NOON", "PATHS", "SEEDING", "Api", "Clock", "Seed", "open_api"]

HOUR = 3_600_000
DAY = 24 * HOUR

Json = dict[str, Any]

PATHS: Mapping[DeliveryState, tuple[DeliveryState, ...]] = {
    DeliveryState.PLANNED: (),
    **{
        state: (DeliveryState.CLAIMED, state)
        for state in (DeliveryState.HELD, DeliveryState.SKIPPED, DeliveryState.CANCELLED)
    },
    DeliveryState.CLAIMED: (DeliveryState.CLAIMED,),
    DeliveryState.HANDED: (DeliveryState.CLAIMED, DeliveryState.HANDED),
    **{
        state: (DeliveryState.CLAIMED, DeliveryState.HANDED, state)
        for state in (DeliveryState.FAILED, DeliveryState.IN_DOUBT, DeliveryState.ACCEPTED)
    },
    **{
        state: (DeliveryState.CLAIMED, DeliveryState.HANDED, DeliveryState.ACCEPTED, state)
        for state in (
            DeliveryState.DELIVERED,
            DeliveryState.UNDELIVERED,
            DeliveryState.BOUNCED,
            DeliveryState.EXPIRED,
        )
    },
}
"""Through which states each one is reached."""


class Seed:
    """Writes rows; what is not said is as little as possible."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def run(self, query: str, **params: Any) -> None:
        async with self.store.transaction() as tx:
            await tx.run(query, **({"workspace": "default"} | params))

    async def person(
        self, user_id: str | None, profile_id: str, workspace: str = "default", **more: Any
    ) -> str:
        row = {
            "created_at": NOON - DAY,
            "last_seen_at": NOON,
            "attributes": "{}",
            "state": "{}",
            "devices": "{}",
            "merged_into": None,
        } | more
        await self.run("seed_profile", workspace=workspace, id=profile_id, user_id=user_id, **row)
        if user_id is not None:
            await self.identity("user", user_id, profile_id, workspace)
        return profile_id

    async def identity(
        self,
        kind: str,
        value: str,
        profile_id: str | None,
        workspace: str = "default",
        bindings: str = "[]",
    ) -> None:
        await self.run(
            "seed_identity",
            workspace=workspace,
            kind=kind,
            value=value,
            profile_id=profile_id,
            bindings=bindings,
        )

    async def event(self, message_id: str, profile_id: str, at: int, **more: Any) -> None:
        row = {
            "kind": "track",
            "name": "Purchase",
            "anonymous_id": None,
            "user_id": "u1",
            "device": None,
            "body": "{}",
        } | more
        await self.run("seed_event", message_id=message_id, profile_id=profile_id, at=at, **row)

    async def campaign(self, id_: str, workspace: str = "default", **definition: Any) -> str:
        body = msgspec.json.encode(definition or {"name": id_}).decode()
        async with self.store.transaction() as tx:
            await create_campaign(tx, workspace, id_, id_, body, NOON)
        return id_

    async def delivery(
        self,
        id_: str,
        profile_id: str,
        state: DeliveryState = DeliveryState.PLANNED,
        *,
        reason: str = "",
        gates: str = "[]",
        reactions: Mapping[str, list[int]] | None = None,
        **more: Any,
    ) -> str:
        """A delivery that took the real way to where it stands, counters included."""
        planned_at = more.pop("planned_at", NOON)
        fields = {
            "workspace": "default",
            "source": "campaign",
            "campaign": "cmp_1",
            "version": 1,
            "channel": "email",
            "class_": "marketing",
            "promise": "at_most_once",
            "due_at": planned_at,
            "expires_at": planned_at + DAY,
            "context": {},
        } | more
        new = NewDelivery(id=id_, profile_id=profile_id, planned_at=planned_at, **fields)
        changes = Changes()
        async with self.store.transaction() as tx:
            await ledger.plan(tx, [new], changes)
            [row] = await ledger.lock(tx, [(new.workspace, id_)])
            context = msgspec.json.encode(new.context).decode()
            for step in PATHS[state]:
                last = step is state
                facts: Json = {"reason": reason if last else ""}
                if step is DeliveryState.HANDED:
                    facts |= {"provider": "email_smtp", "handed_at": planned_at + 1_000}
                if step is DeliveryState.ACCEPTED:
                    facts |= {"accepted_at": planned_at + 2_000}
                moved = move(row, step, **facts)
                await ledger.save_moves(
                    tx, [(row, moved)], changes, planned_at + 3_000, [(gates, context)]
                )
                row = moved
            _react(changes, row, reactions or {})
            await changes.save(tx, planned_at)
            if reactions:
                text = msgspec.json.encode(reactions).decode()
                await tx.run("seed_reactions", workspace=new.workspace, id=id_, reactions=text)
        return id_


def _react(changes: Changes, row: Delivery, reactions: Mapping[str, list[int]]) -> None:
    for kind, (at, count) in reactions.items():
        for number in range(count):
            changes.reacted(row, kind, at, first=number == 0)


class Api:
    """Clients with keys of two workspaces, and the parts behind them."""

    def __init__(self, parts: AllParts, keys: Mapping[str, str]) -> None:
        self.parts = parts
        self.seed = Seed(parts.store)
        self.keys = keys
        self.after: dict[str, int] = {}
        app: Any = keep_segments(create_app(parts, (*ADMIN_HANDLERS, *PUBLIC_HANDLERS)))
        self.public = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
            base_url="http://test",
        )

    async def request(
        self, method: str, path: str, key: str = "default", **options: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys[key]}"} | options.pop("headers", {})
        return await self.public.request(method, path, headers=headers, **options)

    async def get(self, path: str, key: str = "default", **params: Any) -> httpx.Response:
        return await self.request("GET", path, key, params=params or None)

    async def read(self, path: str, **params: Any) -> Any:
        """The body of a GET that must succeed."""
        response = await self.get(path, **params)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.request("POST", path, json=body, **options)

    async def pages(self, path: str, **params: Any) -> list[Json]:
        """A whole list, page by page."""
        found: list[Json] = []
        cursor: Json = {}
        while True:
            body = await self.read(path, **params, **cursor)
            found += body["data"]
            if body["next_cursor"] is None:
                return found
            cursor = {"cursor": body["next_cursor"]}

    async def said(self, stream: str, count: int = 1) -> list[Json]:
        """The next `count` messages of a stream."""
        found: list[Json] = []
        async with self.parts.bus.pull(stream, after=self.after[stream]) as puller:
            while len(found) < count:
                for item in await puller.get(count - len(found)):
                    found.append(msgspec.json.decode(item.body))
                    self.after[stream] = item.sequence
        return found

    async def unsaid(self, stream: str) -> int:
        """How many more there are."""
        return (await self.parts.bus.stream_state(stream)).last_sequence - self.after[stream]


@asynccontextmanager
async def open_api(
    url: str, bus: Bus, clock: Clock, settings: Settings, plugins: Plugins
) -> AsyncIterator[Api]:
    """An API on the database of `url`; the process's own store is closed afterwards."""
    store = await open_store(url, queries=(QUERIES, SEEDING))
    keys = await _make_keys(store)
    keyring = Keyring(store, clock)
    links = Links(b"secret" * 8, "https://links.example.org")
    parts = AllParts(
        store=store,
        bus=bus,
        settings=settings,
        plugins=plugins,
        now=clock,
        keyring=keyring,
        links=links,
        metrics=Metrics(),
    )
    api = Api(parts, keys)
    try:
        yield api
    finally:
        await api.public.aclose()
        await keyring.close()
        await store.close()


async def _make_keys(store: Store) -> dict[str, str]:
    keys = {name: make_key("admin") for name in ("default", "second", "other", "reader")}
    async with store.transaction() as tx:
        for name, text in keys.items():
            workspace = "other" if name == "other" else "default"
            scopes = ("profiles:read",) if name == "reader" else None
            await save_key(tx, workspace, "admin", text, name=name, now=NOON, scopes=scopes)
    return keys
