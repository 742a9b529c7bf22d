"""What providers said of messages whose ids nobody has told us yet: it waits for that."""

from collections.abc import Sequence

import msgspec

from angarium.core.delivery.feedback import Feedback
from angarium.core.store.ledger import Key
from angarium.core.store.protocol import Transaction

_decode = msgspec.json.Decoder(Feedback).decode


class Early(msgspec.Struct, frozen=True):
    """One piece that waits; `at`: when it came (ms)."""

    workspace: str
    at: int
    feedback: Feedback


async def keep_early(
    tx: Transaction, workspace: str, items: Sequence[Feedback], now: int
) -> set[str]:
    """Let them wait; gives the ids of those that did not wait already."""
    unique = {item.id: item for item in items}
    rows = [
        (workspace, id, item.provider, item.provider_id, now, msgspec.json.encode(item).decode())
        for id, item in sorted(unique.items())
    ]
    if not rows:
        return set()
    return {id for (id,) in await tx.fetch("keep_early", rows=rows)}


async def find_early(tx: Transaction, since: int, limit: int) -> list[Key]:
    """Those that came at `since` (ms) or later and whose message is known now."""
    rows = await tx.fetch("find_early", since=since, limit=limit)
    return [(workspace, id) for workspace, id in rows]


async def take_early(tx: Transaction, keys: Sequence[Key]) -> list[Early]:
    """Take them out, to be applied in this transaction."""
    rows = await tx.fetch("take_early", keys=sorted(keys))
    return sorted(
        (Early(workspace, at, _decode(body)) for workspace, at, body in rows),
        key=lambda early: (early.workspace, early.at, early.feedback.id),
    )


async def forget_early(tx: Transaction, before: int) -> int:
    """Wait no longer for what came before then (ms); how many."""
    return await tx.run("forget_early", before=before)
