"""What people say of a channel by a link or a reply: their profile learns it, and the log."""

from collections.abc import Mapping
from typing import Final

import msgspec

from angarium.core.people import profile as rules
from angarium.core.people.consent import CONSENT_OF
from angarium.core.store import people
from angarium.core.store.protocol import Transaction
from angarium.core.store.reading import MERGES_FOLLOWED

KIND: Final = "consent"


class ConsentBody(msgspec.Struct):
    """What the log keeps of it."""

    channel: str
    state: str
    reason: str


async def opt_out(
    tx: Transaction,
    workspace: str,
    profile_id: str,
    channel: str,
    at: int,
    id: str,
    *,
    consents: Mapping[str, str] = CONSENT_OF,
) -> None:
    """Withdraw from `channel` at `at` (ms), as `choose` does."""
    await choose(
        tx, workspace, profile_id, channel, False, at, id, "unsubscribed", consents=consents
    )


async def choose(
    tx: Transaction,
    workspace: str,
    profile_id: str,
    channel: str,
    opted_in: bool,
    at: int,
    id: str,
    reason: str,
    *,
    consents: Mapping[str, str] = CONSENT_OF,
) -> None:
    """Opt in to `channel` or out at `at` (ms); `id` is unique: the same again changes nothing.

    Of somebody who was erased nothing is written; of one who was merged, whose profile it is now.
    consents: the channels by the attributes that hold their consents.
    """
    message_id = f"{KIND}:{id}"
    if await tx.fetch("find_seen", workspace=workspace, ids=[message_id]):
        return
    living = await _lock_living(tx, workspace, profile_id)
    if living is None:
        return
    found = await people.lock_profiles(tx, workspace, {living: None}, at)
    person = found[living]
    rules.choose(person.state, channel, opted_in, at, message_id, reason, consents)
    person.touch()
    await people.save_profiles(tx, workspace, [person])
    state = "opted_in" if opted_in else "opted_out"
    body = msgspec.json.encode(ConsentBody(channel, state, reason)).decode()
    row = (workspace, message_id, living, at, at, KIND, "", None, person.user_id, None, None)
    await tx.many("add_events", [(*row, body)])


async def _lock_living(tx: Transaction, workspace: str, profile_id: str) -> str | None:
    """The profile that somebody has now, locked; None: there is none any more."""
    for _ in range(MERGES_FOLLOWED):
        if not await tx.fetch("lock_revisions", keys=[(workspace, profile_id)]):
            return None
        ((*_, merged_into),) = await tx.fetch("read_profile", workspace=workspace, id=profile_id)
        if merged_into is None:
            return profile_id
        profile_id = merged_into
    return None
