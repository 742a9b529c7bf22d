"""The network call: one message to one provider, and what its outcome means."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import structlog

from angarium.core.delivery.failover import after_delay_of_one, after_pause_of_one
from angarium.core.delivery.pace import Pace, slot
from angarium.core.delivery.pauses import Health
from angarium.core.delivery.promises import (
    after_acceptance,
    after_delay,
    after_doubt,
    after_pause,
    after_refusal,
    clean,
)
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.routes import Route, Standing
from angarium.core.delivery.throughput import Throughput
from angarium.core.events.times import format_instant
from angarium.core.store.attempts import Answer, Suppressed
from angarium.core.workers.clock import Now
from angarium.core.workers.crash import crash_point
from angarium.core.workers.recorder import Noted, Pause
from angarium.plugins import (
    Accepted,
    InDoubt,
    Message,
    PermanentFailure,
    Provider,
    TemporaryFailure,
)

log: Any = structlog.get_logger()

STUCK: Final = 10_000
"""Milliseconds without an answer, all places being taken, after which a provider is passed over."""
SOONEST: Final = 250
LATEST: Final = 60_000
"""Milliseconds for which a message waits for a full provider: as long as that has stood still."""

PATIENCE: Final = 1_000
"""Milliseconds after which one that has waited here goes back: what gates saw grows old."""

Others = Callable[[], Mapping[str, int]]
"""Who else may take a message, by name, and from when on (ms)."""


def nobody_else() -> Mapping[str, int]:
    """Of a message that only one provider may take."""
    return {}


class Handed(NamedTuple):
    """What is to be sent, being committed as handed."""

    delivery: Delivery
    message: Message
    others: Others


class Sender:
    """One provider of this process: its health, the sends in flight, and what waits for a place.

    `send` starts a message on its way; the answer comes to `note`. A provider that hangs holds only
    its own places. One that answers quickly is handed more than its places, for few and large
    transactions cost least; what waits goes back unsent if it gets into trouble.
    """

    def __init__(
        self,
        route: Route,
        provider: Provider,
        note: Callable[[Noted], None],
        now: Now,
        *,
        concurrency: int,
        seconds: float,
        policy: RetryPolicy,
        ahead: int = 0,
    ) -> None:
        """`ahead`: how many messages may wait here at most. seconds: of one send."""
        self.route = route
        self.provider = provider
        self.health = Health()
        self.on_end: Callable[[], None] = lambda: None
        self._note = note
        self._now = now
        self._concurrency = concurrency
        self._seconds = seconds
        self._policy = policy
        self._ahead = ahead
        self._sends: set[asyncio.Task[None]] = set()
        self._waiting: deque[Handed] = deque()
        self._throughput = Throughput()
        self._moved_at = 0

    @property
    def name(self) -> str:
        """Its section's name: "email_smtp"."""
        return self.route.name

    @property
    def sending(self) -> int:
        """How many messages are on their way, or wait here for a place."""
        return len(self._sends) + len(self._waiting)

    @property
    def ready_at(self) -> int:
        """Before this it is given nothing (ms)."""
        return self.health.paused_until

    def half(self, now: int) -> int:
        """Half its places: what it is worth waiting for before claiming again."""
        return max(1, self._places(now) // 2)

    def standing(self, now: int, pace: Pace | None = None) -> Standing:
        """What it may be given now; `pace`: as all processes together have sent."""
        if pace is not None:
            self.health = self.health.told(pace.paused_until)
        free = max(0, self._places(now) - self.sending)
        full = not free and bool(self._sends)
        standing = Standing(
            places=free,
            ready_at=self.ready_at,
            free_at=self._free_at(now) if full else 0,
            yields=bool(self.health.pauses) or (full and now - self._moved_at >= STUCK),
        )
        if pace is not None and self.route.per_second:
            self._restrain(standing, pace, now)
        return standing

    def send(self, delivery: Delivery, message: Message, others: Others = nobody_else) -> None:
        """Start sending what is committed as handed, or have it wait for a place."""
        self._waiting.append(Handed(delivery, message, others))
        self._start()

    def tidy(self, now: int) -> None:
        """Put off what waits here in vain: it may go to another, or be judged again."""
        while self._waiting and self._is_late(self._waiting[0], now):
            self._put_off(self._waiting.popleft(), now)

    async def drain(self, seconds: float) -> None:
        """Let what is on its way end; after that long, cut it off: it is in doubt."""
        try:
            async with asyncio.timeout(seconds):
                while self._sends:
                    await asyncio.wait(self._sends)
        except TimeoutError:
            pass
        now = self._now()
        while self._waiting:
            self._put_off(self._waiting.popleft(), now)
        late = [*self._sends]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _start(self) -> None:
        most = self.health.allowance(self._concurrency, self._now())
        while self._waiting and len(self._sends) < most:
            self._begin(self._waiting.popleft())

    def _begin(self, handed: Handed) -> None:
        task = asyncio.create_task(self._send(*handed))
        self._moved_at = self._now()
        self._sends.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._sends.discard(task)
        self._moved_at = now = self._now()
        if not self.health.failures:
            self._throughput.ended()
        self.tidy(now)
        self._start()
        self.on_end()

    def _places(self, now: int) -> int:
        most = self.health.allowance(self._concurrency, now)
        if most < self._concurrency:
            return most
        return most + min(self._ahead, self._throughput.soon(now))

    def _free_at(self, now: int) -> int:
        """When to ask again while no place is free: the later, the longer it has stood still."""
        return now + min(max(now - self._moved_at, SOONEST), LATEST)

    def _is_late(self, handed: Handed, now: int) -> bool:
        in_trouble = bool(self.health.pauses) or now < self.ready_at
        waited = now - (handed.delivery.handed_at or now)
        return in_trouble or waited >= PATIENCE

    def _put_off(self, handed: Handed, now: int) -> None:
        """It was not sent."""
        paused = self.ready_at > now
        until = self.ready_at if paused else self._free_at(now)
        reason = "provider_paused" if paused else "provider_busy"
        self._note(self._passed_on(handed.delivery, reason, now, until, handed.others()))

    def _restrain(self, standing: Standing, pace: Pace, now: int) -> None:
        per_second = self.route.per_second
        room = pace.room(per_second, now)
        if room < standing.places:
            standing.places = room
            standing.free_at = max(standing.free_at, pace.free_at(room, per_second, now))
        standing.apart = -(-slot(per_second) // 1000)

    async def _send(self, delivery: Delivery, message: Message, others: Others) -> None:
        try:
            noted = await self._outcome(delivery, message, others)
        except asyncio.CancelledError:
            self._note(self._doubt(delivery, "cut_off"))
            raise
        except Exception as error:
            kind = type(error).__name__
            log.error("outcome_unreadable", provider=self.name, delivery=delivery.id, error=kind)
            noted = self._doubt(delivery, f"{self.name}: an outcome that cannot be read")
        crash_point("deliver.sent")
        self._note(noted)

    async def _outcome(self, delivery: Delivery, message: Message, others: Others) -> Noted:
        try:
            async with asyncio.timeout(self._seconds):
                accepted: Any = await self.provider.send(message)
        except Exception as error:
            return self._failed(delivery, message, error, others)
        if not isinstance(accepted, Accepted):
            log.error("provider_answer_invalid", provider=self.name, delivery=delivery.id)
            return self._doubt(delivery, f"{self.name}: did not answer with Accepted")
        self.health = self.health.succeeded()
        wanted = after_acceptance(delivery, str(accepted.provider_id), self._now())
        return Noted(Answer(delivery, wanted))

    def _failed(
        self, delivery: Delivery, message: Message, error: Exception, others: Others
    ) -> Noted:
        match error:
            case TemporaryFailure():
                return self._delayed(delivery, error, others())
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
        self._worsen(self.health.failed(self._now()), reason)
        return self._doubt(delivery, reason)

    def _delayed(
        self, delivery: Delivery, failure: TemporaryFailure, others: Mapping[str, int]
    ) -> Noted:
        now = self._now()
        wait = None if failure.retry_after is None else int(failure.retry_after * 1000)
        if failure.pause:
            return self._paused(delivery, failure.reason, now, wait, others)
        self._worsen(self.health.failed(now), failure.reason)
        if others:
            wanted = after_delay_of_one(delivery, failure.reason, now, self._policy, wait, others)
        else:
            wanted = after_delay(delivery, failure.reason, now, self._policy, wait)
        return Noted(Answer(delivery, wanted))

    def _paused(
        self,
        delivery: Delivery,
        reason: str,
        now: int,
        wait: int | None,
        others: Mapping[str, int],
    ) -> Noted:
        self._worsen(self.health.asked_to_pause(now, wait), reason)
        until = max(self.health.paused_until, now + 1)
        asked = None if wait is None else Pause(self.name, until)
        return self._passed_on(delivery, reason, now, until, others, asked)

    def _passed_on(
        self,
        delivery: Delivery,
        reason: str,
        now: int,
        until: int,
        others: Mapping[str, int],
        asked: Pause | None = None,
    ) -> Noted:
        if others:
            wanted = after_pause_of_one(delivery, reason, now, until, others)
        else:
            wanted = after_pause(delivery, reason, until)
        return Noted(Answer(delivery, wanted), pause=asked)

    def _worsen(self, health: Health, reason: str) -> None:
        """Of each pause the operator is told once: with others in its place, nothing is held."""
        if health.pauses > self.health.pauses:
            until = format_instant(health.paused_until)
            log.warning("provider_paused", provider=self.name, until=until, reason=clean(reason))
        self.health = health

    def _refused(self, delivery: Delivery, message: Message, failure: PermanentFailure) -> Noted:
        self.health = self.health.succeeded()  # it works: this message is what it does not like
        dead = None
        if failure.address_dead:
            where = (delivery.workspace, delivery.channel, message.address)
            since = min(failure.dead_since or self._now(), self._now())
            dead = Suppressed(*where, "bounced", since, clean(failure.reason))
        return Noted(Answer(delivery, after_refusal(delivery, failure.reason)), dead)

    def _doubt(self, delivery: Delivery, reason: str) -> Noted:
        wanted = after_doubt(delivery, reason, self._now(), self._policy)
        return Noted(Answer(delivery, wanted))
