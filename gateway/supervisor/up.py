"""Bring everything up, keep it up, and take it down in order."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import structlog

from angarium.config.settings import Settings
from angarium.core.bus.embedded import EmbeddedServer
from angarium.core.workers.clock import now
from angarium.gateway.supervisor.connection import Connection, remove_connection, write_connection
from angarium.gateway.supervisor.crew import Crew
from angarium.gateway.supervisor.lock import DirectoryLock
from angarium.gateway.supervisor.parts import (
    STOP_ORDER,
    broker_part,
    child_environ,
    claim_port,
    our_parts,
)
from angarium.gateway.supervisor.ready import wait_ready
from angarium.gateway.supervisor.signals import Signals

log = structlog.get_logger()

Say = Callable[[str], None]


async def up(settings: Settings, file: Path | None, environ: Mapping[str, str], say: Say) -> int:
    """Run until told to stop; the exit code is 0 when everything ended in its own time.

    `say` gets what the operator should read. Raises DirectoryInUse, PortTaken, StartFailed,
    StoreError, BusError, OSError when it cannot start.
    """
    folder = Path(settings.data.dir)
    lock = await DirectoryLock.take(folder)
    try:
        remove_connection(folder)
        port = claim_port(settings.http.host, settings.http.port)
        settings = msgspec.structs.replace(
            settings, http=msgspec.structs.replace(settings.http, port=port)
        )
        with Signals() as signals:
            return await Instance(settings, file, environ, say, signals, lock).run()
    finally:
        remove_connection(folder)
        lock.release()


class Instance:
    """One run of `angarium up`."""

    def __init__(
        self,
        settings: Settings,
        file: Path | None,
        environ: Mapping[str, str],
        say: Say,
        signals: Signals,
        lock: DirectoryLock,
    ) -> None:
        self._settings = settings
        self._file = file
        self._environ = environ
        self._say = say
        self._signals = signals
        self._crew = Crew(self._write_connection, inherit=(lock.fd,))
        self._is_up = False

    async def run(self) -> int:
        """Start, wait for a signal, stop."""
        try:
            if await self._start():
                await self._signals.stop.wait()
        finally:
            self._is_up = False
            log.info("stopping")
            clean = await self._crew.stop(STOP_ORDER, self._signals.hasten)
            log.info("stopped", clean=clean)
        return 0 if clean else 1

    async def _start(self) -> bool:
        """Start all at once: while ours still import, the broker and the store come up.

        Ours wait for the broker, and migrating is safe from many processes.
        """
        server = self._prepare_broker()
        environ = child_environ(self._settings, self._file, self._environ)
        if server is not None:
            self._crew.start([broker_part(server, self._environ)])
        self._crew.start(our_parts(self._settings, environ))
        if not await self._crew.until(self._come_up(server), self._signals.stop):
            return False
        self._is_up = True
        self._write_connection()
        self._say(f"Angarium is ready: {self._http()} (data in {self._settings.data.dir})")
        return True

    def _prepare_broker(self) -> EmbeddedServer | None:
        """Our own nats-server, unless the settings name one."""
        nats = self._settings.nats
        if nats.url:
            return None
        binary = Path(nats.binary) if nats.binary else None
        server = EmbeddedServer(Path(self._settings.data.dir), nats.port, binary=binary)
        server.prepare()
        self._settings = msgspec.structs.replace(
            self._settings, nats=msgspec.structs.replace(nats, url=server.url)
        )
        return server

    async def _come_up(self, server: EmbeddedServer | None) -> None:
        # Imported only now: the children are on their way meanwhile.
        from angarium.gateway.first import prepare_store

        _, keys = await prepare_store(self._settings, now())
        for kind, text in keys.items():
            self._say(f"New {kind} key, shown only now: {text}")
        if server is not None:
            await server.wait_ready()
        await wait_ready(*self._door())

    def _door(self) -> tuple[str, int]:
        host = self._settings.http.host
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), self._settings.http.port

    def _http(self) -> str:
        host, port = self._door()
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def _write_connection(self) -> None:
        if self._is_up:
            connection = Connection(self._http(), self._settings.nats.url, self._crew.pids)
            write_connection(Path(self._settings.data.dir), connection)
