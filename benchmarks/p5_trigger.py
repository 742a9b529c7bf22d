"""P5: from an event's request to the provider's `send`, by a welcome campaign, in a whole instance.

The clock starts before the first byte of the request is written, so accepting is part of it.
"""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from angarium.core.workers.clock import now
from benchmarks.http_load import request
from benchmarks.model import Bar, Bench, Case, Figures, Row, median, spreads
from benchmarks.processes import (
    ADMIN_KEY,
    ROOT,
    WRITE_KEY,
    BenchFailed,
    ask_for,
    instance,
    ours,
    running,
)
from benchmarks.sink import install
from benchmarks.traffic import WELCOME, in_batches, messages

APART_SECONDS = 0.02
EVENTS = 100
WAIT_SECONDS = 30.0
LOADS = (1_000, 2_000, 3_000)
"""Events a second, in batches of 100, besides the welcomes."""
QUICK_LOADS = (1_000,)
BATCH = 100
_encode = msgspec.json.Encoder().encode


async def measure(bench: Bench) -> tuple[list[Row], list[Bar]]:
    rows: list[Row] = []
    async with _shop(bench.folder) as shop:
        await shop.welcome(20)
        rows.append(await _rounds(bench, shop, "idle"))
        for load in QUICK_LOADS if bench.quick else LOADS:
            async with shop.loaded(load, seconds=bench.rounds * 10.0):
                rows.append(await _rounds(bench, shop, f"beside {load:,} events/s"))
    idle, loaded = rows[0], rows[-1]
    bars = [
        Bar("p50 in ms, idle", median(idle, "p50_ms"), 30.0, "at_most"),
        Bar("p99 in ms, idle", median(idle, "p99_ms"), 150.0, "at_most"),
        Bar("p99 in ms, loaded", median(loaded, "p99_ms"), 1_000.0, "at_most"),
    ]
    return rows, bars


async def _rounds(bench: Bench, shop: "Shop", size: str) -> Row:
    found: list[Figures] = []
    for number in range(bench.rounds):
        bench.say(f"{size}, round {number + 1} of {bench.rounds}")
        seconds = sorted(await shop.welcome(EVENTS))
        found.append(
            {
                "p50_ms": 1000 * seconds[len(seconds) // 2],
                "p99_ms": 1000 * seconds[len(seconds) * 99 // 100 - 1],
                "worst_ms": 1000 * seconds[-1],
            }
        )
    return Row(size, spreads(found))


class Shop:
    """A running instance with a welcome campaign and a provider that tells when it is called."""

    def __init__(self, folder: Path, port: int, told: socket.socket) -> None:
        self._folder = folder
        self._port = port
        self._told = told
        self._count = 0

    async def tell(self, path: str, body: Any = None) -> dict[str, Any]:
        """POST as an operator."""
        text = _encode(body) if body is not None else b""
        return msgspec.json.decode(await self._post(path, ADMIN_KEY, text), type=dict[str, Any])

    async def welcome(self, count: int) -> list[float]:
        """Have `count` strangers sign up one after the other; seconds from each to its message."""
        began: dict[str, int] = {}
        hearing = asyncio.create_task(self._hear(count))
        for _ in range(count):
            self._count += 1
            who = f"stranger{self._count}@example.org"
            body = _encode({"batch": _signing_up(self._count, who)})
            began[who] = time.time_ns()
            await self._post("/v1/batch", WRITE_KEY, body)
            await asyncio.sleep(APART_SECONDS)
        called = await hearing
        return [(called[who] - at) / 1e9 for who, at in began.items()]

    async def _hear(self, count: int) -> dict[str, int]:
        loop = asyncio.get_running_loop()
        called: dict[str, int] = {}
        async with asyncio.timeout(WAIT_SECONDS):
            while len(called) < count:
                at, _, who = (await loop.sock_recv(self._told, 500)).decode().partition(" ")
                if who.startswith("stranger"):
                    called.setdefault(who, int(at))
        return called

    async def _post(self, path: str, key: str, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        bearer = f"Authorization: Bearer {key}".encode()
        basic = request(path, key, body)
        head, _, rest = basic.partition(b"Authorization: ")
        writer.write(head + bearer + b"\r\n" + rest.partition(b"\r\n")[2])
        status = await reader.readline()
        length = 0
        while (line := await reader.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        answer = await reader.readexactly(length)
        writer.close()
        if b" 20" not in status:
            raise BenchFailed(f"{path}: {answer.decode()}")
        return answer

    @asynccontextmanager
    async def loaded(self, rate: int, seconds: float) -> AsyncGenerator[None]:
        """Other traffic beside, for as long as this lasts."""
        bodies = self._folder / f"load-{rate}"
        parts = in_batches(list(messages(200 * BATCH, 5_000)), BATCH)
        texts = [_encode({"batch": [msgspec.Raw(one) for one in _unnamed(p)]}) for p in parts]
        bodies.write_bytes(b"\n".join(texts))
        job = {
            "port": self._port, "path": "/v1/batch", "key": WRITE_KEY, "bodies": str(bodies),
            "connections": 4, "warm": 0.0, "seconds": seconds, "rate": rate / BATCH,
        }  # fmt: skip
        async with running("load", ours("http_load"), self._folder) as load:
            asking = asyncio.create_task(ask_for(load, job))
            await asyncio.sleep(1.0)
            yield
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


def _unnamed(batch: Sequence[bytes]) -> list[bytes]:
    """Without message ids, so that the same bodies are new messages each time."""
    return [one.replace(b'"messageId"', b'"wasMessageId"') for one in batch]


def _signing_up(number: int, email: str) -> list[dict[str, Any]]:
    ids = {"userId": f"stranger-{number}-{now()}"}
    return [
        {**ids, "type": "identify", "traits": {"email": email, "firstName": "Sara"}},
        {**ids, "type": "track", "event": "Signed Up", "properties": {"plan": "free"}},
    ]


@asynccontextmanager
async def _shop(folder: Path) -> AsyncGenerator[Shop]:
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as told:
        told.bind(("127.0.0.1", 0))
        told.setblocking(False)
        async with instance(folder, install(folder, ROOT, told.getsockname()[1])) as up:
            shop = Shop(folder, urlsplit(up.http).port or 0, told)
            made = await shop.tell("/v1/campaigns", WELCOME)
            await shop.tell(f"/v1/campaigns/{made['id']}/activate")
            yield shop


CASE = Case("P5", "From an event's request to the provider's send", "", "ms", measure)
