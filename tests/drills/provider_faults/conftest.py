"""An office whose people are reached by webhook, mail and text, and a vendor of its."""

from collections.abc import AsyncIterator

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.store.open import open_store
from angarium.core.workers import rounds
from tests.drills.provider_faults.vendors import CONTENT, Vendor, vendor_of
from tests.workers.offices import Office, open_office


@pytest.fixture
async def shop(sqlite_url: str, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    """Its ledger is polled often: a clock that a test moves wakes nobody."""
    monkeypatch.setattr(rounds, "POLL_SECONDS", 0.01)
    store = await open_store(sqlite_url)
    async with open_office(store, bus) as office:
        await office.campaign(content=CONTENT)
        await office.person(webhook_id="member 7")
        yield office
    await store.close()


@pytest.fixture
async def vendor(shop: Office) -> AsyncIterator[Vendor]:
    async with vendor_of(shop) as running:
        yield running
