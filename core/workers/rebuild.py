"""Work profiles out again from the log, when a late message changed whose a part of it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from angarium.core.events.message import Device, Message, Operations
from angarium.core.events.totals import EventTotals, add_occurrence, numeric
from angarium.core.events.values import Problem
from angarium.core.people import identity
from angarium.core.people import profile as rules
from angarium.core.people.identity import Visitor, profile_of_user
from angarium.core.people.profile import Profile, State
from angarium.core.store import people
from angarium.core.store.protocol import Row, Transaction
from angarium.core.workers import consent
from angarium.core.workers.people import People

if TYPE_CHECKING:
    from angarium.core.workers.apply import Batch

Totals = dict[str, EventTotals]


class Body(msgspec.Struct):
    """What the log keeps of an identify or alias message."""

    traits: dict[str, Any] = {}
    hints: dict[str, str] = {}
    operations: Operations | None = None
    device: Device | None = None
    previous: tuple[str, ...] = ()


_body = msgspec.json.Decoder(Body).decode
_word = msgspec.json.Decoder(consent.ConsentBody).decode
_properties = msgspec.json.Decoder(dict[str, Any]).decode


async def resettle(
    tx: Transaction, batch: Batch, crowd: People, visitors: Iterable[Visitor]
) -> None:
    """Give the words of these visitors to whom they belong now, and rebuild all concerned."""
    concerned: dict[str, str | None] = {id: crowd.profiles[id].user_id for id in batch.rebuild}
    for visitor in sorted(visitors, key=lambda v: v.anonymous_id):
        concerned |= await _move_words(tx, batch, visitor)
    profiles = await people.lock_profiles(tx, batch.workspace, concerned, batch.now)
    rows = await tx.fetch("list_log", workspace=batch.workspace, ids=sorted(profiles))
    totals: dict[str, Totals] = {id: {} for id in profiles}
    for profile in profiles.values():
        profile.decoded = State()
        profile.touch()
        profile.created_at, profile.last_seen_at = batch.now, 0
    for row in sorted(rows, key=_by_time):
        _absorb(batch, profiles[row[0]], totals[row[0]], row)
    for profile in profiles.values():
        if profile.last_seen_at == 0 and profile.user_id is None:
            profile.merged_into = min(id for id in profiles if id != profile.id)
    await people.save_profiles(tx, batch.workspace, profiles.values())
    await tx.run("drop_totals", workspace=batch.workspace, ids=sorted(profiles))
    flat = {(id, event): t for id, own in totals.items() for event, t in own.items()}
    await people.save_totals(tx, batch.workspace, flat)


async def _move_words(tx: Transaction, batch: Batch, visitor: Visitor) -> dict[str, str | None]:
    """Set the owner of everything said under the anonymous id alone; gives those concerned."""
    rows = await tx.fetch(
        "list_anonymous_events", workspace=batch.workspace, anonymous_id=visitor.anonymous_id
    )
    users = {user for _, user in visitor.bindings}
    concerned: dict[str, str | None] = {
        profile_of_user(batch.workspace, user): user for user in users
    }
    moves: dict[str, list[int]] = {}
    triggers: dict[str, str] = {}
    for id, message_id, profile_id, at in rows:
        user = identity.owner_at(visitor.bindings, at)
        target = visitor.profile_id if user is None else profile_of_user(batch.workspace, user)
        if target is None:
            target = visitor.profile_id = profile_id
        concerned[target] = user
        if target != profile_id:
            concerned.setdefault(profile_id, None)
            moves.setdefault(target, []).append(id)
            triggers[message_id] = target
    for target, ids in moves.items():
        await tx.run("move_events", target=target, ids=ids)
    await batch.enrolment.move(tx, concerned, triggers)
    if not any(identity.owner_at(visitor.bindings, at) is None for *_, at in rows):
        visitor.profile_id = None
    await people.save_visitors(tx, batch.workspace, [visitor])
    return concerned


def _by_time(row: Row) -> tuple[int, bool]:
    """Visitors' words before the login of the same instant."""
    return (row[2], row[7] is not None)


def _absorb(batch: Batch, profile: Profile, totals: Totals, row: Row) -> None:
    if row[4] == consent.KIND:
        word = _word(row[9])
        rules.opt_out(profile.state, word.channel, row[2], row[1], word.reason)
        return
    message = _message(row)
    profile.see(message.at)
    rules.absorb(profile.state, message, batch.knowledge.types, batch.region, _say_nothing)
    if message.name:
        numbers = numeric(message.properties)
        totals[message.name] = add_occurrence(totals.get(message.name), message.at, numbers)


def _say_nothing(problem: Problem) -> None:
    """What was refused was reported when the message came."""


def _message(row: Row) -> Message:
    _, id, at, received_at, kind, name, anonymous_id, user_id, device, text = row
    body = _body(text) if kind in ("identify", "alias") else Body()
    return Message(
        id=id,
        kind=kind,
        name=name,
        user_id=user_id,
        anonymous_id=anonymous_id,
        at=at,
        received_at=received_at,
        properties=_properties(text) if name else {},
        traits=body.traits,
        operations=body.operations,
        hints=body.hints,
        device=body.device,
        device_id=device,
        previous_ids=body.previous,
    )
