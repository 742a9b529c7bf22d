"""Campaign definitions: immutable versions, and the state of each campaign.

    draft → active ⇄ paused → archived        (draft and active may be archived too)

Whatever the core must see changes `definitions_revision` in the same transaction, so a worker need
only compare one number to know whether its rules are still the ones in force.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from angarium.core.store.protocol import Row, Transaction

STATES: Final = ("draft", "active", "paused", "archived")

MOVES: Final[dict[str, frozenset[str]]] = {
    "draft": frozenset({"active", "archived"}),
    "active": frozenset({"paused", "archived"}),
    "paused": frozenset({"active", "archived"}),
    "archived": frozenset(),
}
"""Where a campaign may go from each state; staying is no move, and always allowed."""


class StoredCampaign(msgspec.Struct, frozen=True):
    """A campaign with its present definition (JSON, api.md's shape). Instants in ms."""

    id: str
    version: int
    name: str
    state: str
    created_at: int
    updated_at: int
    activated_at: int | None
    definition: str

    @property
    def body(self) -> dict[str, Any]:
        """The definition as an object."""
        return msgspec.json.decode(self.definition, type=dict[str, Any])


class ActiveCampaign(msgspec.Struct, frozen=True):
    """What the core needs of a campaign that reacts to events; the definition as JSON."""

    workspace: str
    id: str
    version: int
    name: str
    activated_at: int
    definition: str


async def create_campaign(
    tx: Transaction, workspace: str, id_: str, name: str, definition: str, now: int
) -> StoredCampaign:
    """A new draft, version 1. One that has this id already stays as it is, and is given."""
    if await tx.run("create_campaign", workspace=workspace, id=id_, name=name, now=now):
        await _add_version(tx, workspace, id_, 1, definition, now)
    stored = await find_campaign(tx, workspace, id_)
    assert stored is not None  # it was written in this transaction, or stood there
    return stored


async def find_campaign(tx: Transaction, workspace: str, id_: str) -> StoredCampaign | None:
    """A campaign with its present definition."""
    return _one(await tx.fetch("read_campaign", workspace=workspace, id=id_))


async def lock_campaign(tx: Transaction, workspace: str, id_: str) -> StoredCampaign | None:
    """The same, kept from changing until the transaction ends."""
    return _one(await tx.fetch("lock_campaign", workspace=workspace, id=id_))


async def find_definition(tx: Transaction, workspace: str, id_: str, version: int) -> str | None:
    """The definition (JSON) of one version, for runs that began with it."""
    rows = await tx.fetch("read_campaign_version", workspace=workspace, id=id_, version=version)
    return str(rows[0][0]) if rows else None


async def list_campaigns(
    tx: Transaction, workspace: str, state: str | None, before: tuple[int, str], limit: int
) -> list[StoredCampaign]:
    """Campaigns, newest first, that come after `before` (created_at, id); `state` None: all."""
    rows = await tx.fetch(
        "page_campaigns",
        workspace=workspace,
        state=state,
        before_at=before[0],
        before_id=before[1],
        limit=limit,
    )
    return [StoredCampaign(*row) for row in rows]


async def revise(
    tx: Transaction, workspace: str, old: StoredCampaign, name: str, definition: str, now: int
) -> StoredCampaign:
    """Make a new version the present one; `old` was locked in this transaction."""
    version = old.version + 1
    await _add_version(tx, workspace, old.id, version, definition, now)
    await tx.run(
        "revise_campaign", workspace=workspace, id=old.id, version=version, name=name, now=now
    )
    if old.state == "active":
        await tx.run("bump_definitions_revision")
    return msgspec.structs.replace(
        old, version=version, name=name, definition=definition, updated_at=now
    )


async def move(
    tx: Transaction, workspace: str, old: StoredCampaign, state: str, now: int
) -> StoredCampaign:
    """Put a campaign in another state; `old` was locked in this transaction, the move is legal."""
    if state == old.state:
        return old
    await tx.run("set_campaign_state", workspace=workspace, id=old.id, state=state, now=now)
    await tx.run("bump_definitions_revision")
    activated_at = now if state == "active" else old.activated_at
    return msgspec.structs.replace(old, state=state, updated_at=now, activated_at=activated_at)


async def active_campaigns(tx: Transaction) -> list[ActiveCampaign]:
    """Every campaign that reacts to events, of all workspaces."""
    return [ActiveCampaign(*row) for row in await tx.fetch("active_campaigns")]


async def definitions_revision(tx: Transaction) -> int:
    """Grows whenever the core must read the definitions again; 0: nothing was ever active."""
    rows = await tx.fetch("read_definitions_revision")
    return int(rows[0][0]) if rows else 0


async def campaign_totals(tx: Transaction, workspace: str, id_: str) -> dict[str, int]:
    """What is counted of a campaign's runs, by name: `enrolled`, `waiting`, …"""
    rows = await tx.fetch("campaign_totals", workspace=workspace, campaign=id_)
    return {name: int(count) for name, count in rows}


async def _add_version(
    tx: Transaction, workspace: str, id_: str, version: int, definition: str, now: int
) -> None:
    await tx.run(
        "add_campaign_version",
        workspace=workspace,
        id=id_,
        version=version,
        definition=definition,
        now=now,
    )


def _one(rows: Sequence[Row]) -> StoredCampaign | None:
    return StoredCampaign(*rows[0]) if rows else None
