"""The floor must write what the core wrote: then its database holds the same rows."""

from collections import Counter
from pathlib import Path

import pytest

from angarium.core.bus.feed import Received
from angarium.core.store.open import open_store, sqlite_url
from angarium.core.workers.clock import now
from angarium.core.workers.ingest import Ingest, IngestSettings
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.rules import RuleShelf
from angarium.plugins.manager import load_plugins
from benchmarks.bare import BareDatabase, bare, migrated
from benchmarks.rows import TABLES, read_harvest, transactions
from benchmarks.traffic import activate, definitions, enveloped, in_batches, messages

COUNT = 600
NOT_COPIED = {"positions", "outbox"}
"""Written in each transaction, with other contents."""


class Silence:
    """Where nothing is heard of what is published."""

    async def notify(self, subject: str, body: bytes = b"") -> None:
        return


async def filled(url: str) -> None:
    """A database after the core's work, in three transactions."""
    store = await open_store(url)
    await store.migrate()
    await activate(store, definitions())
    bus: object = Silence()
    publisher = Publisher(store, bus, now)  # type: ignore[arg-type]  # it publishes nothing here
    shelf = RuleShelf(load_plugins().channels, "Asia/Tehran")
    ingest = Ingest(store, bus, publisher, shelf, IngestSettings(), now)  # type: ignore[arg-type]
    batches = in_batches(list(messages(COUNT, 60)), 10)
    bodies = [enveloped(batch, f"req_{n}") for n, batch in enumerate(batches)]
    received = [
        Received(n, "angarium.events.0.default._", body, now()) for n, body in enumerate(bodies, 1)
    ]
    for part in in_batches(received, 20):
        for opened in ingest._open(part):
            await ingest._apply(opened)
    await store.close()


async def contents(database: BareDatabase) -> dict[str, Counter[tuple[object, ...]]]:
    found: dict[str, Counter[tuple[object, ...]]] = {}
    for name, keys in TABLES.items():
        table = await database.read(name, keys, without="id" if name == "events" else "")
        found[name] = Counter(table.rows)
    return found


@pytest.mark.parametrize("size", [50, 500])
async def test_the_floor_writes_the_rows_that_the_core_wrote(
    empty_url: str, tmp_path: Path, size: int, request: pytest.FixtureRequest
) -> None:
    await filled(empty_url)
    source = bare(empty_url)
    work = transactions(await read_harvest(source), size)
    assert len(work) == COUNT // size + (COUNT % size > 0)
    if empty_url.startswith("sqlite"):
        url = sqlite_url(tmp_path / "floor.db")
    else:
        url = request.getfixturevalue("second_postgres_url")
    target = await migrated(url)
    assert await target.write(work) > 0
    before, after = await contents(source), await contents(target)
    for name in TABLES.keys() - NOT_COPIED - {"refusals", "known_as", "identities"}:
        assert after[name] == before[name], name
    for name in ("refusals", "known_as", "identities"):
        assert after[name] <= before[name], name
