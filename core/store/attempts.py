"""One attempt at a delivery, from the judgement of the gates to the provider's answer."""

from collections.abc import Mapping, Sequence

import msgspec

from angarium.core.delivery.record import Delivery, move
from angarium.core.delivery.status import RECEIPTS, DeliveryState
from angarium.core.store.changes import Changes
from angarium.core.store.ledger import Key, fenced, save_moves
from angarium.core.store.protocol import Row, Transaction
from angarium.core.store.rechecks import NOTHING_SEEN, Seen, find_changed
from angarium.core.store.recipients import RecentKey, count_recent
from angarium.core.store.suppressions import fold_address

S = DeliveryState


class Recent(msgspec.Struct, frozen=True):
    """What the limit's gate saw: `count` messages handed over at or after `since` (ms)."""

    since: int
    count: int


class Judged(msgspec.Struct, frozen=True):
    """A claimed delivery, and what the gates want to become of it: handed, held, skipped, failed.

    gates, context: JSON, kept in the row. revision: the profile's, as the gates saw it (None: there
    is no such profile). seen: what is looked at again if it is to be handed over.
    """

    claimed: Delivery
    wanted: Delivery
    gates: str
    context: str
    revision: int | None
    recent: Recent | None = None
    seen: Seen = NOTHING_SEEN


class Answer(msgspec.Struct, frozen=True):
    """A handed delivery, and what its provider's answer wants to become of it."""

    handed: Delivery
    wanted: Delivery


class Suppressed(msgspec.Struct, frozen=True, order=True):
    """An address to which nothing will ever be sent again; `why`: in the provider's words."""

    workspace: str
    channel: str
    address: str
    reason: str
    at: int
    why: str = ""


async def hand_over(
    tx: Transaction, judged: Sequence[Judged], changes: Changes, now: int
) -> set[Key]:
    """Commit judgements; gives the keys of those that took effect as wanted.

    What was cancelled or taken by another meanwhile is left alone. What the gates saw differently
    (the person changed or got another message that counts, the address was suppressed, they
    reacted to the message before) goes back to be judged anew: nobody changes those people until
    the commit, so no opt-out or stop slips in between.
    """
    revisions = await _revisions(tx, judged)
    standings = await _standings(tx, [item.claimed for item in judged])
    counts = await count_recent(tx, {key for item in judged if (key := _limited(item))})
    changed = await find_changed(tx, _seen(judged))
    moves: list[tuple[Delivery, Delivery]] = []
    documents: list[tuple[str, str]] = []
    done: set[Key] = set()
    for item in judged:
        claimed = item.claimed
        _, _, state, _, _, generation, profile, _ = standings.get(claimed.key, (None,) * 8)
        if state != S.CLAIMED or generation != claimed.generation:
            continue
        same = profile == claimed.profile_id and item.revision == revisions.get(_person(item))
        if same and claimed.key not in changed and _counts_as_seen(item, counts):
            moves.append((claimed, item.wanted))
            done.add(claimed.key)
        else:
            moves.append((claimed, move(claimed, S.PLANNED, due_at=now, **fenced(claimed))))
        documents.append((item.gates, item.context))
    await save_moves(tx, moves, changes, now, documents)
    return done


async def record(
    tx: Transaction, answers: Sequence[Answer], changes: Changes, now: int
) -> set[Key]:
    """Write what providers answered; gives the keys of those that took effect.

    An answer counts as long as its generation is in force. A row that a sweep put in doubt is
    settled by it; one that a receipt has moved on only learns when it was accepted.
    """
    standings = await _standings(tx, [answer.handed for answer in answers])
    moves: list[tuple[Delivery, Delivery]] = []
    for answer in answers:
        row = standings.get(answer.handed.key)
        if row is None or row[5] != answer.handed.generation:
            continue
        old = msgspec.structs.replace(
            answer.handed,
            state=S(row[2]),
            reason=row[3],
            provider=row[4],
            profile_id=row[6],
            provider_id=row[7],
        )
        new = _answered(old, answer.wanted)
        if new is not None:
            moves.append((old, new))
    await save_moves(tx, moves, changes, now)
    contexts = [(*new.key, new.context) for old, new in moves if new.context != old.context]
    if contexts:
        await tx.many("save_contexts", contexts)
    changes.due |= {new.channel for _, new in moves if _is_due(new, now)}
    return {old.key for old, _ in moves}


async def suppress(tx: Transaction, addresses: Sequence[Suppressed]) -> None:
    """Send nothing to these addresses any more; the first reason stays."""
    unique = {
        (one.workspace, one.channel, fold_address(one.channel, one.address)): one
        for one in addresses
    }
    rows = [(*key, one.reason, one.at, one.address) for key, one in sorted(unique.items())]
    await tx.many("add_suppressions", rows)


def _answered(old: Delivery, wanted: Delivery) -> Delivery | None:
    """The row after the answer; None: it stays as it is."""
    if old.state in (S.HANDED, S.IN_DOUBT):
        if old.state is wanted.state:
            return None
        return msgspec.structs.replace(wanted, profile_id=old.profile_id)
    overtaken = old.state is S.ACCEPTED or old.state in RECEIPTS
    if not overtaken or old.provider_id is not None or wanted.provider_id is None:
        return None
    return msgspec.structs.replace(
        old, provider_id=wanted.provider_id, accepted_at=wanted.accepted_at, worker=None
    )


def _is_due(delivery: Delivery, now: int) -> bool:
    """Whether another provider, or another device, is to have it at once."""
    return delivery.state is S.HELD and delivery.due_at <= now


def _limited(item: Judged) -> RecentKey | None:
    """What is to be counted again: only what is to be sent needs it."""
    if item.recent is None or item.wanted.state is not S.HANDED:
        return None
    claimed = item.claimed
    return (claimed.workspace, claimed.profile_id, claimed.campaign, item.recent.since)


def _counts_as_seen(item: Judged, counts: Mapping[RecentKey, int]) -> bool:
    key = _limited(item)
    return key is None or item.recent is None or item.recent.count == counts.get(key, 0)


def _seen(judged: Sequence[Judged]) -> dict[tuple[str, str, str], Seen]:
    """Only what is to be sent is looked at again."""
    return {
        (*item.claimed.key, item.claimed.profile_id): item.seen
        for item in judged
        if item.wanted.state is S.HANDED and item.seen is not NOTHING_SEEN
    }


def _person(item: Judged) -> Key:
    return (item.claimed.workspace, item.claimed.profile_id)


async def _revisions(tx: Transaction, judged: Sequence[Judged]) -> Mapping[Key, int]:
    keys = sorted({_person(item) for item in judged if item.revision is not None})
    if not keys:
        return {}
    rows = await tx.fetch("lock_revisions", keys=keys)
    return {(workspace, id): revision for workspace, id, revision in rows}


async def _standings(tx: Transaction, deliveries: Sequence[Delivery]) -> Mapping[Key, Row]:
    keys = sorted(delivery.key for delivery in deliveries)
    if not keys:
        return {}
    rows = await tx.fetch("lock_standings", keys=keys)
    return {(row[0], row[1]): row for row in rows}
