"""The server is killed again and again while messages are published and read."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from angarium.core.bus import subjects
from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import BusUnavailable
from angarium.core.bus.feed import Received
from angarium.core.bus.wire import Outgoing
from tests.parts.nats import NatsServer
from tests.parts.waiting import until

SUBJECT = subjects.events_subject("default", "someone")
SOURCES = 40
KILLS = 8
BETWEEN = 50
"""Messages that are acked between two kills."""

Connect = Callable[[], Awaitable[Bus]]


class Load:
    """What goes on while the server is killed: who publishes, what was acked, what was read."""

    def __init__(self) -> None:
        self.acked: list[bytes] = []
        self.found: list[Received] = []
        self.over = False

    async def publish(self, bus: Bus, source: int) -> None:
        chance = random.Random(source)
        number = 0
        while not self.over:
            bodies = [b"%d.%d" % (source, number + n) for n in range(chance.choice((1, 1, 3)))]
            await publish_until_acked(bus, [Outgoing(SUBJECT, b, b.decode()) for b in bodies])
            self.acked += bodies
            number += len(bodies)

    async def read(self, bus: Bus) -> None:
        async with bus.pull(subjects.EVENTS, after=0, batch=20) as puller:
            while True:
                self.found += await puller.get(7)

    async def kill(self, server: NatsServer) -> None:
        for kill in range(1, KILLS + 1):
            await self.reached(kill * BETWEEN)
            await server.restart()
        self.over = True

    async def reached(self, count: int) -> None:
        async def enough() -> bool:
            return len(self.acked) >= count

        await until(enough)

    async def all_read(self, last: int) -> None:
        async def enough() -> bool:
            return bool(self.found) and self.found[-1].sequence >= last

        await until(enough)


async def publish_until_acked(bus: Bus, messages: list[Outgoing]) -> None:
    while True:
        try:
            return await bus.publish_all(messages)
        except BusUnavailable:
            await asyncio.sleep(0.01)


async def test_no_acked_message_is_lost_and_order_holds_while_the_server_is_killed(
    bus: Bus, connect: Connect, nats_server: NatsServer
) -> None:
    load = Load()
    reading = asyncio.create_task(load.read(await connect()))

    await asyncio.gather(
        load.kill(nats_server), *(load.publish(bus, source) for source in range(SOURCES))
    )
    last = (await bus.stream_state(subjects.EVENTS)).last_sequence
    await load.all_read(last)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    assert [message.sequence for message in load.found] == list(range(1, last + 1))
    assert Counter(message.body for message in load.found) == Counter(load.acked)
