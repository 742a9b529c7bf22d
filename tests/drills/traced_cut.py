"""G3 without root: the broker and the store run traced, and any instant may be the power cut.

    python -m tests.drills.traced_cut --cuts 100

See traced_disk.py for what such a cut leaves. Needs Linux and strace. Prints one line of JSON;
exits with 1 when something acknowledged was lost, or anything came twice.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from angarium.core.bus.bus import Bus
from angarium.core.bus.embedded import EmbeddedServer
from angarium.core.bus.errors import BusError
from angarium.core.bus.subjects import EVENTS, NOBODY, events_subject
from angarium.core.store.open import open_store, sqlite_url
from angarium.core.store.suppressions import list_suppressions
from tests.drills.power_cut import plant_weakness
from tests.drills.traced_disk import TracedDisk, read_calls, tracing

SENDERS = 8
LOAD_SECONDS = 4.0
STREAM_BYTES = 64 * 2**20
MOST_ROWS = 100_000


class CannotTrace(RuntimeError):
    """There is no strace, or it may not trace."""


@dataclass
class Verdict:
    """Over all cuts: what was acknowledged before them, and of that lost; what was there twice."""

    cuts: int
    acked: int
    lost: int
    doubled: int

    def add(self, acked: Mapping[str, float], found: Sequence[str], cut: float) -> None:
        """One more cut: what was found after it, against what was told to be safe before it."""
        counted = Counter(found)
        safe = [name for name, at in acked.items() if at <= cut]
        self.cuts += 1
        self.acked += len(safe)
        self.lost += sum(1 for name in safe if name not in counted)
        self.doubled += sum(count - 1 for count in counted.values())


async def cut_broker(folder: Path, *, cuts: int, seed: int = 1, synced: bool = True) -> Verdict:
    """Publish for a while to a traced broker; then see what each of `cuts` instants leaves."""
    server = EmbeddedServer(folder / "data")
    server.prepare()
    if not synced:
        plant_weakness(folder / "data" / "nats" / "server.conf")
    async with _traced(folder / "calls", server.command()):
        await server.wait_ready()
        began = time.time()
        acked = await _publish(server.url)
    disk = TracedDisk(folder / "data" / "nats" / "store")
    calls = await asyncio.to_thread(read_calls, folder / "calls")
    verdict = Verdict(0, 0, 0, 0)
    for cut in disk.states(calls, _instants(cuts, seed, began, max(acked.values()))):
        disk.save(folder / "left" / "nats" / "store")
        verdict.add(acked, await _stored(folder / "left"), cut)
    return verdict


async def cut_store(folder: Path, *, cuts: int, seed: int = 1) -> Verdict:
    """The same with transactions on SQLite, one after the other (committer.py)."""
    path = folder / "data" / "angarium.db"
    path.parent.mkdir()
    command = [sys.executable, "-m", "tests.drills.committer", str(path), str(LOAD_SECONDS)]
    async with _traced(folder / "calls", command) as process:
        output, _ = await process.communicate()
    acked = {
        name: float(at) for name, at in (line.split() for line in output.decode().splitlines())
    }
    disk = TracedDisk(path.parent)
    calls = await asyncio.to_thread(read_calls, folder / "calls")
    verdict = Verdict(0, 0, 0, 0)
    for cut in disk.states(calls, _instants(cuts, seed, min(acked.values()), max(acked.values()))):
        disk.save(folder / "left")
        verdict.add(acked, await _committed(folder / "left" / "angarium.db"), cut)
    return verdict


def _instants(cuts: int, seed: int, first: float, last: float) -> list[float]:
    dice = random.Random(seed)
    return [dice.uniform(first, last) for _ in range(cuts)]


@asynccontextmanager
async def _traced(calls: Path, command: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command traced; it ends with the block, if it has not ended before."""
    try:
        process = await asyncio.create_subprocess_exec(
            *tracing(calls), *command, stdout=asyncio.subprocess.PIPE
        )
    except FileNotFoundError as error:
        raise CannotTrace("strace is not installed (Debian: strace)") from error
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _publish(url: str) -> dict[str, float]:
    """Publish until time is up; when each message was acknowledged, by its name."""
    bus = await Bus.connect(url, name="drill")
    await bus.ensure_streams(partitions=1, max_bytes=STREAM_BYTES)
    subject = events_subject("default", NOBODY)
    acked: dict[str, float] = {}
    end = time.time() + LOAD_SECONDS

    async def send(sender: int) -> None:
        number = 0
        while time.time() < end:
            name = f"{sender}-{number}"
            await bus.publish(subject, name.encode() + b" " * 200)
            acked[name] = time.time()
            number += 1

    await asyncio.gather(*(send(sender) for sender in range(SENDERS)))
    await bus.close()
    return acked


async def _stored(data: Path) -> list[str]:
    """The names of all messages that a broker finds on what is left of its disk."""
    server = EmbeddedServer(data)
    await server.start()
    bus = await Bus.connect(server.url, name="drill")
    found: list[str] = []
    try:
        last = (await bus.stream_state(EVENTS)).last_sequence
        async with bus.pull(EVENTS, after=0) as puller:
            while len(found) < last:
                found += [m.body.decode().strip() for m in await puller.get(500)]
    except BusError:  # the stream itself is gone
        pass
    finally:
        await bus.close()
        await server.stop()
    return found


async def _committed(path: Path) -> list[str]:
    if not path.exists():
        return []
    store = await open_store(sqlite_url(path))
    try:
        async with store.reading() as tx:
            rows = await list_suppressions(tx, "default", None, ("", ""), MOST_ROWS)
    finally:
        await store.close()
    return [row.address for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    verdicts: dict[str, Verdict] = {}
    for name, drill in (("broker", cut_broker), ("store", cut_store)):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            verdicts[name] = asyncio.run(drill(Path(folder), cuts=given.cuts, seed=given.seed))
    print(json.dumps({name: asdict(verdict) for name, verdict in verdicts.items()}))
    if any(verdict.lost or verdict.doubled for verdict in verdicts.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
