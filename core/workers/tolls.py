"""What providers call dead is carried out while they are believed, and held while they are not."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import structlog

from angarium.core.delivery.tolls import Toll, trusted, weigh
from angarium.core.store import tolls
from angarium.core.store.attempts import Suppressed
from angarium.core.store.protocol import Transaction
from angarium.core.workers.deaths import BOUNCED, bury

log: Any = structlog.get_logger()

REMEDY: Final = (
    "check its settings and its vendor; then `angarium plugins deaths NAME --confirm` if those"
    " addresses really are dead, or --discard"
)

Called = tuple[str, Suppressed]
"""(provider, what it says of an address)"""


async def permit(
    tx: Transaction, called: Sequence[Called], sends: Mapping[str, int], now: int
) -> list[Suppressed]:
    """What is to be carried out of what providers said, `sends` messages of each being known of.

    The rest is held. What people said, and not that nothing arrives, is always carried out.
    """
    dead = sorted(one for one in called if one[1].reason == BOUNCED)
    permitted = [one for _, one in called if one.reason != BOUNCED]
    words = {name: [one for _, one in group] for name, group in groupby(dead, itemgetter(0))}
    names = words.keys() | sends.keys()
    if not names:
        return permitted
    before = await tolls.lock_tolls(tx, names)
    after: dict[str, Toll] = {}
    for name in sorted(names):
        said = words.get(name, [])
        after[name], count = weigh(before[name], sends.get(name, 0), len(said), now)
        permitted += said[:count]
        await tolls.hold_deaths(tx, name, said[count:])
        await _tell_change(tx, name, before[name], after[name])
    await tolls.save_tolls(tx, after)
    return permitted


async def _tell_change(tx: Transaction, name: str, before: Toll, after: Toll) -> None:
    if before.held_since is None and after.held_since is not None:
        log.error("deaths_held", provider=name, remedy=REMEDY.replace("NAME", name))
    elif before.held_since is not None and after.held_since is None:
        # Whoever was called dead by mistake must not die of it now; the others are called so again.
        dropped = await tolls.drop_held_deaths(tx, name)
        log.warning("deaths_carried_out_again", provider=name, dropped=dropped)


async def confirm(tx: Transaction, provider: str, limit: int, now: int) -> int:
    """An admin says that it is right: carry out some of what is held; how many. Until it is 0."""
    if not await _knows(tx, provider):
        return 0
    await tolls.save_tolls(tx, {provider: trusted(now)})
    held = await tolls.take_held_deaths(tx, provider, BOUNCED, limit)
    await bury(tx, held)
    return len(held)


async def discard(tx: Transaction, provider: str) -> int:
    """An admin says that it was wrong: forget what is held, and count anew; how many."""
    if not await _knows(tx, provider):
        return 0
    await tolls.save_tolls(tx, {provider: Toll()})
    return await tolls.drop_held_deaths(tx, provider)


async def _knows(tx: Transaction, provider: str) -> bool:
    return bool(await tx.fetch("lock_tolls", providers=[provider]))
