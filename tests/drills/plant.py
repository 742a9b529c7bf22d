"""The processes of a drill, each killed with SIGKILL and started again as often as it likes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from angarium.core.bus.embedded import EmbeddedServer
from angarium.core.workers.crash import VARIABLE
from tests.parts.instance import ADMIN_KEY, WRITE_KEY

PARTS = ("nats", "gateway", "core", "deliver")
READY_SECONDS = 60


class Plant:
    """nats-server, gateway, core and deliver, as on one machine, without a supervisor.

    modules: mutants to run instead of the real parts, by the part's name.
    """

    def __init__(self, folder: Path, database_url: str, smtp_port: int, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._nats = EmbeddedServer(folder / "data")
        self._nats.prepare()
        self._log = (folder / "parts.log").open("ab")
        self.processes: dict[str, asyncio.subprocess.Process] = {}
        self.modules: dict[str, str] = {}
        self.environ = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "ANGARIUM_DATA_DIR": str(folder / "data"),
            "ANGARIUM_DATABASE_URL": database_url,
            "ANGARIUM_HTTP_PORT": str(port),
            "ANGARIUM_NATS_URL": self._nats.url,
            "ANGARIUM_ADMIN_KEY": ADMIN_KEY,
            "ANGARIUM_WRITE_KEY": WRITE_KEY,
            "ANGARIUM_CORE_LEASE_SECONDS": "1",
            "ANGARIUM_DELIVER_LEASE_SECONDS": "1.5",
            "ANGARIUM_DELIVER_SEND_SECONDS": "10",
            "ANGARIUM_LOG_FORMAT": "json",
            "ANGARIUM_CHANNELS_EMAIL_SMTP_HOST": "127.0.0.1",
            "ANGARIUM_CHANNELS_EMAIL_SMTP_PORT": str(smtp_port),
            "ANGARIUM_CHANNELS_EMAIL_SMTP_FROM": "Shop <shop@example.org>",
        }

    async def start(self, name: str, crash_at: str = "") -> None:
        """Start a part; `crash_at`: the point at which it is to die."""
        if name == "nats":
            command = self._nats.command()
            environ: Mapping[str, str] = os.environ
        else:
            module = self.modules.get(name, "angarium.gateway.cli")
            command = [sys.executable, "-m", module, name]
            environ = self.environ | ({VARIABLE: crash_at} if crash_at else {})
        self.processes[name] = await asyncio.create_subprocess_exec(
            *command, env=environ, stdout=self._log, stderr=self._log, cwd=self.folder
        )

    async def start_all(self) -> None:
        """Start everything and wait until the door answers."""
        for name in PARTS:
            await self.start(name)
        await self.until_ready()

    async def until_ready(self) -> None:
        async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient() as http:
            while not await _is_ready(http, f"{self.url}/health/ready"):
                await asyncio.sleep(0.05)

    async def kill(self, name: str) -> None:
        """SIGKILL; returns when the process is gone."""
        process = self.processes[name]
        if process.returncode is None:
            process.kill()
        await process.wait()

    async def until_dead(self, name: str, seconds: float) -> bool:
        """Whether the part died by itself within this time."""
        try:
            async with asyncio.timeout(seconds):
                await self.processes[name].wait()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End everything in order."""
        for name in ("gateway", "core", "deliver", "nats"):
            process = self.processes.get(name)
            if process is not None and process.returncode is None:
                process.send_signal(signal.SIGTERM)
                if not await self.until_dead(name, 20):
                    await self.kill(name)
        self._log.close()


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == 200
    except httpx.HTTPError:
        return False


@asynccontextmanager
async def mail_catcher(folder: Path) -> AsyncIterator[int]:
    """A mail catcher whose log is written before each answer; gives its port."""
    catcher = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "angarium.gateway.mailcatcher", "--port", "0"),
        *("--log", str(folder / "mail.jsonl"), "--delay", "0.03"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert catcher.stdout is not None
    try:
        line = (await catcher.stdout.readline()).decode()
        yield int(line.rsplit(":", 1)[1])
    finally:
        catcher.terminate()
        await catcher.wait()
