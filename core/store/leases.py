"""Who works on what, and until when. A lease avoids double work; fences make it safe."""

from typing import Final

from angarium.core.store.protocol import Transaction

WORKER: Final = "worker:"
"""Leases of delivery workers are named so; their claims live as long as the lease."""


async def take_lease(tx: Transaction, name: str, holder: str, until: int, now: int) -> bool:
    """Take or lengthen a lease (ms); False: another holds it."""
    return await tx.run("take_lease", name=name, holder=holder, until=until, now=now) == 1


async def drop_lease(tx: Transaction, name: str, holder: str) -> bool:
    """Give it back; False: it was not `holder`'s (any more)."""
    return await tx.run("drop_lease", name=name, holder=holder) == 1


async def drop_old_leases(tx: Transaction, before: int) -> int:
    """Forget delivery workers that have been gone since `before` (ms)."""
    return await tx.run("drop_old_leases", before=before)


async def list_leases(tx: Transaction) -> list[tuple[str, str, int]]:
    """(name, holder, until) of all leases, for whoever looks what goes on."""
    return [(name, holder, until) for name, holder, until in await tx.fetch("list_leases")]
