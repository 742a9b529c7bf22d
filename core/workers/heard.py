"""What was said is heard once.

People's history shows what they did before; a list of its own, what providers said.

So a callback that somebody recorded and sends again has no effect, not even on an address that an
operator has taken off the list since.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from angarium.core.delivery.feedback import STATUS, Feedback
from angarium.core.store.feedback import Handed
from angarium.core.store.protocol import Transaction

KEPT: Final = 30 * 86_400_000
"""Milliseconds for which what providers said is known again."""

REACTION_KIND: Final = "reaction"
"""Of entries in the log of events, which is people's history."""


async def find_unheard(
    tx: Transaction, workspace: str, items: Sequence[Feedback]
) -> list[Feedback]:
    """The first of each id that was not heard before; without an id everything is new."""
    first: dict[str, Feedback] = {}
    for number, item in enumerate(items):
        first.setdefault(item.id or f" {number}", item)
    said = [item.id for item in items if item.id and item.kind == STATUS]
    done = [_message_id(item) for item in items if item.id and item.kind != STATUS]
    heard: set[str] = set()
    if said:
        heard = {id for (id,) in await tx.fetch("find_heard", workspace=workspace, ids=said)}
    if done:
        heard |= {id for (id,) in await tx.fetch("find_seen", workspace=workspace, ids=done)}
    return [item for item in first.values() if _heard_as(item) not in heard]


async def remember(
    tx: Transaction,
    workspace: str,
    items: Sequence[Feedback],
    handed: Sequence[Handed | None],
    now: int,
) -> None:
    """Not to be heard again; what people did with a message stands in their history."""
    said: list[tuple[Any, ...]] = []
    done: list[tuple[Any, ...]] = []
    for item, delivery in zip(items, handed, strict=True):
        if delivery is None or not item.id:
            continue
        if item.kind == STATUS:
            said.append((workspace, item.id, now))
            continue
        word = {"kind": item.word, "delivery": delivery.id, "channel": delivery.channel}
        body = msgspec.json.encode(word).decode()
        whose = (workspace, _message_id(item), delivery.profile_id, item.at, now)
        done.append((*whose, REACTION_KIND, "", None, None, None, None, body))
    await tx.many("add_heard", sorted(said))
    await tx.many("add_events", sorted(done, key=lambda row: str(row[1])))


async def forget_heard(tx: Transaction, now: int) -> int:
    """Forget what was said long ago; how many."""
    return await tx.run("forget_heard", before=now - KEPT)


def _heard_as(item: Feedback) -> str:
    return item.id if item.kind == STATUS else _message_id(item)


def _message_id(item: Feedback) -> str:
    return f"{REACTION_KIND}:{item.id}"
