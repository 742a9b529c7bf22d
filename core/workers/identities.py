"""Settle, in a batch's transaction, whose its messages are, and which profiles become one."""

from collections.abc import Sequence

import msgspec

from angarium.core.delivery.keys import make_id
from angarium.core.events.message import Message
from angarium.core.people import identity
from angarium.core.people.identity import Binding, Visitor
from angarium.core.people.joins import Joins
from angarium.core.store import people
from angarium.core.store.protocol import Transaction


class Merge(msgspec.Struct, frozen=True):
    """A profile that becomes another's at `at`: of `anonymous_id`, who logged in, or of a known
    person, `user_id`, who was joined."""

    source: str
    target: str
    anonymous_id: str
    at: int
    user_id: str | None = None


class Settled(msgspec.Struct):
    """Whose everything is.

    owners: the profile of each message. wanted: every profile concerned, with its user id.
    merges: profiles that become somebody known as a whole. joins: which user ids mean others.
    unsettled: anonymous ids whose history has to be gone through, because a late message changed
    whose a part of it is. handed: anonymous ids under which somebody else comes now. rebuild:
    profiles that are to be folded anew, since a merge reaches behind a join.
    """

    joins: Joins
    owners: list[str]
    wanted: dict[str, str | None]
    merges: list[Merge]
    unsettled: dict[str, Visitor]
    visitors: dict[str, Visitor]
    profiles: dict[str, str] = {}
    handed: set[str] = set()
    rebuild: set[str] = set()


async def settle(
    tx: Transaction,
    workspace: str,
    messages: Sequence[Message],
    joins: Joins,
    joined: Sequence[Merge] = (),
) -> Settled:
    """Bind, and find the owner of every message. joined: people who are joined in this batch."""
    new = identity.bindings_in(messages)
    alone = {m.anonymous_id for m in messages if m.anonymous_id is not None}
    visitors = await people.lock_visitors(tx, workspace, new.keys() | alone)
    settled = Settled(joins, [], {}, [*joined], {}, visitors)
    for merge in joined:
        settled.wanted[merge.source] = merge.user_id
        settled.wanted[merge.target] = joins.user_of(merge.user_id or "")
        settled.rebuild.add(merge.target)
    before = {id: (v.profile_id, list(v.bindings)) for id, v in visitors.items()}
    heard = await _last_heard(tx, workspace, [visitors[id] for id in new])
    for anonymous_id, bindings in new.items():
        visitor = visitors[anonymous_id]
        extended = identity.extend(visitor.bindings, bindings)
        if extended is None:
            settled.unsettled[anonymous_id] = visitor
            visitor.bindings = await _from_history(tx, workspace, joins, visitor, bindings)
        else:
            _log_in(settled, visitor, extended, heard)
    settled.owners = [_owner(workspace, settled, message) for message in messages]
    changed = [v for id, v in visitors.items() if (v.profile_id, v.bindings) != before[id]]
    settled.handed = {v.anonymous_id for v in changed if _was_anothers(v, *before[v.anonymous_id])}
    settled.handed -= {one.anonymous_id for one in settled.merges if _went_along(settled, one)}
    await people.save_visitors(tx, workspace, changed)
    await _remember(tx, workspace, joins, changed, {id: old for id, (_, old) in before.items()})
    return settled


async def _last_heard(
    tx: Transaction, workspace: str, visitors: Sequence[Visitor]
) -> dict[str, int]:
    """When each open anonymous profile was last heard of; the visitors' rows are locked."""
    ids = [v.profile_id for v in visitors if v.profile_id is not None]
    if not ids:
        return {}
    rows = await tx.fetch("last_heard", workspace=workspace, ids=ids)
    return {id: int(at) for id, at in rows}


def _log_in(
    settled: Settled, visitor: Visitor, extended: list[Binding], heard: dict[str, int]
) -> None:
    first = identity.first_new(visitor.bindings, extended)
    visitor.bindings = extended
    if visitor.profile_id is None or first is None:
        return
    if heard[visitor.profile_id] > first[0]:
        settled.unsettled[visitor.anonymous_id] = visitor
        return
    at, user = first
    target = settled.joins.profile_of(user)
    merge = Merge(visitor.profile_id, target, visitor.anonymous_id, at)
    settled.merges.append(merge)
    settled.wanted[merge.source] = None
    settled.wanted[merge.target] = settled.joins.user_of(user)
    if settled.joins.is_early(user, at):
        settled.rebuild.add(target)
    visitor.profile_id = None


async def _from_history(
    tx: Transaction, workspace: str, joins: Joins, visitor: Visitor, new: list[Binding]
) -> list[Binding]:
    """All bindings that the log knows of, and the new ones, compressed."""
    profiles = sorted({joins.profile_of(user) for _, user in visitor.bindings})
    name = visitor.anonymous_id
    spoken = await tx.fetch(
        "list_bindings", workspace=workspace, profile_ids=profiles, anonymous_id=name
    )
    named = await tx.fetch("list_alias_bindings", workspace=workspace, profile_ids=profiles)
    history = {(at, user) for at, user in spoken}
    history |= {(at, user) for at, user, body in named if name in _previous(body)}
    return identity.compress([*visitor.bindings, *history, *new])


def _previous(body: str) -> list[str]:
    found = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get("previous")
    return msgspec.json.decode(found, type=list[str]) if found is not None else []


def _owner(workspace: str, settled: Settled, message: Message) -> str:
    visitor = settled.visitors.get(message.anonymous_id or "")
    user = identity.owner_of(message, visitor.bindings if visitor is not None else ())
    if user is None:
        profile = _open_profile(workspace, visitor, message)
        settled.wanted[profile] = None
        return profile
    known = settled.profiles.get(user)
    if known is None:
        known = settled.profiles[user] = settled.joins.profile_of(user)
        settled.wanted[known] = settled.joins.user_of(user)
    return known


def _went_along(settled: Settled, merge: Merge) -> bool:
    """Whether a visitor is now whom their open profile became, and nobody else since."""
    visitor = settled.visitors.get(merge.anonymous_id)
    if visitor is None or visitor.profile_id is not None or not visitor.bindings:
        return False
    return settled.joins.profile_of(visitor.bindings[-1][1]) == merge.target


def _was_anothers(visitor: Visitor, profile_id: str | None, bindings: list[Binding]) -> bool:
    before = profile_id or (bindings[-1][1] if bindings else None)
    now = visitor.profile_id or (visitor.bindings[-1][1] if visitor.bindings else None)
    return before is not None and before != now


def _open_profile(workspace: str, visitor: Visitor | None, message: Message) -> str:
    if visitor is None:
        raise ValueError("a message without ids cannot have an owner")
    if visitor.profile_id is None:
        visitor.profile_id = make_id(
            "prf_", workspace, "anonymous", visitor.anonymous_id, message.id
        )
    return visitor.profile_id


async def _remember(
    tx: Transaction,
    workspace: str,
    joins: Joins,
    visitors: Sequence[Visitor],
    before: dict[str, list[Binding]],
) -> None:
    """Keep, for reading, whose each anonymous id turned out to be."""
    rows = {
        (workspace, joins.profile_of(user), visitor.anonymous_id)
        for visitor in visitors
        for user in {user for _, user in visitor.bindings}
        - {user for _, user in before[visitor.anonymous_id]}
    }
    await tx.many("add_known_as", sorted(rows))
