"""Known people who were joined into others."""

from collections.abc import Collection, Mapping

import msgspec

from angarium.core.people.identity import Binding
from angarium.core.people.joins import Join, Joins
from angarium.core.store.people import ANONYMOUS, USER
from angarium.core.store.protocol import Transaction

_bindings = msgspec.json.Decoder(list[Binding]).decode


async def load_joins(tx: Transaction, workspace: str) -> Joins:
    """All joins of a workspace: an operator's acts, so there are few."""
    rows = await tx.fetch("list_joins", workspace=workspace)
    return Joins(workspace, {user: Join(target, at) for user, target, at in rows})


async def find_names(
    tx: Transaction, workspace: str, ids: Collection[str]
) -> tuple[set[str], set[str]]:
    """Of these ids, those that are somebody's user id, and those that are an anonymous id."""
    keys = [(kind, id) for kind in (ANONYMOUS, USER) for id in sorted(ids)]
    rows = {(kind, id) for kind, id in await tx.fetch("find_names", workspace=workspace, keys=keys)}
    return {id for id in ids if (USER, id) in rows}, {id for id in ids if (ANONYMOUS, id) in rows}


async def read_bindings(
    tx: Transaction, workspace: str, anonymous_ids: Collection[str]
) -> dict[str, list[Binding]]:
    """To whom anonymous ids were bound, to be looked at only."""
    if not anonymous_ids:
        return {}
    ids = sorted(anonymous_ids)
    rows = await tx.fetch("read_bindings", workspace=workspace, ids=ids)
    return {value: _bindings(text) for value, text in rows}


async def save_joins(
    tx: Transaction, workspace: str, new: Mapping[str, Join], profiles: Mapping[str, str]
) -> None:
    """Keep new joins. profiles: by user id, the profile that the id means from now on."""
    joins = [(workspace, user, join.target, join.at) for user, join in sorted(new.items())]
    await tx.many("add_joins", joins)
    users = [(workspace, USER, user, profile, "[]") for user, profile in sorted(profiles.items())]
    await tx.many("save_identities", users)


async def move_visitors(tx: Transaction, workspace: str, source: str, target: str) -> None:
    """The anonymous ids under which a person came are another's now."""
    await tx.run("copy_known_as", workspace=workspace, source=source, target=target)
    await tx.run("drop_known_as_of", workspace=workspace, source=source)
