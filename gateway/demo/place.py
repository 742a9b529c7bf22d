"""An instance of the demo's own: its folder, its settings, its mail server, and all that runs.

What runs is what `angarium up` runs. Nothing of it outlives the demo.
"""

import asyncio
import os
import shutil
import tomllib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from angarium.config.environment import PREFIX
from angarium.config.load import load_settings
from angarium.config.settings import Settings
from angarium.core.store.keys import make_key
from angarium.core.workers.clock import now
from angarium.gateway.demo.client import DemoFailed
from angarium.gateway.logs import configure_logs
from angarium.gateway.mailcatcher import MailCatcher
from angarium.gateway.supervisor.connection import remove_connection
from angarium.gateway.supervisor.lock import FILE as LOCK
from angarium.gateway.supervisor.lock import DirectoryLock
from angarium.gateway.supervisor.parts import PortTaken, claim_port
from angarium.gateway.supervisor.ready import wait_ready
from angarium.gateway.supervisor.signals import Signals
from angarium.gateway.supervisor.up import Instance

HOST: Final = "127.0.0.1"
USUAL_PORT: Final = 8080
SETTINGS_FILE: Final = "angarium.toml"
MAIL_LOG: Final = "mail.jsonl"
SENDER: Final = "فروشگاه انار <shop@example.com>"

MARK: Final = ".gitignore"
MARK_TEXT: Final = "# What `angarium demo` made: it empties this folder at its next start.\n*\n"

SETTINGS: Final = """\
# Written by `angarium demo` at each start; `angarium demo --keep` goes on with what is here.
[http]
host = {host}
port = {port}

[data]
dir = {folder}

[keys]
admin = {admin}
write = {write}

[log]
level = "warning"

[channels.email_smtp]
host = {host}
port = {smtp_port}
from = {sender}
"""


class Keys(msgspec.Struct, frozen=True):
    """Of the demo's instance."""

    admin: str
    write: str


class Place(msgspec.Struct, frozen=True):
    """Where a running instance of the demo is reached, and what it keeps where."""

    url: str
    keys: Keys
    folder: Path

    @property
    def mail_log(self) -> Path:
        return self.folder / MAIL_LOG


@asynccontextmanager
async def own_place(
    folder: Path, port: int | None, *, keep: bool, stop: asyncio.Event
) -> AsyncGenerator[Place, None]:
    """Run an instance in `folder` while entered; sets `stop` at Ctrl-C, or when the instance ends.

    port: None is 8080, or a free one where 8080 is taken. keep: go on with what the folder holds;
    else it is emptied, if it was a demo's. Raises DemoFailed, DirectoryInUse, StartFailed,
    StoreError, BusError, OSError.
    """
    _check(folder)
    lock = await DirectoryLock.take(folder)
    try:
        remove_connection(folder)
        _prepare(folder, keep=keep)
        async with _mail_server(folder) as smtp_port:
            place, settings = _settle(folder, port, smtp_port)
            configure_logs(settings.log, process="demo")
            with Signals() as signals:
                instance = Instance(
                    settings, folder / SETTINGS_FILE, _environ(), _ignore, signals, lock
                )
                running = asyncio.create_task(instance.run())
                async with _stopping(running, signals, stop):
                    await _until_ready(settings, stop)
                    yield place
    finally:
        remove_connection(folder)
        lock.release()


def _check(folder: Path) -> None:
    """Nothing of somebody else's is in it."""
    present = {path.name for path in folder.iterdir()} if folder.exists() else set[str]()
    mark = folder / MARK
    ours = mark.is_file() and mark.read_text(encoding="utf-8") == MARK_TEXT
    if present and not ours:
        raise DemoFailed(f"{folder} holds something else; name another folder with --data")


def _prepare(folder: Path, *, keep: bool) -> None:
    (folder / MARK).write_text(MARK_TEXT, encoding="utf-8")
    if not keep:
        for path in folder.iterdir():
            if path.name not in (LOCK, MARK):
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


@asynccontextmanager
async def _mail_server(folder: Path) -> AsyncGenerator[int, None]:
    catcher = MailCatcher(folder / MAIL_LOG, now=now, keep_raw=True)
    smtp_port = await catcher.start(HOST)
    try:
        yield smtp_port
    finally:
        await catcher.stop()


def _settle(folder: Path, port: int | None, smtp_port: int) -> tuple[Place, Settings]:
    """Write the settings of this start and read them, as `angarium up` would."""
    chosen = _choose(port)
    path = folder / SETTINGS_FILE
    keys = _keys(path)
    values = {
        "host": HOST,
        "port": chosen,
        "folder": str(folder.absolute()),
        "admin": keys.admin,
        "write": keys.write,
        "smtp_port": smtp_port,
        "sender": SENDER,
    }
    # A JSON text is a TOML text as well.
    written = {name: msgspec.json.encode(value).decode() for name, value in values.items()}
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(SETTINGS.format(**written))
    settings = load_settings(path, {})
    return Place(settings.http.public_url, keys, folder), settings


def _choose(port: int | None) -> int:
    try:
        return claim_port(HOST, USUAL_PORT if port is None else port)
    except PortTaken:
        if port is None:
            return claim_port(HOST, 0)
        raise DemoFailed(f"port {port} is taken; name another, or leave --port out") from None


def _keys(path: Path) -> Keys:
    """Those of the last start, or new ones."""
    if not path.exists():
        return Keys(make_key("admin"), make_key("write"))
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8"))["keys"], Keys)


def _environ() -> Mapping[str, str]:
    """Without settings of other instances."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def _ignore(_: str) -> None:
    """What `angarium up` says of itself: the demo has its own way to tell."""


@asynccontextmanager
async def _stopping(
    running: "asyncio.Task[int]", signals: Signals, stop: asyncio.Event
) -> AsyncGenerator[None, None]:
    """Pass a signal, and the instance's end, on to `stop`; at last stop the instance, in order.

    Raises what made the instance end by itself.
    """
    asked = asyncio.create_task(signals.stop.wait())
    asked.add_done_callback(lambda _: stop.set())
    running.add_done_callback(lambda _: stop.set())
    try:
        yield
    finally:
        failed = running.done() and running.exception()
        signals.stop.set()
        await asyncio.gather(asked, running, return_exceptions=True)
        if failed:
            raise failed


async def _until_ready(settings: Settings, stop: asyncio.Event) -> None:
    """The doors are open, or `stop` is set."""
    ready = asyncio.create_task(wait_ready(HOST, settings.http.port))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((ready, stopped), return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    stopped.cancel()
    await asyncio.gather(ready, stopped, return_exceptions=True)
