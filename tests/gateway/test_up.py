"""`angarium up` as an operator knows it: one command, real processes."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from angarium.gateway.supervisor.connection import Connection, read_connection
from angarium.gateway.supervisor.ready import is_ready, wait_ready

PARTS = {"gateway", "core", "deliver", "nats"}
SECONDS = 60.0


class Running:
    """A started `angarium up`; what it said goes to a file."""

    def __init__(self, process: asyncio.subprocess.Process, data: Path, said: Path) -> None:
        self.process = process
        self.data = data
        self._said = said

    @property
    def said(self) -> str:
        return self._said.read_text()

    async def until(self, true: Callable[[Connection], bool]) -> Connection:
        """Wait until connection.json is there and as it should be."""
        async with asyncio.timeout(SECONDS):
            while True:
                connection = read_connection(self.data)
                if connection is not None and true(connection):
                    return connection
                assert self.process.returncode is None, self.said
                await asyncio.sleep(0.02)

    async def ready(self) -> Connection:
        return await self.until(lambda connection: connection.pids.keys() == PARTS)

    async def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(SECONDS):
            return await self.process.wait()


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Running]:
    said = folder / f"said-{uuid4().hex}"
    ours = {"ANGARIUM_DATA_DIR": str(folder / "data"), "ANGARIUM_HTTP_PORT": "0"}
    with said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "angarium.gateway.cli", "up"),
            env={**os.environ, **ours},
            stdout=output,
            stderr=output,
        )
    running = Running(process, folder / "data", said)
    try:
        yield running
    finally:
        if process.returncode is None:
            await running.end()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def answers(connection: Connection) -> bool:
    where = urlsplit(connection.http)
    return await is_ready(str(where.hostname), where.port or 0)


async def test_the_keys_are_shown_once_and_the_end_is_clean(tmp_path: Path) -> None:
    key = re.compile(r"New (?:admin|write) key, shown only now: ang_[aw]k_\w+")
    async with started(tmp_path) as first:
        connection = await first.ready()
        assert await answers(connection)
        assert (first.data / "connection.json").stat().st_mode & 0o777 == 0o600
        assert len(key.findall(first.said)) == 2
        assert f"Angarium is ready: {connection.http}" in first.said
        assert await first.end() == 0
        assert not (first.data / "connection.json").exists()
        assert not any(is_alive(pid) for pid in connection.pids.values())

    async with started(tmp_path) as second:
        await second.ready()
        assert key.findall(second.said) == []
        assert await second.end(signal.SIGINT) == 0


async def test_whatever_is_killed_runs_again(tmp_path: Path) -> None:
    async with started(tmp_path) as running:
        before = await running.ready()

        for pid in before.pids.values():
            os.kill(pid, signal.SIGKILL)

        after = await running.until(
            lambda now: (
                now.pids.keys() == PARTS and not set(now.pids.values()) & set(before.pids.values())
            )
        )
        assert (after.http, after.nats) == (before.http, before.nats)
        async with asyncio.timeout(SECONDS):
            await wait_ready(str(urlsplit(after.http).hostname), urlsplit(after.http).port or 0)
        assert running.said.count('"event":"child_died"') >= len(PARTS)


async def test_a_killed_supervisor_takes_all_along_and_the_next_one_carries_on(
    tmp_path: Path,
) -> None:
    async with started(tmp_path) as running:
        before = await running.ready()
        await running.end(signal.SIGKILL)

        async with started(tmp_path) as again:
            after = await again.until(lambda now: now.pids != before.pids)

            async with asyncio.timeout(SECONDS):  # they let the lock go before they are gone
                while any(is_alive(pid) for pid in before.pids.values()):
                    await asyncio.sleep(0.01)
            assert await answers(after)


async def test_a_part_that_cannot_start_ends_the_start_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/angarium.db").write_bytes(b"this is no database" * 100)

    async with started(tmp_path) as running:
        async with asyncio.timeout(SECONDS):
            assert await running.process.wait() == 1

        assert re.search("^Error: ", running.said, re.MULTILINE)
        assert not (running.data / "connection.json").exists()
