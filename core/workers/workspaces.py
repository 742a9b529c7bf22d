"""Which workspaces a stream's messages may name.

Whoever may publish may write any name into a subject. What stood under a name that is no
workspace's, nobody could ever read.
"""

from collections.abc import Collection

from angarium.core.events.values import Problem
from angarium.core.store.protocol import Store
from angarium.core.store.workspaces import list_workspaces


class Workspaces:
    """The names, read again only when somebody names one that is not among them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: frozenset[str] = frozenset()

    async def strangers(self, names: Collection[str]) -> set[str]:
        """The names that are no workspace's. Raises StoreError."""
        strange = {*names} - self._known
        if strange:
            async with self._store.reading() as tx:
                self._known = await list_workspaces(tx)
        return strange - self._known


def unknown_workspace(name: str) -> Problem:
    """To be told in the default workspace: an operator reads what nobody else would."""
    reason = "no workspace has this name; put one that exists into the subject"
    return Problem("workspace", "unknown_workspace", reason, name)
