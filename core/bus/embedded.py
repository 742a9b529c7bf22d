"""The nats-server that comes along: found, configured, started, stopped."""

import asyncio
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import msgspec

from angarium.core.bus import launch
from angarium.core.bus.errors import BusError

OLDEST = (2, 14)
"""The first version with everything that we use; older ones also lose data that was acked."""

START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
MAX_PAYLOAD = 8 * 2**20
HOST = "127.0.0.1"


class ServerMissing(BusError):
    """There is no nats-server of version 2.14 or later."""


class ServerFailed(BusError):
    """nats-server did not start."""


class StoreInUse(ServerFailed):
    """Another nats-server uses this store."""


class EmbeddedServer:
    """A nats-server on the loopback interface, storing under `data_dir/nats`.

    `port` 0: a free one is chosen at `prepare` and kept for the life of this object, so that
    clients find the server again after a restart. Either `start` and `stop` it, or let a
    supervisor run `command()` after `prepare()` as it runs any other child, as often as needed:
    from a thread that lasts, because the server ends when the thread that started it does.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        *,
        binary: Path | None = None,
        max_payload: int = MAX_PAYLOAD,
    ) -> None:
        self._folder = Path(data_dir).absolute() / "nats"
        self._port = port
        self._binary = binary
        self._max_payload = max_payload
        self._process: asyncio.subprocess.Process | None = None
        self._token = ""

    @property
    def url(self) -> str:
        """`nats://<token>@127.0.0.1:<port>`, known after `prepare`. It is a secret."""
        if not self._token:
            raise RuntimeError("call prepare() first")
        return f"nats://{self._token}@{HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs as our own child."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    @property
    def log_path(self) -> Path:
        """Where the server writes its log."""
        return self._folder / "server.log"

    def prepare(self) -> None:
        """Find the server, choose port and token, write the settings file (all private to us).

        Raises ServerMissing. Idempotent.
        """
        self._binary = find_binary(self._binary)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._token = _kept_token(self._folder / "token")
        self._port = self._port or _free_port()
        _write_private(self._folder / "server.conf", self._settings())

    def command(self) -> list[str]:
        """The command that runs the server in the foreground, in the process that it is given.

        It exits with status 75 when another server uses the store.
        """
        self.url  # noqa: B018  raises if prepare() was forgotten
        lock, settings = self._folder / "lock", self._folder / "server.conf"
        launcher = [sys.executable, "-I", "-S", launch.__file__]
        return [*launcher, str(lock), str(self._binary), "-c", str(settings)]

    async def start(self) -> str:
        """Start the server and wait until it answers; returns its URL.

        Raises ServerMissing, StoreInUse or ServerFailed.
        """
        self.prepare()
        self._process = await asyncio.create_subprocess_exec(*self.command())
        ended = asyncio.ensure_future(self._process.wait())
        answers = asyncio.ensure_future(self.wait_ready())
        try:
            await asyncio.wait((ended, answers), return_when="FIRST_COMPLETED")
            if ended.done():
                raise self._failure(ended.result())
            await answers
        except BaseException:
            await self.stop()
            raise
        finally:
            ended.cancel()
            answers.cancel()
        return self.url

    async def wait_ready(self, limit: float = START_SECONDS) -> None:
        """Wait until the server answers on its port; raises ServerFailed after `limit` seconds."""
        try:
            async with asyncio.timeout(limit):
                while not await self._answers():  # noqa: ASYNC110  it is another process
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise ServerFailed(
                f"nats-server does not answer after {limit:g} s; see {self.log_path}"
            ) from None

    async def stop(self, grace: float = STOP_SECONDS) -> None:
        """End the server: kindly, and after `grace` seconds by force."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(grace):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _answers(self) -> bool:
        """Whether a server is on the port, and ours: one that takes our token."""
        try:
            reader, writer = await asyncio.open_connection(HOST, self._port)
        except OSError:
            return False
        try:
            await reader.readline()
            connect = msgspec.json.encode({"verbose": False, "auth_token": self._token})
            writer.write(b"CONNECT " + connect + b"\r\nPING\r\n")
            return (await reader.readline()).startswith(b"PONG")
        except OSError:
            return False
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    def _settings(self) -> str:
        store, log = self._folder / "store", self.log_path
        return (
            "# Written at each start; changes are lost.\n"
            f"server_name: angarium\nhost: {HOST}\nport: {self._port}\n"
            f"authorization {{ token: {_quoted(self._token)} }}\n"
            f"max_payload: {self._max_payload}\n"
            f"log_file: {_quoted(str(log))}\nlogfile_size_limit: 10485760\nlogfile_max_num: 3\n"
            # Without `always` an acked message can be lost in a power cut for two minutes.
            f"jetstream {{ store_dir: {_quoted(str(store))}, sync_interval: always }}\n"
        )

    def _failure(self, status: int) -> ServerFailed:
        if status == launch.STORE_IN_USE:
            return StoreInUse(
                f"another nats-server uses {self._folder}; stop it, or set another data.dir"
            )
        return ServerFailed(f"nats-server ended with status {status}; see {self.log_path}")


def find_binary(explicit: Path | None = None) -> Path:
    """The nats-server to run: the one named, else the one installed with us, else on the PATH.

    Raises ServerMissing if there is none, or if it is older than 2.14.
    """
    scripts = Path(sysconfig.get_path("scripts")) / "nats-server"
    on_path = shutil.which("nats-server")
    candidates = [explicit] if explicit else [scripts, Path(on_path) if on_path else None]
    for candidate in candidates:
        if candidate is not None and os.access(candidate, os.X_OK):
            _check_version(candidate)
            return candidate
    raise ServerMissing(
        f"no nats-server at {explicit}: correct nats.binary"
        if explicit
        else "no nats-server found: install angarium[embedded], or set nats.url to a running one"
    )


def _check_version(binary: Path) -> None:
    answer = subprocess.run(
        [str(binary), "--version"], capture_output=True, text=True, timeout=10, check=False
    ).stdout
    found = re.search(r"v(\d+)\.(\d+)", answer)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        raise ServerMissing(
            f"{binary} is {answer.strip() or 'no nats-server'}; 2.14 or later is needed: "
            "install angarium[embedded], or name another in nats.binary"
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _kept_token(path: Path) -> str:
    kept = path.read_text().strip() if path.exists() else ""
    if kept:
        return kept
    token = secrets.token_hex(24)
    _write_private(path, token)
    return token


def _write_private(path: Path, text: str) -> None:
    """Write a file that only we may read, at once or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)  # else a power cut may leave the new name on an empty file
    new.replace(path)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
