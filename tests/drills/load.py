"""A shop's load that every sender repeats until it is acknowledged, as SDKs do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.parts.instance import ADMIN_KEY, WRITE_KEY

BATCH = 25
SENDERS = 4
MARKETING, TRANSACTIONAL, CART = "Liked", "Ordered", "Filled"
NAMES = ("Seen", "Seen", "Seen", MARKETING, TRANSACTIONAL, CART, "Bought", "Seen")
"""Of events, one after the other."""


@dataclass
class Load:
    """`events` messages of `people`, of which each event name is a fixed share."""

    url: str
    people: int
    events: int
    seed: int = 1
    acked: int = 0
    refused: int = 0
    sent: int = 0
    campaigns: dict[str, str] = field(default_factory=dict)

    async def define(self) -> None:
        """Campaigns of both promises, and one that waits and is stopped."""
        async with self._client(ADMIN_KEY) as http:
            for name, class_, send_at in (
                (MARKETING, "marketing", {"retrigger": "each"}),
                (TRANSACTIONAL, "transactional", {"retrigger": "each"}),
                (CART, "marketing", {"delay": "PT3S", "stop": {"event": "Bought"}}),
            ):
                body = {
                    "name": name,
                    "class": class_,
                    "send_at": {"trigger": {"event": name}, **send_at},
                    "content": {"email": {"subject": name, "text": "Hello {{ profile.name }}"}},
                }
                made = (await http.post("/v1/campaigns", json=body)).json()
                self.campaigns[name] = made["id"]
                await http.post(f"/v1/campaigns/{made['id']}/activate")

    async def introduce(self) -> None:
        """Everybody says who they are; returns when all is acked."""
        await self._all([_identify(person) for person in range(self.people)])

    async def send(self) -> None:
        """What has not been sent of `events` happens; returns when all is acked."""
        await self._all(self.history()[self.sent :])
        self.sent = self.events

    def history(self) -> list[dict[str, Any]]:
        """All messages; more `events` only add to the end."""
        random = Random(self.seed)
        return [self._event(index, random) for index in range(self.events)]

    def happening(self, name: str) -> int:
        """How often it happens; a name that stands once in NAMES."""
        return len(range(NAMES.index(name), self.events, len(NAMES)))

    def _event(self, index: int, random: Random) -> dict[str, Any]:
        person = random.randrange(self.people)
        name = NAMES[index % len(NAMES)]
        return {
            "type": "track",
            "messageId": f"event-{self.seed}-{index}",
            "userId": f"person-{person}",
            "event": name,
            "properties": {"amount": index % 10},
        }

    async def _all(self, messages: Sequence[dict[str, Any]]) -> None:
        batches = [messages[at : at + BATCH] for at in range(0, len(messages), BATCH)]
        waiting = iter(batches)

        async def sender() -> None:
            async with self._client(WRITE_KEY) as http:
                for batch in waiting:
                    await self._until_acked(http, batch)

        async with asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(sender())

    async def _until_acked(self, http: httpx.AsyncClient, batch: Sequence[dict[str, Any]]) -> None:
        while True:
            try:
                answer = await http.post("/v1/batch", json={"batch": batch})
                if answer.status_code == 200:
                    self.acked += len(batch)
                    return
            except httpx.HTTPError:
                pass
            self.refused += 1
            await asyncio.sleep(0.1)

    def _client(self, key: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=10)


def _identify(person: int) -> dict[str, Any]:
    return {
        "type": "identify",
        "messageId": f"identify-{person}",
        "userId": f"person-{person}",
        "traits": {
            "email": f"person-{person}@example.com",
            "phone": f"0912{person:07}",
            "name": f"Person {person}",
        },
    }
