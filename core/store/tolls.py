"""How much of what is sent each provider calls dead, and what is held of that."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from angarium.core.delivery.tolls import Toll
from angarium.core.people.devices import address_key
from angarium.core.store.attempts import Suppressed
from angarium.core.store.protocol import Row, Transaction


class HeldToll(msgspec.Struct, frozen=True):
    """A provider whose word is not carried out, and how many addresses that concerns."""

    provider: str
    toll: Toll
    held: int


async def lock_tolls(tx: Transaction, providers: Collection[str]) -> dict[str, Toll]:
    """Those of these providers; nobody else changes them until the commit."""
    names = sorted(providers)
    await tx.many("make_tolls", [(name, 0, 0, 0, 0, None, 0) for name in names])
    return {name: Toll(*rest) for name, *rest in await tx.fetch("lock_tolls", providers=names)}


async def save_tolls(tx: Transaction, tolls: Mapping[str, Toll]) -> None:
    """What they are now; the caller holds the rows."""
    rows = [(name, *msgspec.structs.astuple(toll)) for name, toll in sorted(tolls.items())]
    await tx.many("save_tolls", rows)


async def list_held_tolls(tx: Transaction) -> list[HeldToll]:
    """Of the providers whose word is not carried out."""
    rows = await tx.fetch("list_held_tolls")
    return [HeldToll(name, Toll(*toll), held) for name, *toll, held in rows]


async def hold_deaths(tx: Transaction, provider: str, dead: Sequence[Suppressed]) -> None:
    """Keep what a provider said, to be carried out if an admin says so; the first word stays."""
    rows = {
        (provider, one.workspace, one.channel, address_key(one.address)): (
            one.address,
            one.at,
            one.why,
        )
        for one in reversed(dead)
    }
    await tx.many("hold_deaths", [(*key, *rest) for key, rest in sorted(rows.items())])


async def take_held_deaths(
    tx: Transaction, provider: str, reason: str, limit: int
) -> list[Suppressed]:
    """Some of what is held of a provider; it is held no longer."""
    rows = await tx.fetch("take_held_deaths", provider=provider, limit=limit)
    return [_suppressed(row, reason) for row in rows]


async def drop_held_deaths(tx: Transaction, provider: str) -> int:
    """What it said does not count; how many addresses."""
    return await tx.run("drop_held_deaths", provider=provider)


async def forget_held_deaths(tx: Transaction, before: int) -> int:
    """What nobody has decided on since then (ms); how many."""
    return await tx.run("forget_held_deaths", before=before)


def _suppressed(row: Row, reason: str) -> Suppressed:
    workspace, channel, address, at, why = row
    return Suppressed(workspace, channel, address, reason, at, why)
