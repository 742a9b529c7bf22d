"""Addresses that get nothing, whoever asks: bounced, complained, or taken off by an operator."""

from typing import Literal

import msgspec

from angarium.core.store.protocol import Row, Transaction

Reason = Literal["bounced", "complained", "operator"]


class Suppression(msgspec.Struct, frozen=True):
    """One address of a channel, as sent to; `at` in ms."""

    channel: str
    address: str
    reason: str
    at: int


async def list_suppressions(
    tx: Transaction, workspace: str, channel: str | None, after: tuple[str, str], limit: int
) -> list[Suppression]:
    """By channel and address, those after `after`; `channel` None: of all."""
    rows = await tx.fetch(
        "page_suppressions",
        workspace=workspace,
        channel=channel,
        after_channel=after[0],
        after_address=after[1],
        limit=limit,
    )
    return [_suppression(row) for row in rows]


async def suppress(tx: Transaction, workspace: str, new: Suppression) -> Suppression:
    """Put an address on the list; what stands there already stays as it is, and is given."""
    await tx.run(
        "put_suppression",
        workspace=workspace,
        channel=new.channel,
        address=new.address,
        reason=new.reason,
        at=new.at,
    )
    rows = await tx.fetch(
        "find_suppression", workspace=workspace, channel=new.channel, address=new.address
    )
    return _suppression(rows[0])


async def release(tx: Transaction, workspace: str, channel: str, address: str) -> bool:
    """Take an address off the list; whether it stood there."""
    return bool(
        await tx.run("remove_suppression", workspace=workspace, channel=channel, address=address)
    )


def _suppression(row: Row) -> Suppression:
    return Suppression(*row)
