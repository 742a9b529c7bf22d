"""The gateway as a process of its own: it starts with every part, and stops in order."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from angarium.core.bus.bus import Bus
from angarium.core.bus.embedded import EmbeddedServer
from angarium.core.bus.subjects import EVENTS
from angarium.gateway.serve import listen
from tests.gateway.test_http_guard import Line

ADMIN, WRITE = "admin-key-of-the-test", "write-key-of-the-test"
TRACK = b'{"event":"A","userId":"u1"}'
LIVE = "/v1/deliveries/stats/live"
KEY = b"X-Write-Key: " + WRITE.encode()


class Gateway:
    """A running `angarium gateway`."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.address = ("127.0.0.1", port)
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False
        )

    async def until_ready(self) -> None:
        for _ in range(600):
            try:
                if (await self.client.get("/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                assert self.process.returncode is None, "it ended"
            await asyncio.sleep(0.05)
        pytest.fail("the gateway did not become ready")


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    server = EmbeddedServer(tmp_path / "broker")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def gateway(tmp_path: Path, broker: EmbeddedServer) -> AsyncIterator[Gateway]:
    with listen("127.0.0.1", 0) as probe:
        port: int = probe.getsockname()[1]
    environ = {
        **os.environ,
        "ANGARIUM_HTTP_PORT": str(port),
        "ANGARIUM_HTTP_DRAIN_SECONDS": "600",
        "ANGARIUM_DATA_DIR": str(tmp_path),
        "ANGARIUM_NATS_URL": broker.url,
        "ANGARIUM_ADMIN_KEY": ADMIN,
        "ANGARIUM_WRITE_KEY": WRITE,
    }
    command = (sys.executable, "-P", "-m", "angarium.gateway.cli", "gateway")
    process = await asyncio.create_subprocess_exec(*command, env=environ, cwd=tmp_path)
    gateway = Gateway(process, port)
    await gateway.until_ready()
    yield gateway
    await gateway.client.aclose()
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_a_new_instance_serves_with_the_keys_of_its_settings(
    gateway: Gateway, broker: EmbeddedServer
) -> None:
    taken = await gateway.client.post("/v1/track", content=TRACK, auth=(WRITE, ""))
    keys = await gateway.client.get("/v1/keys", headers={"Authorization": f"Bearer {ADMIN}"})

    assert (taken.status_code, keys.status_code) == (200, 200)
    assert {key["kind"] for key in keys.json()["data"]} == {"admin", "write"}
    assert ADMIN not in keys.text
    bus = await Bus.connect(broker.url, name="test")
    assert (await bus.stream_state(EVENTS)).last_sequence == 1
    await bus.close()


async def test_every_route_of_the_api_is_served(gateway: Gateway) -> None:
    paths = (await gateway.client.get("/schema")).json()["paths"]

    assert {"/v1/profiles", "/v1/campaigns", "/v1/deliveries", "/v1/track"} <= set(paths)
    assert (await gateway.client.get("/v1/profiles")).status_code == 401
    assert (await gateway.client.get("/c/wrong")).status_code == 404


async def test_when_told_to_stop_it_finishes_what_has_begun(
    gateway: Gateway, broker: EmbeddedServer
) -> None:
    line = await Line.open(gateway.address)
    line.send(
        b"POST /v1/track HTTP/1.1",
        b"Host: x",
        KEY,
        b"Content-Length: %d" % len(TRACK),
        body=TRACK[:9],
    )
    await line.writer.drain()
    await gateway.client.get("/health/live")

    gateway.process.send_signal(signal.SIGTERM)
    await _until_refused(gateway.address)
    line.writer.write(TRACK[9:])

    status, headers, _ = await line.answer()
    await line.aclose()
    assert (status, headers["connection"]) == (200, "close")
    assert await gateway.process.wait() == 0
    bus = await Bus.connect(broker.url, name="test")
    assert (await bus.stream_state(EVENTS)).last_sequence == 1
    await bus.close()


async def test_open_streams_do_not_keep_it_from_stopping(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    async with gateway.client.stream("GET", LIVE, headers=headers) as response:
        lines = response.aiter_lines()
        async for line in lines:
            if line.startswith("data: "):
                break

        gateway.process.send_signal(signal.SIGTERM)

        assert [line async for line in lines if line.startswith("data: ")] == []
    assert await gateway.process.wait() == 0


async def test_told_twice_it_stops_at_once(gateway: Gateway) -> None:
    line = await Line.open(gateway.address)
    line.send(b"POST /v1/track HTTP/1.1", b"Host: x", KEY, b"Content-Length: 99", body=TRACK[:9])
    await line.writer.drain()
    await gateway.client.get("/health/live")

    gateway.process.send_signal(signal.SIGTERM)
    await _until_refused(gateway.address)
    gateway.process.send_signal(signal.SIGTERM)

    assert await gateway.process.wait() == 0
    await line.aclose()


async def _until_refused(address: tuple[str, int]) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection(*address)
        except ConnectionRefusedError:
            return
        writer.close()
        await asyncio.sleep(0.02)
    pytest.fail("it still takes connections")


def test_a_taken_port_is_an_error_at_the_start() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", taken.getsockname()[1])
