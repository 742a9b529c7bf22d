"""Who waits gets in before who was in already; a dead process keeps nobody out."""

import asyncio
import fcntl
import os
import time
from pathlib import Path

from angarium.core.store.protocol import Store
from angarium.core.store.turnstile import Turnstile
from tests.databases import path_of
from tests.store.programs import Program, running

ROUNDS = 20


def test_a_busy_writer_cannot_overtake_one_that_waits(tmp_path: Path) -> None:
    database = tmp_path / "some.db"
    with running("take_turns", str(database)) as busy, running("take_turns", str(database)) as shy:
        assert busy.hear() == shy.hear() == "ready"
        _do(busy, "enter")
        for _ in range(ROUNDS):
            shy.tell("enter")
            _await_waiter(database)
            busy.tell("again")  # leaves, and wants in again at the very next moment

            assert shy.hear() == "enter"
            _do(shy, "leave")
            assert busy.hear() == "again"


def test_a_killed_process_lets_the_next_one_in(tmp_path: Path) -> None:
    database = tmp_path / "some.db"
    with (
        running("take_turns", str(database)) as first,
        running("take_turns", str(database)) as second,
    ):
        assert first.hear() == second.hear() == "ready"
        _do(first, "enter")
        second.tell("enter")
        _await_waiter(database)
        first.kill()

        assert second.hear() == "enter"


def test_leaving_twice_does_no_harm(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path / "some.db")
    turnstile.leave()
    turnstile.enter()
    turnstile.leave()
    turnstile.leave()
    turnstile.enter()
    turnstile.close()


async def test_a_small_writer_gets_in_between_two_transactions_of_a_big_one(
    sqlite_things: Store, sqlite_url: str
) -> None:
    """Whatever the big one commits at once before it begins again, the small one is next."""

    async def look() -> int:
        async with sqlite_things.transaction() as tx:
            return max(int(number) for _, number, _, _ in await tx.fetch("list_things"))

    with running("write_in_steps", sqlite_url) as big:
        for turn in range(1, ROUNDS + 1):
            assert big.hear() == str(turn)
            small = asyncio.create_task(look())
            await asyncio.to_thread(_await_waiter, path_of(sqlite_url))
            big.tell()

            assert await small == turn


def _do(program: Program, command: str) -> None:
    program.tell(command)
    assert program.hear() == command


def _await_waiter(database: Path) -> None:
    """Return once somebody holds the turnstile, that is, waits for the right to write."""
    probe = os.open(f"{database}-turn", os.O_RDWR)
    try:
        while True:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(probe, fcntl.LOCK_UN)
            time.sleep(0.002)
    except BlockingIOError:
        return
    finally:
        os.close(probe)
