"""The product's own processes, started as an operator starts them, in folders of their own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from angarium.core.bus.bus import Bus
from angarium.core.bus.embedded import EmbeddedServer
from angarium.core.store.open import open_store, sqlite_url
from angarium.core.store.protocol import Store
from angarium.gateway.supervisor.connection import Connection, read_connection

ROOT = Path(__file__).resolve().parent.parent
ADMIN_KEY = "bench-admin-key-0123456789"
WRITE_KEY = "bench-write-key-0123456789"
READY_SECONDS = 60.0
STREAM_BYTES = 8 * 2**30
POLL_SECONDS = 0.02


class BenchFailed(Exception):
    """A process did not do what it should; its log says why."""


class Plant(msgspec.Struct, frozen=True):
    """A broker and a database, with streams and schema in place."""

    folder: Path
    nats: str
    nats_pid: int
    database: str
    bus: Bus
    store: Store

    @property
    def environ(self) -> dict[str, str]:
        """Settings by which a process of ours joins in."""
        return {
            "ANGARIUM_DATA_DIR": str(self.folder / "data"),
            "ANGARIUM_NATS_URL": self.nats,
            "ANGARIUM_NATS_MAX_BYTES": str(STREAM_BYTES),
            "ANGARIUM_DATABASE_URL": self.database,
        }


@asynccontextmanager
async def plant(folder: Path, database: str = "") -> AsyncGenerator[Plant]:
    """Start a broker of its own in `folder`; the database is SQLite there, unless one is named."""
    folder.mkdir(parents=True, exist_ok=True)
    server = EmbeddedServer(folder / "broker")
    url = await server.start()
    try:
        bus = await Bus.connect(url, name="bench")
        await bus.ensure_streams(partitions=1, max_bytes=STREAM_BYTES)
        database = database or sqlite_url(folder / "angarium.db")
        store = await open_store(database)
        try:
            await store.migrate()
            yield Plant(folder, url, server.pid or 0, database, bus, store)
        finally:
            await store.close()
            await bus.close()
    finally:
        await server.stop()


@asynccontextmanager
async def running(
    name: str, command: list[str], folder: Path, environ: Mapping[str, str] | None = None
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a process beside us; end it in order afterwards. Its log is `<name>.log`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *command),
            env={**_installed(), "ANGARIUM_LOG_LEVEL": "warning", **(environ or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            cwd=folder,
            limit=2**24,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


def _installed() -> dict[str, str]:
    """Our environment, but that byte code is kept, as it is wherever the wheel is installed."""
    return {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def angarium(*words: str) -> list[str]:
    """The arguments that have Python run a command of ours."""
    return ["-P", "-m", "angarium.gateway.cli", *words]


def ours(module: str, *words: str) -> list[str]:
    """The arguments that have Python run a script of this folder."""
    return [str(ROOT / "benchmarks" / f"{module}.py"), *words]


@asynccontextmanager
async def instance(folder: Path, environ: Mapping[str, str]) -> AsyncGenerator[Connection]:
    """A whole `angarium up` in `folder`, ready."""
    settings = {
        "ANGARIUM_DATA_DIR": str(folder / "data"),
        "ANGARIUM_NATS_MAX_BYTES": str(STREAM_BYTES),
        "ANGARIUM_HTTP_PORT": "0",
        "ANGARIUM_ADMIN_KEY": ADMIN_KEY,
        "ANGARIUM_WRITE_KEY": WRITE_KEY,
        **environ,
    }
    async with running("up", angarium("up"), folder, settings) as up:
        yield await until_up(folder, up)


async def until_up(folder: Path, up: asyncio.subprocess.Process) -> Connection:
    """Wait until `angarium up` has written connection.json: it does so when all is ready."""
    async with asyncio.timeout(READY_SECONDS):
        while (found := read_connection(folder / "data")) is None:
            if up.returncode is not None:
                raise BenchFailed((folder / "up.log").read_text())
            await asyncio.sleep(POLL_SECONDS)
        return found


async def ask_for(process: asyncio.subprocess.Process, job: Mapping[str, object]) -> object:
    """Give a script of ours its job, one line of JSON; wait for its answer, another line."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(job).encode() + b"\n")
    await process.stdin.drain()
    line = await process.stdout.readline()
    if not line:
        raise BenchFailed(f"a script of the benchmarks ended: {process.returncode}")
    return json.loads(line)


def free_port() -> int:
    """A port that nobody listens on now."""
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
