"""Which workspaces there are."""

from typing import Final

from angarium.core.store.protocol import Transaction

DEFAULT: Final = "default"
"""The one that every instance has; what names no workspace of ours is told there."""


async def list_workspaces(tx: Transaction) -> frozenset[str]:
    """The names of all of them."""
    return frozenset(name for (name,) in await tx.fetch("list_workspaces"))
