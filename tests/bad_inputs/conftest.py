"""One real instance for all bad inputs: it has to be alive and no larger at their end (G13)."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.parts.instance import Instance, ago, running_instance
from tests.stories.test_published_uses import identify, person, track

GROWTH_BYTES = 50 * 2**20
PARTS = ("gateway", "core", "deliver")


@pytest.fixture(scope="session")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    async with running_instance(tmp_path_factory.mktemp("bad-inputs")) as running:
        await use(running)
        before = {part: memory_of(running, part) for part in PARTS}
        yield running
        await use(running)
        grown = {part: memory_of(running, part) - size for part, size in before.items()}
        assert all(more < GROWTH_BYTES for more in grown.values()), grown
        assert "child_died" not in (running.folder / "up.log").read_text()


async def use(instance: Instance) -> None:
    """What people do every day still works, and everything that it needs is loaded."""
    event = f"Everyday {ago()}"
    campaign = await instance.campaign("Everyday", {"trigger": {"event": event}})
    user, mail = person("everyday")
    batch = [track(user, "Walked", ago(minutes=1), note="x" * 500) for _ in range(900)]
    await instance.send(identify(user, mail), *batch)
    await instance.send(track(user, event, ago(seconds=1)))
    await instance.until_stats(campaign, accepted=1)
    for path in ("/v1/profiles", "/v1/events", "/v1/deliveries", "/v1/rejects"):
        assert (await instance.ask(path)).keys() == {"data", "next_cursor"}


def memory_of(instance: Instance, part: str) -> int:
    """Bytes of memory that a process holds. Fails where it is gone."""
    pid = instance.connection["pids"][part]
    os.kill(pid, 0)
    status = Path(f"/proc/{pid}/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    found = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)
    return int(found.stdout) * 1024


async def settle(instance: Instance) -> None:
    """Everything sent so far is applied."""
    user, _ = person("settled")
    await instance.send(track(user, "Settled", ago()))
    await instance.until_known(user, "Settled")


async def rejects_of(instance: Instance, message_id: str) -> list[tuple[str, str]]:
    """What of a message was not stored: field and code."""
    await settle(instance)
    async with asyncio.timeout(30):
        listed = (await instance.ask("/v1/rejects", limit=100))["data"]
    return [(row["field"], row["code"]) for row in listed if row["messageId"] == message_id]
