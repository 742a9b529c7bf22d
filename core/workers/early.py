"""Receipts that overtook the answer to their message: heard as soon as that is recorded.

A provider tells how a message fares by an id of its own, and may do so before we have written down
that id. Such news waits, and counts as unknown meanwhile; so does, for good, what never was ours.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Any, Final

import structlog

from angarium.core.delivery.feedback import STATUS, Feedback
from angarium.core.store.changes import Changes
from angarium.core.store.early import find_early, forget_early, keep_early, take_early
from angarium.core.store.errors import Contention, StoreUnavailable
from angarium.core.store.feedback import Handed
from angarium.core.store.protocol import Store, Transaction
from angarium.core.workers.clock import Now
from angarium.core.workers.outbox import Publisher

log: Any = structlog.get_logger()

KEPT: Final = 3_600_000
FRESH: Final = 60_000
"""Milliseconds for which news waits at all, and for which it is looked at every time."""
EVERY_SECONDS: Final = 1.0
ALL_EVERY: Final = 60
"""Rounds between two looks at everything that waits."""
AT_ONCE: Final = 500

Apply = Callable[[Transaction, str, Sequence[Feedback], Changes], Awaitable[int]]
"""Apply feedback of one workspace, in the caller's transaction."""


class EarlyNews:
    """Hears again what came too early; any number may run, for a row is taken once."""

    def __init__(self, store: Store, publisher: Publisher, apply: Apply, now: Now) -> None:
        self._store = store
        self._publisher = publisher
        self._apply = apply
        self._now = now

    async def run(self) -> None:
        """Look until cancelled."""
        round_ = 0
        while True:
            try:
                await self.look(everything=round_ % ALL_EVERY == 0)
            except (Contention, StoreUnavailable) as error:
                log.warning("early_feedback_waits", reason=str(error))
            except Exception:
                log.exception("early_feedback_failed")
            round_ += 1
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self, *, everything: bool = True) -> int:
        """Once; how many pieces were heard now."""
        now = self._now()
        async with self._store.reading() as tx:
            keys = await find_early(tx, 0 if everything else now - FRESH, AT_ONCE)
        if not keys and not everything:
            return 0

        async def work(tx: Transaction, changes: Changes) -> int:
            taken = await take_early(tx, keys) if keys else []
            for early in taken:
                changes.unknown(early.workspace, early.feedback, early.at, count=-1)
            for workspace, group in groupby(taken, key=lambda early: early.workspace):
                await self._apply(tx, workspace, [early.feedback for early in group], changes)
            if everything:
                await forget_early(tx, now - KEPT)
            return len(taken)

        return await self._publisher.commit(work)


async def note_unknown(
    tx: Transaction,
    workspace: str,
    items: Sequence[Feedback],
    handed: Sequence[Handed | None],
    changes: Changes,
    now: int,
) -> None:
    """Count what names no message that we know; it waits, if it names one by a provider's id."""
    unknown = [i for i, found in zip(items, handed, strict=True) if found is None and _names(i)]
    waiting = [item for item in unknown if _may_wait(item)]
    new = await keep_early(tx, workspace, waiting, now)
    for item in unknown:
        if not _may_wait(item) or item.id in new:
            changes.unknown(workspace, item, now)
            new.discard(item.id)


def _names(item: Feedback) -> bool:
    """Whether it speaks of a message at all."""
    return bool(item.delivery or item.provider_id)


def _may_wait(item: Feedback) -> bool:
    named = item.provider and item.provider_id and not item.delivery
    return bool(named and item.id and item.kind == STATUS)
