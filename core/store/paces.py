"""How fast each provider is sent to, by all processes, and until when it wants nothing."""

from collections.abc import Iterable, Mapping

from angarium.core.delivery.pace import Pace
from angarium.core.store.protocol import Row, Transaction


async def make_paces(tx: Transaction, names: Iterable[str]) -> None:
    """Let there be a row of each, so that there is something to hold."""
    await tx.many("make_paces", [(name, 0, 0) for name in sorted(set(names))])


async def find_paces(tx: Transaction, names: Iterable[str]) -> Mapping[str, Pace]:
    """Those that there are, by name."""
    return _paces(await tx.fetch("find_paces", names=sorted(names)))


async def lock_paces(tx: Transaction, names: Iterable[str]) -> Mapping[str, Pace]:
    """The same, held until the transaction ends."""
    return _paces(await tx.fetch("lock_paces", names=sorted(names)))


async def spend_paces(tx: Transaction, paces: Mapping[str, Pace]) -> None:
    """Write what is taken; the caller holds the rows."""
    await tx.many("spend_paces", [(name, pace.spent_until, 0) for name, pace in _sorted(paces)])


async def keep_pauses(tx: Transaction, pauses: Mapping[str, int]) -> None:
    """Providers asked to be left alone until then (ms); nobody shortens what another was told."""
    if pauses:
        await tx.many("keep_pauses", [(name, 0, until) for name, until in sorted(pauses.items())])


def _sorted(paces: Mapping[str, Pace]) -> list[tuple[str, Pace]]:
    return sorted(paces.items(), key=lambda one: one[0])


def _paces(rows: Iterable[Row]) -> Mapping[str, Pace]:
    return {name: Pace(spent_until, paused_until) for name, spent_until, paused_until in rows}
