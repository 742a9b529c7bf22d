"""Timers of deliveries after which, without a reaction, another channel is tried (S1.14).

A timer is a row that says which delivery to look at, and when. Whose it is, what it was for and
what became of it stand in the delivery, so a merge or a stop finds nothing here to move.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from angarium.core.delivery.record import NewDelivery
from angarium.core.store.protocol import Transaction

Key = tuple[str, str]
"""(workspace, id) of a delivery."""


async def watch(tx: Transaction, planned: Iterable[NewDelivery]) -> None:
    """Set the timers of deliveries that have just been planned."""
    times = {
        (new.workspace, new.id): new.due_at + new.fallback_after
        for new in planned
        if new.fallback_after is not None
    }
    await set_timers(tx, times)


async def set_timers(tx: Transaction, times: Mapping[Key, int]) -> None:
    """When (ms) to look at deliveries."""
    if times:
        await tx.many("save_fallbacks", [(*key, at) for key, at in sorted(times.items())])


async def next_due(tx: Transaction) -> int | None:
    """When the next timer runs out (ms)."""
    ((at,),) = await tx.fetch("next_fallback")
    return None if at is None else int(at)


async def list_due(tx: Transaction, now: int, limit: int) -> dict[Key, str | None]:
    """The deliveries to look at, with their profiles; None: there is no such delivery any more."""
    rows = await tx.fetch("list_due_fallbacks", now=now, limit=limit)
    return {(workspace, id): profile for workspace, id, profile in rows}


async def lock_due(tx: Transaction, keys: Collection[Key], now: int) -> list[Key]:
    """Those that are still due. Lock the people first: then nobody else works on these."""
    rows = await tx.fetch("lock_due_fallbacks", keys=sorted(keys), now=now) if keys else ()
    return [(workspace, id) for workspace, id in rows]


async def pass_on(tx: Transaction, workspace: str, old: str, new: str) -> None:
    """`new` went out again in the place of `old`: to that one people may still react."""
    await tx.run("move_fallback", workspace=workspace, old=old, new=new)


async def drop(tx: Transaction, keys: Collection[Key]) -> None:
    """These are not to be looked at any more."""
    if keys:
        await tx.run("drop_fallbacks", keys=sorted(keys))


async def drop_withdrawn(tx: Transaction, keys: Sequence[tuple[Any, ...]]) -> None:
    """Withdrawn messages have no next channel; `keys` as find_withdrawn takes them."""
    if await next_due(tx) is not None:
        await tx.run("drop_withdrawn_fallbacks", keys=keys)
