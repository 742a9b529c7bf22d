"""The loop that serves one channel: claim, judge, commit `handed`, send, and again."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import structlog

from angarium.core.bus.bus import Bus
from angarium.core.bus.subjects import deliver_subject
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.errors import Contention, StoreUnavailable
from angarium.core.workers.crash import crash_point
from angarium.core.workers.desk import Desk
from angarium.core.workers.facts import Outlet
from angarium.core.workers.senders import Senders
from angarium.plugins import Channel

log: Any = structlog.get_logger()

POLL_SECONDS = 0.5
LINGER_SECONDS = 0.01
"""How long to wait for half the places to become free, rather than claim one by one."""
PAUSE_SECONDS = 0.5


class ChannelLoop:
    """Delivers on one channel; without any sender all of its deliveries are held."""

    def __init__(
        self,
        bus: Bus,
        desk: Desk,
        channel: Channel,
        senders: Senders,
        batch: int,
        stop: asyncio.Event,
    ) -> None:
        """`batch`: most deliveries claimed at once."""
        self._bus = bus
        self._desk = desk
        self._channel = channel
        self._senders = senders
        self._outlet = Outlet(channel, senders.ask_platform)
        self._batch = batch
        self._stop = stop
        self._stirred = asyncio.Event()
        self._unsent: list[Delivery] = []
        self._unsure = False

    async def run(self) -> None:
        """Until `stop` is set and the round at hand has ended."""
        stirring = [
            asyncio.create_task(self._hear_wake_ups()),
            asyncio.create_task(self._hear_stop()),
        ]
        try:
            while not self._stop.is_set():
                if not await self._work():
                    await self._wait()
        finally:
            for task in stirring:
                task.cancel()
            await asyncio.gather(*stirring, return_exceptions=True)

    async def _work(self) -> bool:
        """One round; False: there is nothing to do for now."""
        # First of all: were it kept while nobody takes anything, waiting for it would be no wait.
        self._stirred.clear()
        if not await self._place() or self._stop.is_set():
            return False
        try:
            if self._unsure:
                await self._desk.give_back(self._channel.name, self._unsent)
                self._unsure, self._unsent = False, []
            return await self._round()
        except (Contention, StoreUnavailable) as error:
            log.warning("delivery_waits", channel=self._channel.name, reason=str(error))
        except Exception:
            log.exception("delivery_failed", channel=self._channel.name)
        # Nobody knows what was committed of the round: it sends nothing, and gives all back.
        self._unsure = True
        await asyncio.sleep(PAUSE_SECONDS)
        return True

    async def _round(self) -> bool:
        """Whether there may be more for another round."""
        name = self._channel.name
        round_, claimed = await self._desk.claim(name, self._senders, self._batch)
        if round_.limit == 0:
            await self._senders.change(round_.board, POLL_SECONDS)
            return True
        if not claimed:
            return False
        crash_point("deliver.claimed")
        ready = await self._desk.judge(claimed, self._outlet, round_.board)
        crash_point("deliver.judged")
        wanted = [one.judged.wanted for one in ready]
        self._unsent = [row for row in wanted if row.state is DeliveryState.HANDED]
        done = await self._desk.hand_over([one.judged for one in ready])
        self._unsent = []
        crash_point("deliver.handed")
        for one in ready:
            if one.message is not None and one.judged.claimed.key in done:
                self._senders.send(one.judged.wanted, one.message, one.others)
        return len(claimed) == round_.limit

    async def _place(self) -> bool:
        """Whether anything could be sent now, or held."""
        return not self._senders or await self._senders.room(LINGER_SECONDS) > 0

    async def _wait(self) -> None:
        """For a wake-up or, if all are full, a free place; at most until the next poll."""
        if self._senders.full:
            await self._senders.one_place(POLL_SECONDS)
        else:
            await _within(POLL_SECONDS, self._stirred.wait())

    async def _hear_wake_ups(self) -> None:
        async with self._bus.listen(deliver_subject(self._channel.name)) as wake_ups:
            async for _ in wake_ups:
                self._stirred.set()

    async def _hear_stop(self) -> None:
        await self._stop.wait()
        self._stirred.set()


async def _within(seconds: float, waiting: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        pass
