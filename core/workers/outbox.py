"""Publishing what committed transactions said.

A row of the outbox is written with the effects, published after the commit as `<row>.<index>`, and
deleted in a later transaction. A crash between leaves the row to the sweeper; what is published
twice carries the same message id, so the stream keeps it once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import structlog

from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import (
    BadToken,
    BusFull,
    BusRefused,
    BusUnavailable,
    MessageTooLarge,
)
from angarium.core.bus.subjects import deliver_subject
from angarium.core.bus.wire import Outgoing
from angarium.core.store.changes import Changes
from angarium.core.store.errors import StoreError
from angarium.core.store.outbox import OutboxRow, delete_outbox, list_outbox
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.workers.clock import Now
from angarium.core.workers.crash import crash_point

log = structlog.get_logger()

T = TypeVar("T")

ROWS_AT_ONCE = 50
ROWS_IN_MEMORY = 1_000
"""Beyond, rows stay in the table only, until the sweeper brings them back."""
IDLE_SECONDS = 1.0
PAUSE_SECONDS = 0.5
LEFT_BEHIND = 5_000
"""Milliseconds after which a row is taken to be a dead process's."""


class Publisher:
    """One for each process that writes reports: `commit` its transactions, `run` it beside them."""

    def __init__(self, store: Store, bus: Bus, now: Now, shard: int = 0) -> None:
        """`shard`: this process's share of the counters (`Changes`)."""
        self._store = store
        self._bus = bus
        self._now = now
        self._shard = shard
        self._waiting: deque[OutboxRow] = deque()
        self._known: set[str] = set()
        self._published: set[str] = set()
        self._stirred = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def published(self) -> int:
        """Rows that were published and are not yet deleted."""
        return len(self._published)

    async def commit(self, work: Callable[[Transaction, Changes], Awaitable[T]]) -> T:
        """Run `work` in a transaction, with counters and messages, and publish after the commit.

        `work` may run again after Contention: it must change nothing but the database. Raises what
        `work` and the store raise; then nothing was changed and nothing is said.
        """
        published = list(self._published)

        async def attempt(tx: Transaction) -> tuple[T, OutboxRow | None, set[str]]:
            changes = Changes(self._shard)
            result = await work(tx, changes)
            row = await changes.save(tx, self._now())
            await delete_outbox(tx, published)
            return result, row, changes.due

        result, row, channels = await transact(self._store, attempt)
        crash_point("outbox.committed")
        for channel in channels:
            await self._bus.notify(deliver_subject(channel))
        self._forget(published)
        if row is not None:
            self._take([row])
        return result

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            if not self._waiting:
                await self._idle()
            rows = [self._waiting.popleft() for _ in range(min(ROWS_AT_ONCE, len(self._waiting)))]
            await self._publish([message for row in rows for message in _outgoing(row)])
            crash_point("outbox.published")
            self._published.update(row.id for row in rows)
            if not self._waiting:
                self._empty.set()

    async def sweep(self) -> int:
        """Take up what dead processes left, or this one could not hold; how many rows."""
        async with self._store.reading() as tx:
            rows = await list_outbox(tx, self._now() - LEFT_BEHIND, ROWS_AT_ONCE)
        mine = [row for row in rows if row.id not in self._known]
        self._take(mine)
        return len(mine)

    async def settle(self) -> None:
        """Wait until all is published, and delete it: for a clean end, while `run` still runs."""
        await self._empty.wait()
        await self._clear()

    def _take(self, rows: Iterable[OutboxRow]) -> None:
        for row in rows:
            if len(self._waiting) < ROWS_IN_MEMORY:
                self._waiting.append(row)
                self._known.add(row.id)
                self._empty.clear()
        self._stirred.set()

    def _forget(self, ids: Sequence[str]) -> None:
        self._published.difference_update(ids)
        self._known.difference_update(ids)

    async def _idle(self) -> None:
        while not self._waiting:
            self._stirred.clear()
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._stirred.wait()
            except TimeoutError:
                await self._clear()

    async def _clear(self) -> None:
        published = list(self._published)
        if not published:
            return
        try:
            await transact(self._store, lambda tx: delete_outbox(tx, published))
        except StoreError as error:
            log.warning("outbox_not_cleared", rows=len(published), reason=str(error))
        else:
            self._forget(published)

    async def _publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish messages, however long that takes; one that is never taken is left out."""
        while True:
            try:
                return await self._bus.publish_all(messages)
            except (BusUnavailable, BusFull) as error:
                log.warning("outbox_waits", rows=len(self._waiting), reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
            except (BusRefused, MessageTooLarge, BadToken) as error:
                if len(messages) == 1:
                    log.error("report_lost", id=messages[0].message_id, reason=str(error))
                    return None
                half = len(messages) // 2
                await self._publish(messages[:half])
                messages = messages[half:]


def _outgoing(row: OutboxRow) -> list[Outgoing]:
    return [
        Outgoing(subject, body.encode(), f"{row.id}.{index}")
        for index, (subject, body) in enumerate(row.messages)
    ]
