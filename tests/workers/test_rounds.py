"""The loop of one channel when the database fails under it."""

from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.store.open import open_store
from tests.databases import PostgresServer
from tests.delivery.examples import new_delivery
from tests.workers.offices import Director, Office, open_office

COUNT = 200


@pytest.fixture
async def office(postgres_url: str, bus: Bus) -> AsyncIterator[Office]:
    """An office on PostgreSQL, whose connections a test can kill."""
    store = await open_store(postgres_url)
    async with open_office(store, bus) as office:
        yield office
    await store.close()


async def test_when_connections_die_all_is_sent_once_and_nothing_gets_stuck(
    office: Office, postgres: PostgresServer, postgres_url: str
) -> None:
    """D6: of a commit cut off nobody knows whether it took effect; nothing of it is sent."""
    await office.campaign()
    await office.person()
    await office.plan(*(new_delivery(f"dlv_{n:03}") for n in range(COUNT)))
    kill = (
        "select pg_terminate_backend(pid) from pg_stat_activity "
        f"where datname = '{urlsplit(postgres_url).path[1:]}'"
    )
    mail = Director()
    async with office.delivering(mail, concurrency=4, batch=4):
        for sent in range(20, COUNT, 40):
            await mail.received(sent)
            await postgres.execute(kill)
        await mail.received(COUNT)
        watching = Office(await open_store(postgres_url), office.bus)
        await watching.became(accepted=COUNT)
        await watching.store.close()
    assert set(Counter(mail.keys).values()) == {1}
