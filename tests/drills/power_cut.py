"""G3, the power cut: everything stops at once and forgets what no disk had, under load.

    sudo python -m tests.drills.power_cut --cuts 100 --events 100000

Broker and database are on one disk (disk.py); senders and the mail catcher are the outside world,
and remember. Before every other cut the core is away for a while, so that accepted events stand on
the broker's disk alone. Prints one line of JSON; exits with 1 when a promise was broken.
"""

import argparse
import asyncio
import random
import signal
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from angarium.core.store.open import open_store
from tests.drills.crash_loop import free_port
from tests.drills.disk import Disk
from tests.drills.judge import Verdict, count_handed, judge, say, tell, until_quiet
from tests.drills.load import Load
from tests.drills.plant import PARTS, Plant, mail_catcher

Say = Callable[[str], None]

SYNCED = "sync_interval: always"
STREAM_BYTES = 128 * 2**20
"""What the streams may take of the disk."""
LOST_SECONDS = 20
"""How long to wait for what is expected never to come."""


class Site:
    """A machine that loses its power and starts again, always with the same disk."""

    def __init__(self, folder: Path, smtp_port: int, *, synced: bool) -> None:
        self.disk = Disk(folder / "data")
        self.database_url = f"sqlite:///{folder}/data/angarium.db"
        self.port = free_port()
        self.in_flight = 0
        self._folder = folder
        self._smtp_port = smtp_port
        self.is_synced = synced
        self._plant: Plant | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def boot(self) -> None:
        """Start everything on what the disk holds."""
        self._plant = Plant(self._folder, self.database_url, self._smtp_port, self.port)
        self._plant.environ["ANGARIUM_NATS_MAX_BYTES"] = str(STREAM_BYTES)
        if not self.is_synced:
            plant_weakness(self._folder / "data" / "nats" / "server.conf")
        await self._plant.start_all()

    async def lose_core(self) -> None:
        assert self._plant is not None
        await self._plant.kill("core")

    async def lose_power(self) -> None:
        """Cut, and boot again. Nobody in this process may have the database open."""
        assert self._plant is not None
        for process in self._plant.processes.values():
            if process.returncode is None:
                process.send_signal(signal.SIGSTOP)
        self.disk.cut()
        for name in PARTS:
            await self._plant.kill(name)
        await self._plant.stop()
        await asyncio.to_thread(self.disk.come_back)
        self.in_flight += await self._count_handed()
        await self.boot()

    async def _count_handed(self) -> int:
        store = await open_store(self.database_url)
        try:
            return await count_handed(store)
        finally:
            await store.close()

    async def close(self) -> None:
        if self._plant is not None:
            await self._plant.stop()
        await asyncio.to_thread(self.disk.remove)


def plant_weakness(settings: Path) -> None:
    """Let the broker acknowledge before it syncs, as it does by default."""
    text = settings.read_text()
    assert SYNCED in text, "the shipped settings sync always; what became of that?"
    settings.write_text(text.replace(f", {SYNCED}", ""))


async def power_cut(
    folder: Path,
    *,
    cuts: int,
    events: int,
    people: int = 300,
    seed: int = 1,
    synced: bool = True,
    say: Say = lambda line: None,
) -> Verdict:
    """Run the whole drill in `folder`, a share of the events around each cut.

    `synced` False: with the weakness that the drill must show.
    """
    dice = random.Random(seed)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(mail_catcher(folder))
        site = Site(folder, port, synced=synced)
        stack.push_async_callback(site.close)
        await asyncio.to_thread(site.disk.make)
        await site.boot()
        load = Load(site.url, people, 0, seed)
        await load.define()
        await load.introduce()
        for number in range(cuts):
            load.events += events // cuts
            sending = asyncio.create_task(load.send())
            await asyncio.sleep(dice.uniform(0.1, 2))
            if number % 2 == 0:
                await site.lose_core()
                await asyncio.sleep(dice.uniform(0.1, 2))
            await site.lose_power()
            await sending
            say(f"{number + 1}/{cuts} cuts; {load.acked} messages acked")
        return await _judge(site, folder, load)


async def _judge(site: Site, folder: Path, load: Load) -> Verdict:
    store = await open_store(site.database_url)
    try:
        limit = None if site.is_synced else LOST_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await until_quiet(store, load)
        return await judge(store, folder, load, site.in_flight)
    finally:
        await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--late-sync", action="store_true", help="with the broker's default, which loses events"
    )
    given = parser.parse_args()

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        numbers = {"cuts": given.cuts, "events": given.events, "seed": given.seed}
        verdict = asyncio.run(power_cut(folder, synced=not given.late_sync, say=say, **numbers))
        tell(verdict, folder)


if __name__ == "__main__":
    main()
