"""Addresses that get nothing, whoever asks: bounced, complained, or taken off by an operator.

They are compared by `fold_address` and shown as they were given.
"""

import msgspec

from angarium.core.store.protocol import Row, Transaction
from angarium.plugins.channel import EMAIL


class Suppression(msgspec.Struct, frozen=True):
    """One address of a channel, as it was given; `at` in ms."""

    channel: str
    address: str
    reason: str
    at: int


def fold_address(channel: str, address: str) -> str:
    """The form in which addresses of a channel are compared.

    No mail service tells Ann@example.org from ann@example.org, though RFC 5321 §2.4 would let one;
    tokens of push are different in every letter.
    """
    return address.lower() if channel == EMAIL.name else address


async def list_suppressions(
    tx: Transaction, workspace: str, channel: str | None, after: tuple[str, str], limit: int
) -> list[Suppression]:
    """By channel and folded address, those after `after`; `channel` None: of all."""
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
    address = fold_address(new.channel, new.address)
    await tx.run(
        "put_suppression",
        workspace=workspace,
        channel=new.channel,
        address=address,
        reason=new.reason,
        at=new.at,
        given=new.address,
    )
    rows = await tx.fetch(
        "find_suppression", workspace=workspace, channel=new.channel, address=address
    )
    return _suppression(rows[0])


async def release(tx: Transaction, workspace: str, channel: str, address: str) -> bool:
    """Take an address off the list; whether it stood there."""
    folded = fold_address(channel, address)
    return bool(
        await tx.run("remove_suppression", workspace=workspace, channel=channel, address=folded)
    )


def _suppression(row: Row) -> Suppression:
    return Suppression(*row)
