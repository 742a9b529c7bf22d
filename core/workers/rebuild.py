"""Work profiles out again from the log, when a late message changed whose a part of it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from angarium.core.events.message import Message, Operations
from angarium.core.events.totals import EventTotals, add_occurrence
from angarium.core.events.values import Problem
from angarium.core.people import identity
from angarium.core.people import profile as rules
from angarium.core.people.identity import Visitor
from angarium.core.people.joins import become_one
from angarium.core.people.profile import Profile, State
from angarium.core.store import people
from angarium.core.store.joins import read_bindings
from angarium.core.store.protocol import Row, Transaction
from angarium.core.workers import consent
from angarium.core.workers.devices import resettle_devices
from angarium.core.workers.joins import check_current
from angarium.core.workers.people import People

if TYPE_CHECKING:
    from angarium.core.workers.apply import Batch

Totals = dict[str, EventTotals]


class Body(msgspec.Struct):
    """What the log keeps of an identify or alias message."""

    traits: dict[str, Any] = {}
    hints: dict[str, str] = {}
    operations: Operations | None = None
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
    check_current(profiles.values())
    rows = await tx.fetch("list_log", workspace=batch.workspace, ids=sorted(profiles))
    speakers = await _speakers(tx, batch, rows)
    totals: dict[str, Totals] = {id: {} for id in profiles}
    states: dict[str, State] = {}
    for profile in profiles.values():
        state = _emptied(profile, batch.now)
        if profile.user_id is not None:
            states[profile.user_id] = state
    for row in sorted(rows, key=_by_time):
        profile = profiles[row[0]]
        speaker = speakers.get(row[1])
        state = profile.state if speaker is None else states.setdefault(speaker, State())
        _absorb(batch, profile, state, totals[row[0]], row)
    states = become_one(states, batch.joins)
    for profile in profiles.values():
        if profile.user_id is not None:
            profile.decoded = states[profile.user_id]
        if profile.last_seen_at == 0 and profile.user_id is None:
            profile.merged_into = min(id for id in profiles if id != profile.id)
    await resettle_devices(tx, batch.workspace, profiles, rows)
    await people.save_profiles(tx, batch.workspace, profiles.values())
    await tx.run("drop_totals", workspace=batch.workspace, ids=sorted(profiles))
    flat = {(id, event): t for id, own in totals.items() for event, t in own.items()}
    await people.save_totals(tx, batch.workspace, flat)
    rebuilt = People(batch.workspace, profiles, flat, set())
    await batch.enrolment.collapse_moved(tx, rebuilt, profiles.keys())


def _emptied(profile: Profile, now: int) -> State:
    """Nothing is known of the person: that is where the log begins."""
    state = profile.decoded = State()
    profile.touch()
    profile.merged_into = None
    profile.created_at, profile.last_seen_at = now, 0
    return state


async def _move_words(tx: Transaction, batch: Batch, visitor: Visitor) -> dict[str, str | None]:
    """Set the owner of everything said under the anonymous id alone; gives those concerned."""
    rows = await tx.fetch(
        "list_anonymous_events", workspace=batch.workspace, anonymous_id=visitor.anonymous_id
    )
    users = {user for _, user in visitor.bindings}
    joins = batch.joins
    concerned: dict[str, str | None] = {
        joins.profile_of(user): joins.user_of(user) for user in users
    }
    moves: dict[str, list[int]] = {}
    triggers: dict[str, str] = {}
    for id, message_id, profile_id, at in rows:
        user = identity.owner_at(visitor.bindings, at)
        target = visitor.profile_id if user is None else joins.profile_of(user)
        if target is None:
            target = visitor.profile_id = profile_id
        concerned[target] = None if user is None else joins.user_of(user)
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


async def _speakers(tx: Transaction, batch: Batch, rows: Iterable[Row]) -> dict[str, str]:
    """By message id, whom those spoke for who have been joined into others since (joins.py)."""
    joins = batch.joins
    if not joins:
        return {}
    alone = {row[6] for row in rows if row[7] is None and row[6] is not None}
    bindings = await read_bindings(tx, batch.workspace, alone)
    found: dict[str, str] = {}
    for row in rows:
        user = row[7] or identity.owner_at(bindings.get(row[6], ()), row[2])
        if user is not None and joins.is_early(user, row[2]):
            found[row[1]] = joins.speaker(user, row[2])
    return found


def _absorb(batch: Batch, profile: Profile, state: State, totals: Totals, row: Row) -> None:
    if row[4] == consent.KIND:
        word = _word(row[9])
        opted_in = word.state == "opted_in"
        said = (word.channel, opted_in, row[2], row[1], word.reason)
        rules.choose(state, *said, batch.knowledge.types.consents)
        return
    message = _message(row)
    profile.see(message.at)
    rules.absorb(state, message, batch.knowledge.types, batch.region, _say_nothing)
    if message.name:
        before = totals.get(message.name)
        totals[message.name] = add_occurrence(before, message.at, message.properties)


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
        device_id=device,
        previous_ids=body.previous,
    )
