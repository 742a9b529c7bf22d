"""A delivery process of its own, which a crash point kills: store URL, NATS URL, log file.

The log file is the provider's own: one line for each message that it took, written before it
answers. With a fourth argument it ends by itself once so many have been recorded as accepted.
"""

import asyncio
import os
import sys
from pathlib import Path

from angarium.core.bus.bus import Bus
from angarium.core.store.open import open_store
from angarium.plugins import Accepted, Message
from tests.parts.waiting import until
from tests.store.ledgers import states
from tests.workers.offices import Director, Office

LEASE_SECONDS = 0.3


def logging_to(path: Path) -> Director:
    """A provider that takes everything, and knows what it took even if nobody hears of it."""

    async def take(message: Message) -> Accepted:
        with path.open("a") as log:
            log.write(f"{message.key}\n")
            log.flush()
            os.fsync(log.fileno())
        return Accepted(message.key)

    return Director(take)


async def work(store_url: str, nats_url: str, log: Path, accepted: int | None) -> None:
    store = await open_store(store_url)
    bus = await Bus.connect(nats_url, name="dying")
    office = Office(store, bus)
    publishing = asyncio.create_task(office.publisher.run())

    async def done() -> bool:
        return accepted is not None and (await states(store)).get("accepted", 0) >= accepted

    async with office.delivering(
        logging_to(log), worker=f"w{os.getpid()}", concurrency=4, lease_seconds=LEASE_SECONDS
    ):
        await until(done)
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)
    await bus.close()
    await store.close()


if __name__ == "__main__":
    count = int(sys.argv[4]) if len(sys.argv) > 4 else None
    asyncio.run(work(sys.argv[1], sys.argv[2], Path(sys.argv[3]), count))
