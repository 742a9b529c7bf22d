"""Where a reader stands in a stream.

Moving the place with the effects, in one transaction, is what makes each message count once: a
second reader of the same stream finds it moved, and writes nothing.
"""

from typing import Any

import structlog

from angarium.core.bus.bus import Bus
from angarium.core.store import positions
from angarium.core.store.changes import Changes
from angarium.core.store.protocol import Store, Transaction
from angarium.core.workers.outbox import Publisher

log: Any = structlog.get_logger()


class Fenced(Exception):
    """Another reader has moved the position."""


class Place:
    """The place in one partition of a stream; `epoch` tells this stream from an earlier one."""

    def __init__(self, stream: str, partition: int = 0) -> None:
        self._stream = stream
        self._partition = partition
        self.position = 0
        self.epoch = ""

    async def find(self, store: Store, bus: Bus, publisher: Publisher) -> None:
        """Read where to go on; from the start where the stream is not the one that we knew.

        What such a stream holds may have been applied before: the inbox knows. What was lost with
        the old stream beyond our position is named in the log. Raises Fenced.
        """
        state = await bus.stream_state(self._stream)
        async with store.reading() as tx:
            self.position, epoch = await positions.load_position(tx, self._stream, self._partition)
        self.epoch = state.epoch
        if epoch in ("", state.epoch) and self.position <= state.last_sequence:
            return
        log.error("stream_is_another", stream=self._stream, applied_up_to=self.position)
        await publisher.commit(self._start_over)
        self.position = 0

    async def advance(self, tx: Transaction, to: int) -> None:
        """Move on, in the transaction of the effects. Raises Fenced."""
        old = self.position
        if not await positions.advance(tx, self._stream, self._partition, old, to, self.epoch):
            raise Fenced(f"{self._stream} {self._partition} is read by another process")

    async def _start_over(self, tx: Transaction, changes: Changes) -> None:
        await self.advance(tx, 0)
