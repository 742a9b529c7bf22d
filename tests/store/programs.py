"""Programs that other processes run for these tests: `python -m tests.store.programs <name> …`.

Each prints a line when something has happened and reads a line to be told to go on.
"""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from angarium.core.store.catalogue import QUERIES
from angarium.core.store.errors import StoreUnavailable
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from angarium.core.store.turnstile import Turnstile
from tests.contracts import THINGS

ROOT = Path(__file__).parents[2]


class Program:
    """A running program, seen from the test."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def hear(self) -> str:
        """Wait for its next line; '' when it has ended."""
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def tell(self, text: str = "") -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self._process.kill()
        self._process.wait()


@contextmanager
def running(name: str, *arguments: str) -> Iterator[Program]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.programs", name, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


def say(text: object) -> None:
    print(text, flush=True)


def listen() -> str:
    return sys.stdin.readline().strip()


def opened(url: str) -> "asyncio.Future[Store]":
    return asyncio.ensure_future(open_store(url, queries=(QUERIES, THINGS)))


async def unfinished(url: str) -> None:
    """Stay in the middle of a transaction."""
    store = await opened(url)
    async with store.transaction() as tx:
        await tx.run("add_number", id="unfinished", number=1)
        say("written")
        listen()


async def count(url: str) -> None:
    """Keep two tables in step, as fast as possible; say each number that has been committed."""
    store = await opened(url)
    while True:
        async with store.transaction() as tx:
            [(number,)] = await tx.fetch("raise_number", id="count", by=1)
            await tx.run("save_other", id="count", number=number)
        say(number)


async def migrate(url: str) -> None:
    """Migrate when told to; say the version."""
    store = await open_store(url)
    say("opened")
    listen()
    say(await store.migrate())
    await store.close()


async def write_in_steps(url: str) -> None:
    """Big transactions: at each line commit one and begin the next; say its number."""
    store = await opened(url)
    turn = 0
    while True:
        async with store.transaction() as tx:
            turn += 1
            await tx.many("save_things", [(f"big{n:03}", turn, None, None) for n in range(500)])
            say(turn)
            await asyncio.to_thread(listen)


async def take_turns(database: str) -> None:
    """Enter and leave the turnstile as told; `again` leaves and enters at once."""
    turnstile = Turnstile(Path(database))
    say("ready")
    while command := listen():
        if command in ("leave", "again"):
            turnstile.leave()
        if command in ("enter", "again"):
            turnstile.enter()
        say(command)


async def fill_the_disk(url: str) -> None:
    """Write with no room left for the file to grow, then with room again; say what happened."""
    store = await opened(url)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, limit[1]))
    rows = [(f"{n:06}", n, '{"text": "' + "x" * 200 + '"}', True) for n in range(2000)]
    try:
        async with store.transaction() as tx:
            await tx.many("save_things", rows)
    except StoreUnavailable as error:
        say(f"unavailable {type(error.__cause__).__name__}")
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    async with store.transaction() as tx:
        say(list(await tx.fetch("count_things")))
        await tx.many("save_things", rows)
        say(list(await tx.fetch("count_things")))
    await store.close()


PROGRAMS = {
    program.__name__: program
    for program in (unfinished, count, migrate, write_in_steps, take_turns, fill_the_disk)
}

if __name__ == "__main__":
    asyncio.run(PROGRAMS[sys.argv[1]](*sys.argv[2:]))
