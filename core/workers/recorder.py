"""Write providers' answers into the ledger, many at a time."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from angarium.core.delivery.status import DeliveryState
from angarium.core.delivery.tolls import BLOCK
from angarium.core.store.attempts import Answer, Suppressed, record
from angarium.core.store.changes import Changes
from angarium.core.store.errors import Contention, StoreUnavailable
from angarium.core.store.paces import keep_pauses
from angarium.core.store.protocol import Transaction
from angarium.core.workers.clock import Now
from angarium.core.workers.crash import crash_point
from angarium.core.workers.deaths import bury, on_other_devices
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.tolls import permit

log: Any = structlog.get_logger()

ANSWERS_AT_ONCE = 200
LINGER_SECONDS = 0.005
PAUSE_SECONDS = 0.5


class Pause(msgspec.Struct, frozen=True):
    """A provider asked to be left alone until then (ms), by every process."""

    provider: str
    until: int


class Noted(msgspec.Struct, frozen=True):
    """An answer; the address that it says is dead, and the pause that it asks for, if it does."""

    answer: Answer
    dead: Suppressed | None = None
    pause: Pause | None = None


class Recorder:
    """Takes answers by `note`; `run` commits them in groups, however long the store is away.

    An answer that is not recorded in time is no harm but a loss: its row is swept when the
    worker's lease ends, as if the worker had died.
    """

    def __init__(self, publisher: Publisher, now: Now) -> None:
        self._publisher = publisher
        self._now = now
        self._noted: list[Noted] = []
        self._sends: Counter[str] = Counter()
        self._arrived = asyncio.Event()
        self._enough = asyncio.Event()
        self._written = asyncio.Event()
        self._written.set()

    def note(self, noted: Noted) -> None:
        """Keep an answer to be written."""
        self._noted.append(noted)
        self._written.clear()
        self._arrived.set()
        if len(self._noted) >= ANSWERS_AT_ONCE:
            self._enough.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._arrived.wait()
            await self._linger()
            batch, self._noted = self._noted[:ANSWERS_AT_ONCE], self._noted[ANSWERS_AT_ONCE:]
            if not self._noted:
                self._arrived.clear()
            await self._write(batch)
            if not self._noted:
                self._written.set()

    async def settle(self) -> None:
        """Wait until every answer so far is written."""
        await self._written.wait()

    async def _linger(self) -> None:
        if len(self._noted) < ANSWERS_AT_ONCE:
            self._enough.clear()
            try:
                async with asyncio.timeout(LINGER_SECONDS):
                    await self._enough.wait()
            except TimeoutError:
                pass

    async def _write(self, batch: Sequence[Noted]) -> None:
        called = [(one.answer.handed.provider or "", one.dead) for one in batch if one.dead]
        unsaid = self._sends + _sends(batch)
        said = {name: unsaid[name] for name in _worth_saying(unsaid, called)}

        async def work(tx: Transaction, changes: Changes) -> None:
            now = self._now()
            others = await bury(tx, await permit(tx, called, said, now))
            answers = [(noted.answer, noted.dead) for noted in batch]
            await record(tx, on_other_devices(answers, others, now), changes, now)
            await keep_pauses(tx, _pauses(batch))

        while True:
            try:
                await self._publisher.commit(work)
                self._sends = unsaid - Counter(said)
                break
            except (Contention, StoreUnavailable) as error:
                log.warning("answers_wait", count=len(batch), reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:
                return await self._part(batch)
        crash_point("deliver.recorded")
        return None

    async def _part(self, batch: Sequence[Noted]) -> None:
        """One of these can never be written: the others must be."""
        if len(batch) > 1:
            for noted in batch:
                await self._write([noted])
        else:
            log.exception("answer_lost", delivery=batch[0].answer.handed.id)


def _sends(batch: Sequence[Noted]) -> Counter[str]:
    """How many messages each provider took, or refused for a dead address."""
    return Counter(
        noted.answer.handed.provider or ""
        for noted in batch
        if noted.dead is not None or noted.answer.wanted.state is DeliveryState.ACCEPTED
    )


def _worth_saying(sends: Counter[str], called: Sequence[tuple[str, Suppressed]]) -> set[str]:
    """The providers of which the store is told: a row of each is written then."""
    return {name for name, _ in called} | {name for name, count in sends.items() if count >= BLOCK}


def _pauses(batch: Sequence[Noted]) -> dict[str, int]:
    """The latest end that each provider asked for."""
    asked = sorted((noted.pause.until, noted.pause.provider) for noted in batch if noted.pause)
    return {provider: until for until, provider in asked}
