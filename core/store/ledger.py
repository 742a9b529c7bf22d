"""The ledger of deliveries: every change of a row, its counters and its report together.

Each function works in the caller's transaction and notes counters and reports in `changes`,
which the caller saves at the end of that transaction (`workers.outbox.Publisher.commit` does).
Rows are locked in the order of their keys, after the profiles that they belong to.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from angarium.core.delivery.promises import end_unsent
from angarium.core.delivery.record import Delivery, NewDelivery, move
from angarium.core.delivery.status import UNSENT, DeliveryState
from angarium.core.store import fallbacks
from angarium.core.store.changes import Changes
from angarium.core.store.protocol import Row, Transaction

Key = tuple[str, str]
"""(workspace, id) of a delivery."""

_STATES = {state.value: state for state in DeliveryState}
_TEST = Delivery.__struct_fields__.index("test")


class Withdrawal(msgspec.Struct, frozen=True):
    """Which unsent deliveries to cancel: a person's, of one campaign or of all (None).

    until: only what was triggered at or before this instant (ms); None: whenever.
    same_device: only what `device` triggered, or no device (None: only the latter).
    """

    workspace: str
    profile_id: str
    campaign: str | None = None
    until: int | None = None
    same_device: bool = False
    device: str | None = None


async def plan(tx: Transaction, deliveries: Sequence[NewDelivery], changes: Changes) -> list[str]:
    """Plan deliveries; gives the ids that are really new, a repeated one being ignored."""
    unique = {(new.workspace, new.id): new for new in deliveries}
    if not unique:
        return []
    rows = [_planned_row(unique[key]) for key in sorted(unique)]
    fresh = {(workspace, id) for workspace, id in await tx.fetch("plan_deliveries", rows=rows)}
    for key, new in unique.items():
        if key in fresh:
            changes.planned(new)
    await fallbacks.watch(tx, [new for key, new in unique.items() if key in fresh])
    return [id for workspace, id in unique if (workspace, id) in fresh]


async def cancel(
    tx: Transaction, withdrawals: Sequence[Withdrawal], reason: str, changes: Changes, now: int
) -> list[Delivery]:
    """Cancel what is not handed over yet, claimed rows included; gives them as they are now.

    The worker that has claimed one finds its generation outdated and sends nothing: what is
    cancelled before the commit of `handed` is never sent (G9).
    """
    if not withdrawals:
        return []
    keys = [
        (w.workspace, w.profile_id, w.campaign, w.until, w.same_device, w.device)
        for w in withdrawals
    ]
    found = await lock(tx, await tx.fetch("find_withdrawn", keys=keys))
    moves = [
        (old, end_unsent(old, DeliveryState.CANCELLED, reason, **fenced(old)))
        for old in found
        if old.state in UNSENT
    ]
    await save_moves(tx, moves, changes, now)
    await fallbacks.drop_withdrawn(tx, keys)
    return [new for _, new in moves]


async def claim(
    tx: Transaction, worker: str, channel: str, limit: int, changes: Changes, now: int
) -> list[Delivery]:
    """Take up to `limit` due deliveries of a channel, the longest due first."""
    due = await tx.fetch("lock_due_deliveries", channel=channel, now=now, limit=limit)
    found = [_delivery(row) for row in due]
    if not found:
        return []
    await tx.run("claim_deliveries", worker=worker, now=now, keys=[old.key for old in found])
    taken: list[Delivery] = []
    for old in found:
        new = move(
            old, DeliveryState.CLAIMED, reason="", worker=worker, generation=old.generation + 1
        )
        changes.moved(old, new, now)
        taken.append(new)
    return taken


async def release(
    tx: Transaction, worker: str, channel: str | None, changes: Changes, now: int
) -> int:
    """Give back what a worker has claimed (on one channel, or all) and not handed over; how many.

    To be called only while the worker is not about to hand anything of it over.
    """
    keys = await tx.fetch("find_deliveries_of_worker", worker=worker, channel=channel)
    moves = [
        (old, move(old, DeliveryState.PLANNED, **fenced(old)))
        for old in await lock(tx, keys)
        if old.state is DeliveryState.CLAIMED and old.worker == worker
    ]
    await save_moves(tx, moves, changes, now)
    return len(moves)


async def take_back(
    tx: Transaction, deliveries: Sequence[Delivery], changes: Changes, now: int
) -> int:
    """Undo `handed` where the caller knows that it sent nothing; how many.

    For a worker that could not learn whether its commit took effect, and therefore did not send.
    """
    mine = {delivery.key: delivery.generation for delivery in deliveries}
    moves = [
        (old, move(old, DeliveryState.PLANNED, attempt=old.attempt - 1, **fenced(old)))
        for old in await lock(tx, mine)
        if old.state is DeliveryState.HANDED and old.generation == mine[old.key]
    ]
    await save_moves(tx, moves, changes, now)
    return len(moves)


async def move_profile(
    tx: Transaction,
    workspace: str,
    from_profile: str,
    to_profile: str,
    changes: Changes,
    now: int,
) -> None:
    """Two profiles became one: its deliveries go along, so that limits and history see them all.

    What a worker was about to send is judged again, as the new person's.
    """
    claimed = await tx.fetch("find_claimed_of_profile", workspace=workspace, profile=from_profile)
    moves = [
        (old, move(old, DeliveryState.PLANNED, **fenced(old)))
        for old in await lock(tx, claimed)
        if old.state is DeliveryState.CLAIMED
    ]
    await save_moves(tx, moves, changes, now)
    await tx.run(
        "move_profile_deliveries",
        workspace=workspace,
        from_profile=from_profile,
        to_profile=to_profile,
    )


def fenced(delivery: Delivery) -> dict[str, Any]:
    """Changes that take a delivery away from whoever holds it."""
    return {"worker": None, "generation": delivery.generation + 1}


async def lock(tx: Transaction, keys: Iterable[Row]) -> list[Delivery]:
    """Read deliveries and hold them until the transaction ends."""
    wanted = sorted((workspace, id) for workspace, id in keys)
    if not wanted:
        return []
    return [_delivery(row) for row in await tx.fetch("lock_deliveries", keys=wanted)]


async def save_moves(
    tx: Transaction,
    moves: Sequence[tuple[Delivery, Delivery]],
    changes: Changes,
    now: int,
    documents: Sequence[tuple[str, str]] = (),
) -> None:
    """Write (old, new) pairs of rows that the caller holds, one for each row.

    `documents`: for each pair its gates and context, as JSON, if they are to be written.
    """
    await save_rows(tx, [new for _, new in moves], now, documents)
    for old, new in moves:
        changes.moved(old, new, now)


async def save_rows(
    tx: Transaction,
    rows: Sequence[Delivery],
    now: int,
    documents: Sequence[tuple[str, str]] = (),
) -> None:
    """The same for a caller that notes the moves itself."""
    if not rows:
        return
    columns = [_moved_row(row, now) for row in rows]
    if documents:
        both = zip(columns, documents, strict=True)
        await tx.many("judge_deliveries", [row + more for row, more in both])
    else:
        await tx.many("move_deliveries", columns)


def _delivery(row: Row) -> Delivery:
    workspace, id, state, *rest = row
    rest[_TEST - 3] = bool(rest[_TEST - 3])
    return Delivery(workspace, id, _STATES[state], *rest)


def _moved_row(new: Delivery, now: int) -> tuple[Any, ...]:
    return (
        new.workspace,
        new.id,
        new.state.value,
        new.reason,
        new.provider,
        new.provider_id,
        new.due_at,
        new.worker,
        new.generation,
        new.attempt,
        new.resends,
        new.handed_at,
        new.accepted_at,
        now,
    )


def _planned_row(new: NewDelivery) -> tuple[Any, ...]:
    return (
        new.workspace,
        new.id,
        new.source,
        new.campaign,
        new.version,
        new.step,
        new.run,
        new.profile_id,
        new.channel,
        new.class_,
        new.promise,
        new.test,
        new.due_at,
        new.expires_at,
        new.place.hour,
        new.planned_at,
        new.triggered_at,
        new.device,
        msgspec.json.encode(new.context).decode(),
        new.request_id,
    )
