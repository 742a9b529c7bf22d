"""What a provider hears over a connection of its own goes the way that callbacks go."""

import asyncio
from typing import Any, Final

import msgspec
import structlog

from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import BusFull, BusUnavailable
from angarium.core.bus.subjects import feedback_subject
from angarium.core.delivery.feedback import feedback_of
from angarium.core.workers.clock import Now
from angarium.plugins import StatusUpdate, TemporaryFailure
from angarium.plugins.provider import Listening

log: Any = structlog.get_logger()

WORKSPACE: Final = "default"
"""As callbacks: a provider's section belongs to the instance."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
"""Seconds before it listens again; each time in a row that it could not is twice the one before."""
PUBLISH_PAUSE: Final = 0.5


class Listener:
    """Listens at one provider, again and again, until cancelled."""

    def __init__(self, name: str, channel: str, provider: Listening, bus: Bus, now: Now) -> None:
        """`name`: of the provider's section."""
        self._name = name
        self._channel = channel
        self._provider = provider
        self._bus = bus
        self._now = now
        self.heard = 0

    async def run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            before = self.heard
            try:
                counts = await self._provider.listen(self._report)
            except TemporaryFailure as failure:
                log.warning("provider_not_heard", provider=self._name, reason=failure.reason)
            except Exception as error:
                kind = type(error).__name__
                log.error("provider_listen_failed", provider=self._name, error=kind)
            else:
                pause = FIRST_PAUSE
                if counts:
                    log.info("provider_heard", provider=self._name, counts=dict(counts))
            if self.heard > before:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _report(self, update: StatusUpdate) -> None:
        """Durable when it returns, however long the bus is away."""
        feedback = feedback_of(self._name, self._channel, update, self._now())
        body = msgspec.json.encode(feedback)
        while True:
            try:
                await self._bus.publish(feedback_subject(WORKSPACE), body)
                break
            except (BusUnavailable, BusFull) as error:
                log.warning("receipt_waits", provider=self._name, reason=str(error))
                await asyncio.sleep(PUBLISH_PAUSE)
        self.heard += 1
