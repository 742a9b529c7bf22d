"""Messages that were given up, planned once more."""

from angarium.core.delivery.resends import may_be_resent, plan_resend
from angarium.core.store import fallbacks
from angarium.core.store.changes import Changes
from angarium.core.store.ledger import lock, plan
from angarium.core.store.protocol import Transaction


async def resend(
    tx: Transaction, workspace: str, id: str, changes: Changes, now: int
) -> str | None:
    """Plan a delivery in the place of one that was surely not sent; its id.

    Where the next channel waits for a reaction, it waits for one to the new delivery.

    None: there is no such delivery, it is not given up, or it was resent before.
    """
    found = await lock(tx, [(workspace, id)])
    if not found or not may_be_resent(found[0].state, found[0].reason):
        return None
    ((planned_at, run),) = await tx.fetch("read_planning", workspace=workspace, id=id)
    planned = await plan(tx, [plan_resend(found[0], planned_at, run, now)], changes)
    if not planned:
        return None
    await fallbacks.pass_on(tx, workspace, id, planned[0])
    return planned[0]
