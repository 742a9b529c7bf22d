"""How far each partition of a stream has been applied: the fence of exactly-once effects."""

from angarium.core.store.protocol import Transaction


async def load_position(tx: Transaction, stream: str, partition: int) -> tuple[int, str]:
    """(last sequence applied, epoch of the stream it counts in); (0, "") before the first."""
    rows = await tx.fetch("load_position", stream=stream, partition=partition)
    if not rows:
        return 0, ""
    position, epoch = rows[0]
    return int(position), str(epoch)


async def advance(
    tx: Transaction, stream: str, partition: int, old: int, new: int, epoch: str
) -> bool:
    """Move the position from `old` to `new`; False: somebody else moved it, roll back.

    `old` is 0 before the first. Also puts it back to 0 when the stream is a new one (`epoch`).
    """
    changed = await tx.run(
        "advance_position", stream=stream, partition=partition, old=old, new=new, epoch=epoch
    )
    return changed == 1
