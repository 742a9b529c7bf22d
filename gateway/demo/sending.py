"""Send the shop's traffic as SDKs do, and wait until the instance has dealt with it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

from angarium.core.events.times import SECOND, format_instant
from angarium.core.workers.clock import Now
from angarium.gateway.demo import figures
from angarium.gateway.demo.client import Client, DemoFailed
from angarium.gateway.demo.figures import CampaignFigures
from angarium.gateway.demo.screen import Move, Screen
from angarium.gateway.demo.shop import Batch, count_events

LOOK_SECONDS: Final = 0.25
PATIENCE: Final = 120 * SECOND
"""After how long without any progress the demo gives up."""


class Sender:
    """Counts what was sent: messages, requests, and the messages that were refused at the door.

    told: how often each event was sent, what came twice counted once.
    """

    def __init__(self, client: Client, screen: Screen, now: Now, before: Counter[str]) -> None:
        """before: how often each event had occurred when the demo began."""
        self.told: Counter[str] = Counter()
        self.messages = self.requests = self.rejected = 0
        self._client = client
        self._screen = screen
        self._now = now
        self._before = before

    async def send(self, batches: Sequence[Batch], move: Move) -> None:
        """Raises DemoFailed."""
        total = sum(map(len, batches))
        sent = 0
        for batch in batches:
            body = {"batch": [said.body for said in batch], "sentAt": format_instant(self._now())}
            self.rejected += len(await self._client.send(body))
            self.requests += 1
            sent += len(batch)
            move(sent, total)
        self.messages += sent
        self.told += count_events(batches)

    async def stored(self) -> Counter[str]:
        """How often each event has occurred since the demo began."""
        return await figures.count_stored(self._client) - self._before

    async def until_stored(self) -> None:
        """Return when every event that was told is counted in the store. Raises DemoFailed."""
        total = self.told.total()
        seen, moved_at = -1, self._now()
        with self._screen.working("Stored, each event once") as move:
            while seen < total:
                stored = (self.told & await self.stored()).total()
                if stored > seen:
                    seen, moved_at = stored, self._now()
                    move(seen, total)
                elif self._now() > moved_at + PATIENCE:
                    raise DemoFailed(f"{seen:,} of {total:,} events are stored, and no more come")
                else:
                    await asyncio.sleep(LOOK_SECONDS)


class Campaigns:
    """The demo's campaigns in the instance. ids: by name."""

    def __init__(self, client: Client, screen: Screen, now: Now) -> None:
        self.ids: dict[str, str] = {}
        self._client = client
        self._screen = screen
        self._now = now

    async def figures(self) -> list[CampaignFigures]:
        """As they are now."""
        return [
            await figures.read_campaign(self._client, id_, name) for name, id_ in self.ids.items()
        ]

    async def until_settled(self, due_at: int, *, all_sent: bool) -> None:
        """Return when what is due by `due_at` was decided; runs that are due later go on waiting.

        all_sent: no delivery may wait; else it is enough that nothing moves any more, as where an
        instance has no provider for them. Raises DemoFailed.
        """
        last: list[CampaignFigures] = []
        give_up_at = max(self._now(), due_at) + PATIENCE
        with self._screen.working("Decided and delivered") as move:
            while True:
                present = await self.figures()
                totals = figures.add_up(present)
                move(totals["planned"] - totals["waiting"], totals["planned"])
                still = present == last and self._now() > due_at + SECOND
                if still and not (all_sent and totals["waiting"]):
                    return
                if self._now() > give_up_at:
                    raise DemoFailed(f"{totals['waiting']} deliveries still wait after two minutes")
                last = present
                await asyncio.sleep(2 * LOOK_SECONDS)
