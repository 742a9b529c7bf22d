"""Nothing stays behind: rows whose worker is gone, and rows that nobody ever claims."""

from collections.abc import Sequence

from angarium.core.delivery.promises import after_lost_worker, end_unsent
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.changes import Changes
from angarium.core.store.ledger import Key, lock, save_moves
from angarium.core.store.protocol import Transaction

S = DeliveryState


async def sweep_orphans(tx: Transaction, limit: int, changes: Changes, now: int) -> int:
    """Take back what is in the hands of workers whose leases have run out; how many rows."""
    found = await lock(tx, await tx.fetch("find_orphans", now=now, limit=limit))
    moves = [(old, after_lost_worker(old)) for old in found if old.state in (S.CLAIMED, S.HANDED)]
    await save_moves(tx, moves, changes, now)
    return len(moves)


async def find_expired(tx: Transaction, before: int, limit: int) -> list[Key]:
    """What should have been skipped as expired before `before` (ms), had anyone claimed it.

    Nobody serves its channel. Only reads; `sweep_expired` looks again.
    """
    channels = [channel for (channel,) in await tx.fetch("list_waiting_channels")]
    if not channels:
        return []
    rows = await tx.fetch(
        "find_expired_deliveries",
        channels=channels,
        due_before=before,
        expired_before=before,
        limit=limit,
    )
    return [(workspace, id) for workspace, id in rows]


async def sweep_expired(
    tx: Transaction, keys: Sequence[Key], before: int, changes: Changes, now: int
) -> int:
    """Skip those of `keys` that are still waiting; how many."""
    moves = [
        (old, end_unsent(old, S.SKIPPED, "expired"))
        for old in await lock(tx, keys)
        if old.state in (S.PLANNED, S.HELD) and old.expires_at <= before
    ]
    await save_moves(tx, moves, changes, now)
    return len(moves)
