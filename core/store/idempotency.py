"""Answers kept by Idempotency-Key, so that a request sent twice takes effect once.

A key belongs to the credential that used it first. While `status` is null its request is at work,
or its process died: after `TAKEOVER_MS` the next request with that key takes over.
"""

from typing import Final

import msgspec

from angarium.core.store.protocol import Transaction

KEPT_MS: Final = 24 * 3_600_000
"""How long an answer is repeated at least."""
TAKEOVER_MS: Final = 60_000
"""Longer than any request that creates something takes."""


class Name(msgspec.Struct, frozen=True):
    """Whose key it is, and the key."""

    workspace: str
    credential: str
    key: str


class Kept(msgspec.Struct, frozen=True):
    """What is known of a key: the request that came with it, and its answer once there is one."""

    fingerprint: str
    status: int | None
    body: str | None


async def begin(tx: Transaction, name: Name, fingerprint: str, now: int) -> Kept | None:
    """Take the key for this request; else what is known of it. `now` in ms."""
    params = {"workspace": name.workspace, "credential": name.credential, "key": name.key}
    if await tx.run("begin_answer", **params, fingerprint=fingerprint, now=now):
        return None
    rows = await tx.fetch("find_answer", **params)
    if rows:
        known, status, body, created_at = rows[0]
        abandonable = status is None and known == fingerprint
        if now < created_at + (TAKEOVER_MS if abandonable else KEPT_MS):
            return Kept(known, status, body)
    await tx.run("restart_answer", **params, fingerprint=fingerprint, now=now)
    return None


async def finish(tx: Transaction, name: Name, status: int, body: str) -> None:
    """Keep the answer."""
    await tx.run(
        "store_answer",
        workspace=name.workspace,
        credential=name.credential,
        key=name.key,
        status=status,
        body=body,
    )


async def forget(tx: Transaction, name: Name) -> None:
    """The request was refused or failed: the key is free again."""
    await tx.run(
        "forget_answer", workspace=name.workspace, credential=name.credential, key=name.key
    )


async def forget_old(tx: Transaction, now: int) -> int:
    """Delete the keys whose time is over; how many. For whoever tidies up."""
    return await tx.run("forget_old_answers", before=now - KEPT_MS)
