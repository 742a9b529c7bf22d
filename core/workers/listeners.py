"""Tell report listeners of every change of every delivery: after the commit, at least once.

Each listener has a place of its own in the REPORTS stream. What it does touches nothing else: one
that fails is asked again, then goes without that report; one that is slow falls behind, and what
the stream has let go by then (by age or size) it never hears.
"""

import asyncio
from typing import Any, Final

import msgspec
import structlog

from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import BusError, StreamReset
from angarium.core.bus.feed import Received
from angarium.core.bus.subjects import REPORTS, workspace_of
from angarium.core.store import positions
from angarium.core.store.errors import StoreError
from angarium.core.store.protocol import Store
from angarium.core.store.retry import transact
from angarium.core.workers.place import Fenced
from angarium.plugins.reports import Listener, Report

log: Any = structlog.get_logger()

TRIES: Final = 5
PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 60.0
CALL_SECONDS: Final = 60.0
REPORTS_AT_ONCE: Final = 100

_decode = msgspec.json.Decoder(Report).decode


class Unavailable(Exception):
    """A listener that cannot be asked at all now, whatever the report: wait, do not give up."""


class Announcer:
    """Reads the reports for one listener."""

    def __init__(self, store: Store, bus: Bus, name: str, listener: Listener) -> None:
        self._store = store
        self._bus = bus
        self._name = name
        self._listener = listener
        self._place = f"listener:{name}"
        self._position = 0
        self._epoch = ""

    async def run(self) -> None:
        """Tell it until cancelled. Raises Fenced."""
        while True:
            try:
                await self._find_place()
                await self._read()
            except (BusError, StoreError) as error:
                log.warning("listener_waits", listener=self._name, reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _find_place(self) -> None:
        """Where it stopped; a new listener, or one whose stream is a new one, begins now."""
        state = await self._bus.stream_state(REPORTS)
        async with self._store.reading() as tx:
            self._position, epoch = await positions.load_position(tx, self._place, 0)
        self._epoch = state.epoch
        if epoch != state.epoch:
            await self._advance(0 if epoch else state.last_sequence)

    async def _read(self) -> None:
        async with self._bus.pull(REPORTS, after=self._position, batch=REPORTS_AT_ONCE) as puller:
            try:
                while True:
                    received = await puller.get(REPORTS_AT_ONCE)
                    for one in received:
                        await self._tell(one)
                    await self._advance(received[-1].sequence)
            except StreamReset as reset:
                log.error("reports_stream_is_new", listener=self._name, reason=str(reset))

    async def _tell(self, received: Received) -> None:
        report = _report(received)
        if report is None:
            return
        pause, tries = PAUSE_SECONDS, 0
        while tries < TRIES:
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    await self._listener(report)
                return
            except Unavailable as error:
                reason = str(error)
            except (Exception, SystemExit) as error:  # it must not end us either
                tries += 1
                reason = type(error).__name__
            log.warning("listener_failed", listener=self._name, tries=tries, reason=reason)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        log.error("report_not_told", listener=self._name, sequence=received.sequence)

    async def _advance(self, position: int) -> None:
        old, epoch = self._position, self._epoch
        moved = await transact(
            self._store,
            lambda tx: positions.advance(tx, self._place, 0, old, position, epoch),
        )
        if not moved:
            raise Fenced(f"another reader tells the listener {self._name}")
        self._position = position


def _report(received: Received) -> Report | None:
    """None: what is no report; whoever may publish there may publish anything."""
    try:
        report = _decode(received.body)
    except (msgspec.MsgspecError, ValueError):
        return None
    return msgspec.structs.replace(
        report, sequence=received.sequence, workspace=workspace_of(received.subject)
    )
