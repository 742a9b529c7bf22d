"""A load generator in a process of its own: one line of JSON in, one out, over bare sockets.

Each connection sends one request, waits for its whole answer, and sends the next. Run as a script.
"""

import asyncio
import json
import random
import sys
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import uvloop

LATENCIES_MOST = 1_000_000


def request(path: str, key: str, body: bytes) -> bytes:
    """A POST as SDKs send it."""
    basic = b64encode(f"{key}:".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {basic}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Tally:
    """What all connections did together, from `begins_at` to `ends_at` of the clock."""

    def __init__(self, begins_at: float, ends_at: float) -> None:
        self.begins_at = begins_at
        self.ends_at = ends_at
        self.answers = 0
        self.failures = 0
        self.seconds: list[float] = []

    def note(self, began: float, ended: float, ok: bool) -> None:
        if not self.begins_at <= ended < self.ends_at:
            return
        self.answers += ok
        self.failures += not ok
        if len(self.seconds) < LATENCIES_MOST:
            self.seconds.append(ended - began)

    def summary(self) -> dict[str, float]:
        ordered = sorted(self.seconds) or [float("nan")]
        return {
            "answers": self.answers,
            "failures": self.failures,
            "seconds": self.ends_at - self.begins_at,
            "p50_ms": 1000 * ordered[len(ordered) // 2],
            "p99_ms": 1000 * ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        }


class Client(asyncio.Protocol):
    """One connection. `pace`: seconds between the beginnings of two requests; 0: none."""

    def __init__(self, requests: list[bytes], tally: Tally, pace: float) -> None:
        self._requests = requests
        self._tally = tally
        self._pace = pace
        self._next = random.randrange(len(requests))
        self._answer = bytearray()
        self._began = 0.0
        self._transport: Any = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not _is_whole(self._answer):
            return
        now = time.perf_counter()
        self._tally.note(self._began, now, self._answer.startswith(b"HTTP/1.1 2"))
        self._answer.clear()
        if now >= self._tally.ends_at:
            self._transport.close()
        elif self._pace:
            later = max(0.0, self._began + self._pace - now)
            asyncio.get_running_loop().call_later(later, self._send)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        if self._transport.is_closing():
            return
        self._next = (self._next + 1) % len(self._requests)
        self._began = time.perf_counter()
        self._transport.write(self._requests[self._next])


def _is_whole(answer: bytearray) -> bool:
    head, separator, body = bytes(answer).partition(b"\r\n\r\n")
    if not separator:
        return False
    _, named, rest = head.lower().partition(b"content-length:")
    return len(body) >= (int(rest.split(b"\r\n", 1)[0]) if named else 0)


async def run(job: dict[str, Any]) -> dict[str, float]:
    """Do one job: `port`, `path`, `key`, `bodies` (a file, one body a line), `connections`,
    `warm`, `seconds`, and `rate`, requests a second of all connections together (0: no limit).
    """
    bodies = Path(job["bodies"]).read_bytes().splitlines()
    requests = [request(job["path"], job["key"], body) for body in bodies]
    begins = time.perf_counter() + job["warm"]
    tally = Tally(begins, begins + job["seconds"])
    count = job["connections"]
    pace = count / job["rate"] if job.get("rate") else 0.0
    clients: list[Client] = []
    loop = asyncio.get_running_loop()
    for _ in range(count):
        _, client = await loop.create_connection(
            lambda: Client(requests, tally, pace), "127.0.0.1", job["port"]
        )
        clients.append(client)
        if pace:
            await asyncio.sleep(pace / count)
    await asyncio.wait([client.done for client in clients], timeout=job["seconds"] + 30)
    return tally.summary()


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(uvloop.run(run(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
