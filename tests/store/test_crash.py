"""A process killed at any moment leaves a sound database that others can write at once."""

import pytest

from angarium.core.store.protocol import Store
from tests.store.programs import running


async def test_a_transaction_of_a_killed_process_never_was(
    things_store: Store, store_url: str
) -> None:
    with running("unfinished", store_url) as program:
        assert program.hear() == "written"
        program.kill()

    async with things_store.transaction() as tx:
        assert list(await tx.fetch("list_things")) == []
        await tx.run("add_number", id="after", number=1)


@pytest.mark.parametrize("commits", [1, 2, 3, 7, 40])
async def test_a_process_killed_while_committing_loses_nothing(
    things_store: Store, store_url: str, commits: int
) -> None:
    async with things_store.transaction() as tx:
        await tx.run("add_number", id="count", number=0)
    with running("count", store_url) as program:
        said = [int(program.hear()) for _ in range(commits)]
        program.kill()

    async with things_store.transaction() as tx:
        [(_, number, _, _)] = await tx.fetch("list_things")
        assert number >= said[-1]
        assert list(await tx.fetch("list_others")) == [("count", number)]
