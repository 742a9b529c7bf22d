"""The network call: one message to one provider, and what its outcome means."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from angarium.core.delivery.pauses import Health
from angarium.core.delivery.promises import (
    after_acceptance,
    after_delay,
    after_doubt,
    after_pause,
    after_refusal,
)
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.store.attempts import Answer, Suppressed
from angarium.core.workers.clock import Now
from angarium.core.workers.crash import crash_point
from angarium.core.workers.recorder import Noted
from angarium.plugins import (
    Accepted,
    InDoubt,
    Message,
    PermanentFailure,
    Provider,
    TemporaryFailure,
)

log: Any = structlog.get_logger()


class Sender:
    """One provider of this process: its health, and the sends in flight.

    `send` starts a message on its way; the answer comes to `note`. A provider that hangs holds only
    its own places.
    """

    def __init__(
        self,
        provider: Provider,
        note: Callable[[Noted], None],
        now: Now,
        *,
        concurrency: int,
        seconds: float,
        policy: RetryPolicy,
    ) -> None:
        self.provider = provider
        self.health = Health()
        self._note = note
        self._now = now
        self._concurrency = concurrency
        self._seconds = seconds
        self._policy = policy
        self._sends: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    @property
    def name(self) -> str:
        """The provider's name: "email_smtp"."""
        return self.provider.name

    @property
    def free(self) -> int:
        """How many more messages it may be given now."""
        allowed = self.health.allowance(self._concurrency, self._now())
        return max(0, allowed - len(self._sends))

    @property
    def half(self) -> int:
        """Half its places: what it is worth waiting for before claiming again."""
        return max(1, self._concurrency // 2)

    @property
    def full(self) -> bool:
        """Whether it takes no more until a send ends."""
        return bool(self._sends) and self.free == 0

    async def room(self, wanted: int, seconds: float) -> int:
        """`free`, after waiting up to `seconds` for `wanted` places while sends are under way."""
        try:
            async with asyncio.timeout(seconds):
                while self._sends and self.free < wanted:
                    self._ended.clear()
                    await self._ended.wait()
        except TimeoutError:
            pass
        return self.free

    def send(self, delivery: Delivery, message: Message) -> None:
        """Start sending what is committed as handed."""
        task = asyncio.create_task(self._send(delivery, message))
        self._sends.add(task)
        task.add_done_callback(self._done)

    async def drain(self, seconds: float) -> None:
        """Let what is on its way end; after that long, cut it off: it is in doubt."""
        if self._sends:
            _, late = await asyncio.wait(self._sends, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._sends.discard(task)
        self._ended.set()

    async def _send(self, delivery: Delivery, message: Message) -> None:
        try:
            noted = await self._outcome(delivery, message)
        except asyncio.CancelledError:
            self._note(self._doubt(delivery, "cut_off"))
            raise
        crash_point("deliver.sent")
        self._note(noted)

    async def _outcome(self, delivery: Delivery, message: Message) -> Noted:
        try:
            async with asyncio.timeout(self._seconds):
                accepted: Any = await self.provider.send(message)
        except Exception as error:
            return self._failed(delivery, message, error)
        if not isinstance(accepted, Accepted):
            log.error("provider_answer_invalid", provider=self.name, delivery=delivery.id)
            return self._doubt(delivery, f"{self.name}: did not answer with Accepted")
        self.health = self.health.succeeded()
        wanted = after_acceptance(delivery, str(accepted.provider_id), self._now())
        return Noted(Answer(delivery, wanted))

    def _failed(self, delivery: Delivery, message: Message, error: Exception) -> Noted:
        match error:
            case TemporaryFailure():
                return self._delayed(delivery, error)
            case PermanentFailure():
                return self._refused(delivery, message, error)
            case InDoubt():
                reason = error.reason
            case TimeoutError():
                reason = "no_answer_in_time"
            case _:
                kind = type(error).__name__
                reason = f"{self.name}: raised {kind}"
                log.warning("provider_raised", provider=self.name, delivery=delivery.id, error=kind)
        self.health = self.health.failed(self._now())
        return self._doubt(delivery, reason)

    def _delayed(self, delivery: Delivery, failure: TemporaryFailure) -> Noted:
        now = self._now()
        wait = None if failure.retry_after is None else int(failure.retry_after * 1000)
        if failure.pause:
            self.health = self.health.asked_to_pause(now, wait)
            until = max(self.health.paused_until, now + 1)
            return Noted(Answer(delivery, after_pause(delivery, failure.reason, until)))
        self.health = self.health.failed(now)
        wanted = after_delay(delivery, failure.reason, now, self._policy, wait)
        return Noted(Answer(delivery, wanted))

    def _refused(self, delivery: Delivery, message: Message, failure: PermanentFailure) -> Noted:
        self.health = self.health.succeeded()  # it works: this message is what it does not like
        dead = None
        if failure.address_dead:
            where = (delivery.workspace, delivery.channel, message.address)
            dead = Suppressed(*where, "bounced", self._now())
        return Noted(Answer(delivery, after_refusal(delivery, failure.reason)), dead)

    def _doubt(self, delivery: Delivery, reason: str) -> Noted:
        wanted = after_doubt(delivery, reason, self._now(), self._policy)
        return Noted(Answer(delivery, wanted))
