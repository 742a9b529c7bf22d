"""People to whom tests of campaigns go, by userId. Admins mark them: a page of a shop cannot."""

import msgspec

from angarium.core.store.protocol import Transaction


class Marked(msgspec.Struct, frozen=True):
    """Somebody who gets tests; `since` in ms."""

    user_id: str
    since: int


async def list_testers(
    tx: Transaction, workspace: str, limit: int, after: str = ""
) -> list[Marked]:
    """By userId, those after `after`."""
    rows = await tx.fetch("page_testers", workspace=workspace, after=after, limit=limit)
    return [Marked(*row) for row in rows]


async def add_tester(tx: Transaction, workspace: str, user_id: str, now: int, *, most: int) -> bool:
    """Mark somebody, if they are not marked already; False: `most` others are."""
    if await tx.run("add_tester", workspace=workspace, user_id=user_id, since=now):
        [(count,)] = await tx.fetch("count_testers", workspace=workspace)
        return bool(count <= most)
    return True


async def remove_tester(tx: Transaction, workspace: str, user_id: str) -> bool:
    """Mark somebody no more; whether they were."""
    return bool(await tx.run("remove_tester", workspace=workspace, user_id=user_id))
