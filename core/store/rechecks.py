"""What gates looked at besides the person, looked at once more when a message is handed over.

The people are locked by then, and every message to them is handed over under the same lock, so
what is counted here stays as it is counted until the commit.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from angarium.core.delivery.rules import Received
from angarium.core.store.ledger import Key
from angarium.core.store.protocol import Transaction
from angarium.core.store.recipients import AddressKey, find_suppressed

PersonKey = tuple[str, str]
"""(workspace, profile)"""

ReceivedKey = tuple[str, str, int]
"""(workspace, profile, since when in ms)"""


class Seen(msgspec.Struct, frozen=True):
    """What the gates saw of one delivery that may be sent.

    address: to which nothing spoke against sending. since, received: what the person had got at or
    after that instant (None: no cap asks). earlier, unless: the messages in whose place it goes,
    and the reactions of which there was none to them.
    """

    address: AddressKey | None = None
    since: int | None = None
    received: Sequence[Received] = ()
    earlier: tuple[str, ...] = ()
    unless: frozenset[str] = frozenset()


NOTHING_SEEN = Seen()


async def list_received(
    tx: Transaction, keys: Collection[ReceivedKey]
) -> dict[PersonKey, list[Received]]:
    """What people were sent since an instant (one for each person), in order; absent: nothing."""
    if not keys:
        return {}
    found: dict[PersonKey, list[Received]] = {}
    for workspace, profile, at, class_ in await tx.fetch("list_received", keys=sorted(keys)):
        found.setdefault((workspace, profile), []).append(Received(at, class_))
    return found


async def find_reactions(tx: Transaction, keys: Collection[Key]) -> dict[Key, frozenset[str]]:
    """What was done with some deliveries: kinds of reactions; absent: no such delivery."""
    if not keys:
        return {}
    rows = await tx.fetch("read_reactions", keys=sorted(keys))
    return {(workspace, id): frozenset(_decode(text)) for workspace, id, text in rows}


_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


async def find_changed(tx: Transaction, seen: Mapping[tuple[str, str, str], Seen]) -> set[Key]:
    """The deliveries, by (workspace, id, profile), that are not as the gates saw them any more."""
    suppressed = await find_suppressed(tx, {one.address for one in seen.values() if one.address})
    since: dict[PersonKey, int] = {}
    for (workspace, _, profile), one in seen.items():
        if one.since is not None:
            person = (workspace, profile)
            since[person] = min(one.since, since.get(person, one.since))
    received = await list_received(tx, {(*person, at) for person, at in since.items()})
    earlier = {(w, id) for (w, _, _), one in seen.items() for id in one.earlier}
    reactions = await find_reactions(tx, earlier)
    return {
        (workspace, id)
        for (workspace, id, profile), one in seen.items()
        if one.address in suppressed
        or (one.since is not None and not _same(one, received.get((workspace, profile), [])))
        or any(one.unless & reactions.get((workspace, before), _NONE) for before in one.earlier)
    }


_NONE: frozenset[str] = frozenset()


def _same(one: Seen, received: Sequence[Received]) -> bool:
    assert one.since is not None
    return [each for each in received if each.at >= one.since] == list(one.received)
