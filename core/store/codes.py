"""Promo codes of uploaded lists: each is given to one delivery, for good.

Whoever adds codes to a list, or gives some, holds the list's row first. So the figures are right,
no code is given twice, and no two of them wait for each other: giving takes one short transaction
for a whole batch of deliveries.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from angarium.core.store.ledger import Key
from angarium.core.store.protocol import Transaction


class CodeList(msgspec.Struct, frozen=True):
    """A list and its figures; `given`: how many of `total` codes are somebody's. At in ms."""

    id: str
    name: str
    total: int
    given: int
    created_at: int

    @property
    def free(self) -> int:
        """How many codes are left."""
        return self.total - self.given


class Wanted(msgspec.Struct, frozen=True):
    """A delivery that needs a code; `list` is the id or the name of a list."""

    workspace: str
    list: str
    delivery: str


async def create_list(
    tx: Transaction, workspace: str, id_: str, name: str, now: int
) -> CodeList | None:
    """An empty list. The one that has this id already is given; None: the name is taken."""
    await tx.run("create_code_list", workspace=workspace, id=id_, name=name, now=now)
    found = await find_list(tx, workspace, id_)
    return found if found is not None and found.id == id_ else None


async def find_list(tx: Transaction, workspace: str, ref: str) -> CodeList | None:
    """A list by its id or its name."""
    rows = await tx.fetch("find_code_list", workspace=workspace, ref=ref)
    return CodeList(*rows[0]) if rows else None


async def page_lists(
    tx: Transaction, workspace: str, before: tuple[int, str], limit: int
) -> list[CodeList]:
    """Lists, newest first, that come after `before` (created_at, id)."""
    rows = await tx.fetch(
        "page_code_lists",
        workspace=workspace,
        before_at=before[0],
        before_id=before[1],
        limit=limit,
    )
    return [CodeList(*row) for row in rows]


async def add_codes(tx: Transaction, workspace: str, id_: str, codes: Sequence[str]) -> int:
    """Put codes at the end of a list that is there; how many of them it did not have."""
    await tx.fetch("lock_code_list", workspace=workspace, id=id_)
    new = [(code,) for code in dict.fromkeys(codes)]
    added = await tx.run("add_codes", workspace=workspace, list=id_, codes=new)
    await tx.run("count_codes", workspace=workspace, id=id_, added=added, given=0)
    return added


async def give_codes(tx: Transaction, wanted: Collection[Wanted], now: int) -> dict[Key, str]:
    """The codes of deliveries, by (workspace, delivery): the one that each has, or a free one.

    A delivery that is absent got none: its list is used up, or is not there.
    """
    if not wanted:
        return {}
    refs = sorted({(one.workspace, one.list) for one in wanted})
    lists: dict[Key, str] = {}
    for workspace, id_, name in await tx.fetch("lock_code_lists", keys=refs):
        lists |= {(workspace, name): id_, (workspace, id_): id_}
    keys = sorted({(one.workspace, one.delivery) for one in wanted})
    rows = await tx.fetch("find_given_codes", keys=keys)
    codes: dict[Key, str] = {(workspace, delivery): code for workspace, delivery, code in rows}
    for (workspace, id_), deliveries in sorted(_without(wanted, codes, lists).items()):
        given = await _give(tx, workspace, id_, list(deliveries), now)
        codes |= {(workspace, delivery): code for delivery, code in given.items()}
    return codes


def _without(
    wanted: Collection[Wanted], codes: Mapping[Key, str], lists: Mapping[Key, str]
) -> dict[Key, dict[str, None]]:
    """The deliveries that have no code, in their order, by (workspace, list)."""
    found: dict[Key, dict[str, None]] = {}
    for one in wanted:
        id_ = lists.get((one.workspace, one.list))
        if id_ is not None and (one.workspace, one.delivery) not in codes:
            found.setdefault((one.workspace, id_), {})[one.delivery] = None
    return found


async def _give(
    tx: Transaction, workspace: str, id_: str, deliveries: Sequence[str], now: int
) -> dict[str, str]:
    free = await tx.fetch("list_free_codes", workspace=workspace, list=id_, limit=len(deliveries))
    pairs = list(zip(deliveries, free, strict=False))  # there may be fewer codes than are wanted
    if pairs:
        await tx.many("give_codes", [(number, one, now) for one, (number, _) in pairs])
        await tx.run("count_codes", workspace=workspace, id=id_, added=0, given=len(pairs))
    return {delivery: code for delivery, (_, code) in pairs}
