"""Whose a message is (architecture.md, People).

A message that carries an anonymous id A and a user id U binds A to U at its event time. What A
alone says at time t belongs to the person of the first binding at or after t; while there is
none, to A's open anonymous profile. So S2.1 to S2.5 hold whatever order messages arrive in.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import msgspec

from angarium.core.delivery.keys import make_id
from angarium.core.events.message import Message

Binding = tuple[int, str]
"""(event time in ms, user id). Of a run of bindings to one user only the last is kept."""


class Visitor(msgspec.Struct):
    """An anonymous id: its open anonymous profile, if there is one, and its bindings by time."""

    anonymous_id: str
    profile_id: str | None = None
    bindings: list[Binding] = []


def profile_of_user(workspace: str, user_id: str) -> str:
    """The id of a known person's profile; every worker makes the same."""
    return make_id("prf_", workspace, "user", user_id)


def bindings_in(messages: Iterable[Message]) -> dict[str, list[Binding]]:
    """The bindings that messages make, by anonymous id."""
    found: dict[str, list[Binding]] = {}
    for message in messages:
        if message.user_id is None:
            continue
        binding = (message.at, message.user_id)
        if message.anonymous_id is not None:
            found.setdefault(message.anonymous_id, []).append(binding)
        for previous in message.previous_ids:
            found.setdefault(previous, []).append(binding)
    return found


def compress(bindings: Iterable[Binding]) -> list[Binding]:
    """Sorted, and of each run to one user the last."""
    kept: list[Binding] = []
    for binding in sorted(bindings):
        if kept and kept[-1][1] == binding[1]:
            kept.pop()
        kept.append(binding)
    return kept


def extend(bindings: Sequence[Binding], new: Iterable[Binding]) -> list[Binding] | None:
    """The bindings with `new` ones; None where a late one needs the whole history to be placed.

    Late means: before a binding to somebody else, where only the last of each run is known.
    """
    extended = list(bindings)
    for binding in sorted(new):
        place = bisect_left(extended, binding)
        if place < len(extended):
            if extended[place][1] != binding[1]:
                return None
        elif extended and extended[-1][1] == binding[1]:
            extended[-1] = binding
        else:
            extended.append(binding)
    return extended


def owner_at(bindings: Sequence[Binding], at: int) -> str | None:
    """The user whose the visitor's words at `at` are; None: nobody's yet."""
    place = bisect_left(bindings, (at, ""))
    return bindings[place][1] if place < len(bindings) else None


def owner_of(message: Message, bindings: Sequence[Binding]) -> str | None:
    """The user whose `message` is; `bindings` are those of its anonymous id."""
    return message.user_id if message.user_id is not None else owner_at(bindings, message.at)


def first_new(before: Sequence[Binding], after: Sequence[Binding]) -> Binding | None:
    """The earliest binding in `after` that may take words from the open anonymous profile.

    That is the first one later than all of `before`: the open profile holds only later words.
    """
    last = before[-1][0] if before else None
    for binding in after:
        if last is None or binding[0] > last:
            return binding
    return None
