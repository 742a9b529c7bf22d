"""G1, the crash loop: random kill -9 of every process under load, judged from outside.

    python -m tests.drills.crash_loop --kills 200 --events 100000 [--postgres]

Prints one line of JSON; exits with 1 when a promise was broken.
"""

import argparse
import asyncio
import random
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from tests.databases import postgres_server
from tests.drills.judge import Verdict, count_handed, judge, say, tell, until_quiet
from tests.drills.load import Load
from tests.drills.plant import PARTS, Plant, mail_catcher

Say = Callable[[str], None]

SENDING_SECONDS = 10


async def crash_loop(
    folder: Path,
    database_url: str,
    *,
    kills: int,
    events: int,
    people: int = 500,
    seed: int = 1,
    mutants: Mapping[str, str] | None = None,
    victims: Sequence[str] = PARTS,
    say: Say = lambda line: None,
) -> Verdict:
    """Run the whole drill in `folder`. `mutants`: modules to run instead of ours, by part."""
    dice = random.Random(seed)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(mail_catcher(folder))
        plant = Plant(folder, database_url, port, free_port())
        plant.modules.update(mutants or {})
        stack.push_async_callback(plant.stop)
        await plant.start_all()
        store = await open_store(database_url)
        stack.push_async_callback(store.close)
        load = Load(plant.url, people, events, seed)
        await load.define()
        await load.introduce()
        sending = asyncio.create_task(load.send())
        in_flight = 0
        for number in range(kills):
            await asyncio.sleep(dice.uniform(0.3, 2.5))
            victim = victims[number] if number < len(victims) else dice.choice(victims)
            in_flight += await _kill(plant, store, victim)
            say(f"{number + 1}/{kills} killed {victim}; {load.acked}/{events + people} acked")
        await sending
        await until_quiet(store, load)
        return await judge(store, folder, load, in_flight)


async def _kill(plant: Plant, store: Store, victim: str) -> int:
    """Kill and start again; how many sends were in flight."""
    if victim == "deliver":
        await until_sending(store)
    await plant.kill(victim)
    handed = await count_handed(store) if victim == "deliver" else 0
    await plant.start(victim)
    return handed


async def until_sending(store: Store) -> None:
    """Give a worker that was just started the time to have something in flight."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SENDING_SECONDS):
            while not await count_handed(store):
                await asyncio.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL instead of SQLite")
    given = parser.parse_args()

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        numbers = {"kills": given.kills, "events": given.events, "seed": given.seed}
        if given.postgres:
            with postgres_server() as server:
                url = server.url("postgres")
                verdict = asyncio.run(crash_loop(folder, url, say=say, **numbers))
        else:
            (folder / "data").mkdir()
            url = f"sqlite:///{folder}/data/angarium.db"
            verdict = asyncio.run(crash_loop(folder, url, say=say, **numbers))
        tell(verdict, folder)


if __name__ == "__main__":
    main()
