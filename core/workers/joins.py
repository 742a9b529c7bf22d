"""Join known people: an alias from one person's userId to another's, said with an admin key.

A write key stands in web pages, so with one an alias binds only what nobody knows. Two workers may
join and write the same people at once: a profile that was joined into another stays as its
mark, and who locks it to write learns that the joins it knows are old (`check_current`).
"""

from collections.abc import Callable, Iterable

import msgspec

from angarium.core.events.message import Message
from angarium.core.events.values import Problem
from angarium.core.people.identity import profile_of_user
from angarium.core.people.joins import Join, Joins
from angarium.core.people.profile import Profile
from angarium.core.store import joins as store
from angarium.core.store.errors import Contention
from angarium.core.store.protocol import Transaction
from angarium.core.workers.identities import Merge

ALIAS = "alias"
NEEDS_ADMIN = Problem(
    "previousId",
    "needs_admin_key",
    "previousId is a known person's userId: two known people are joined only by an admin key that "
    "has the scope profiles:write",
    None,
)

Refuse = Callable[[Message, Problem], None]


class Joining(msgspec.Struct):
    """What a batch joins: the messages that count, all joins with the `new` ones, and the merges
    of profiles that follow."""

    messages: list[Message]
    joins: Joins
    new: dict[str, Join] = {}
    merges: list[Merge] = []


async def find_joins(
    tx: Transaction, workspace: str, messages: list[Message], joins: Joins, refuse: Refuse
) -> Joining:
    """Who is joined by these messages; those that may not are refused."""
    aliases = [message for message in messages if message.kind == ALIAS]
    if not aliases:
        return Joining(messages, joins)
    ids = {id for message in aliases for id in message.previous_ids}
    users, visitors = await store.find_names(tx, workspace, ids)
    users |= {message.user_id for message in messages if message.user_id in ids}
    found = Joining([], joins)
    instead: dict[str, Message | None] = {}
    for message in sorted(aliases, key=lambda one: (one.at, one.id)):
        (previous,) = message.previous_ids
        user = message.user_id or ""
        if previous in users and previous not in visitors:
            instead[message.id] = msgspec.structs.replace(message, previous_ids=())
        if found.joins.user_of(previous) == found.joins.user_of(user):
            continue
        if message.trusted and (previous in users or previous not in visitors):
            _join(found, previous, user, message.at)
        elif previous in users:
            instead[message.id] = None
            refuse(message, NEEDS_ADMIN)
    wanted = (instead.get(message.id, message) for message in messages)
    found.messages = [message for message in wanted if message is not None]
    found.merges = [_merge(workspace, found.joins, *item) for item in found.new.items()]
    return found


async def save_joins(tx: Transaction, workspace: str, joining: Joining) -> None:
    """Write what is joined; the profiles are locked."""
    if not joining.new:
        return
    profiles = {user: joining.joins.profile_of(user) for user in joining.new}
    await store.save_joins(tx, workspace, joining.new, profiles)
    for merge in joining.merges:
        await store.move_visitors(tx, workspace, merge.source, merge.target)


def check_current(profiles: Iterable[Profile]) -> None:
    """Raise Contention where somebody else has joined one of these people into another."""
    if any(person.merged_into is not None and person.user_id is not None for person in profiles):
        raise Contention("another worker joined two people")


def _join(found: Joining, previous: str, user: str, at: int) -> None:
    source = found.joins.user_of(previous)
    join = Join(found.joins.user_of(user), at)
    found.joins = found.joins.add(source, join)
    found.new[source] = join


def _merge(workspace: str, joins: Joins, user: str, join: Join) -> Merge:
    source = profile_of_user(workspace, user)
    return Merge(source, joins.profile_of(user), "", join.at, user)
