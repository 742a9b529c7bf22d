"""Somebody withdrew from a channel, by a link or a reply: their profile learns it, and the log."""

from typing import Final

import msgspec

from angarium.core.people import profile as rules
from angarium.core.store import people
from angarium.core.store.protocol import Transaction

KIND: Final = "consent"


class ConsentBody(msgspec.Struct):
    """What the log keeps of it."""

    channel: str
    state: str
    reason: str


async def opt_out(
    tx: Transaction, workspace: str, profile_id: str, channel: str, at: int, id: str
) -> None:
    """Withdraw from `channel` at `at` (ms); `id` is unique, and the same again changes nothing."""
    message_id = f"{KIND}:{id}"
    if await tx.fetch("find_seen", workspace=workspace, ids=[message_id]):
        return
    found = await people.lock_profiles(tx, workspace, {profile_id: None}, at)
    person = found[profile_id]
    rules.opt_out(person.state, channel, at, message_id, "unsubscribed")
    person.touch()
    await people.save_profiles(tx, workspace, [person])
    body = msgspec.json.encode(ConsentBody(channel, "opted_out", "unsubscribed")).decode()
    row = (workspace, message_id, profile_id, at, at, KIND, "", None, person.user_id, None, None)
    await tx.many("add_events", [(*row, body)])
