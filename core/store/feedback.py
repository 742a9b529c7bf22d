"""Feedback written into the ledger: receipts, reactions, and an operator's word."""

from collections.abc import Mapping, Sequence

import msgspec

from angarium.core.delivery.feedback import Feedback, Heard, Reactions, Settlement, address_of, hear
from angarium.core.delivery.record import Delivery, move
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.changes import Changes
from angarium.core.store.ledger import Key, fenced, lock, save_moves, save_rows
from angarium.core.store.protocol import Transaction

S = DeliveryState

_decode = msgspec.json.Decoder(Reactions).decode


class Handed(msgspec.Struct, frozen=True):
    """A delivery: to whom it went, and to which address ("" if that is not known)."""

    id: str
    profile_id: str
    channel: str
    address: str


async def find_handed(
    tx: Transaction, workspace: str, items: Sequence[Feedback]
) -> list[Handed | None]:
    """Of each piece, whom it speaks of; None: no delivery of ours that was handed over.

    Locks nothing, so that a person's consent may be changed before their deliveries are.
    """
    names = await _names(tx, workspace, items)
    keys = sorted({(workspace, id) for id in names if id})
    rows = await tx.fetch("read_handed", keys=keys) if keys else ()
    found = {
        id: Handed(id, profile, channel, address_of(context))
        for id, profile, channel, context in rows
    }
    return [found.get(id) for id in names]


async def apply_feedback(
    tx: Transaction, workspace: str, items: Sequence[Feedback], changes: Changes, now: int
) -> list[tuple[Feedback, Heard]]:
    """Move deliveries and count reactions; gives each piece with what came of it, in order.

    Pieces that name no delivery of ours, or one that was never handed over, are left out.
    """
    names = await _names(tx, workspace, items)
    rows = {row.id: row for row in await lock(tx, {(workspace, id) for id in names if id})}
    reactions = await _reactions(tx, sorted(row.key for row in rows.values()))
    before = dict(rows)
    heard: list[tuple[Feedback, Heard]] = []
    for id, item in zip(names, items, strict=True):
        found = hear(rows[id], reactions[id], item) if id in rows else None
        if found is not None:
            _note(found, item, changes)
            rows[id] = found.new
            heard.append((item, found))
    await save_rows(tx, [row for id, row in rows.items() if row is not before[id]], now)
    await _save_reactions(tx, heard, reactions)
    return heard


async def settle(
    tx: Transaction, workspace: str, id: str, settlement: Settlement, changes: Changes, now: int
) -> Delivery | None:
    """An operator settles a delivery that is in doubt; gives it as it is now.

    None: there is no such delivery, or it is not in doubt (any more).
    """
    found = await lock(tx, [(workspace, id)])
    if not found or found[0].state is not S.IN_DOUBT:
        return None
    new = _settled(found[0], settlement, now)
    await save_moves(tx, [(found[0], new)], changes, now)
    return new


def _settled(old: Delivery, settlement: Settlement, now: int) -> Delivery:
    match settlement:
        case "sent":
            return move(old, S.ACCEPTED, reason="operator", worker=None, accepted_at=now)
        case "not_sent":
            return move(old, S.FAILED, reason="operator", worker=None)
        case "send_again":
            again = old.resends + 1
            return move(old, S.PLANNED, reason="operator", due_at=now, resends=again, **fenced(old))


def _note(heard: Heard, item: Feedback, changes: Changes) -> None:
    if heard.new is not heard.old:
        changes.moved(heard.old, heard.new, item.at)
    if heard.reaction:
        changes.reacted(heard.new, heard.reaction, item.at, first=heard.first)


async def _names(tx: Transaction, workspace: str, items: Sequence[Feedback]) -> list[str]:
    """The id of the delivery that each piece speaks of; "" for none that is known."""
    keys = sorted({(i.provider, i.provider_id) for i in items if not i.delivery and i.provider_id})
    ids: dict[tuple[str, str], str] = {}
    if keys:
        rows = await tx.fetch("find_by_provider_id", workspace=workspace, keys=keys)
        ids = {(provider, provider_id): id for provider, provider_id, id in rows}
    return [i.delivery or ids.get((i.provider, i.provider_id), "") for i in items]


async def _reactions(tx: Transaction, keys: Sequence[Key]) -> dict[str, Reactions]:
    if not keys:
        return {}
    return {id: _decode(text) for _, id, text in await tx.fetch("read_reactions", keys=keys)}


async def _save_reactions(
    tx: Transaction, heard: Sequence[tuple[Feedback, Heard]], reactions: Mapping[str, Reactions]
) -> None:
    keys = sorted({found.new.key for _, found in heard if found.reaction})
    if keys:
        rows = [(*key, msgspec.json.encode(reactions[key[1]]).decode()) for key in keys]
        await tx.many("save_reactions", rows)
