"""D17 in the delivery worker: a rogue beside a sound provider."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.plugins import list_health
from angarium.core.store.protocol import Store
from angarium.gateway.isolation.health import keepers_of, telling
from tests.delivery.examples import NOW, new_delivery
from tests.gateway.isolation.conftest import Load
from tests.parts.waiting import until
from tests.store.ledgers import row, states
from tests.workers.offices import Director, Office, open_office


@pytest.fixture(scope="module")
def anyio_backend() -> Any:
    """The loop that the gateway runs on."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """It does not matter here which."""
    return sqlite_url


@pytest.fixture
async def office(store: Store, bus: Bus) -> AsyncIterator[Office]:
    async with open_office(store, bus) as office:
        yield office


async def planned(office: Office, word: str, count: int = 10) -> None:
    """So many text messages that say `word`, and as many mails."""
    await office.campaign(
        content={
            "order": ["sms", "email"],
            "sms": {"text": "{{ profile.word }}"},
            "email": {"subject": "s", "text": "t"},
        }
    )
    for n in range(count):
        await office.person(f"prf_{n}", word=word if n == 0 else "hello")
        for channel in ("sms", "email"):
            await office.plan(
                new_delivery(f"dlv_{channel}_{n:02}", profile_id=f"prf_{n}", channel=channel)
            )


@pytest.mark.parametrize("word", ["raise", "hang", "block", "exit", "crash", "leak"])
async def test_a_rogue_costs_its_own_messages_and_no_others(
    office: Office, load: Load, tmp_path: Path, word: str
) -> None:
    """One is in doubt, or those that were under way with it; all others arrive, each once."""
    section: Mapping[str, Any] = {"log": str(tmp_path / "vendor.log")}
    plugins = load(memory_mb=128, hang_seconds=1.0 if word == "block" else 10.0)
    rogue, mail = plugins.create_provider("sms_rogue", section), Director()
    await planned(office, word)
    async with (
        telling(office.store, "deliver", keepers_of([rogue]), lambda: office.now),
        office.delivering(rogue, mail, send_seconds=1.0),
    ):
        await mail.received(10)

        async def settled() -> bool:
            office.now += 100  # pauses are over as fast as one looks
            found = await states(office.store)
            return sum(found.get(state, 0) for state in ("accepted", "in_doubt")) == 20

        await until(settled)
    sent = (tmp_path / "vendor.log").read_text().split()
    ledger = {f"dlv_sms_{n:02}": await row(office.store, f"dlv_sms_{n:02}") for n in range(10)}
    assert len(set(sent)) == len(sent)
    assert ledger["dlv_sms_00"].state is DeliveryState.IN_DOUBT
    assert ledger["dlv_sms_00"].reason
    for id, delivery in ledger.items():
        assert id in sent or delivery.state is DeliveryState.IN_DOUBT
    assert len(mail.messages) == 10


async def test_how_a_plugin_fares_is_told_while_it_runs(office: Office, load: Load) -> None:
    rogue = load(failures=1).create_provider("sms_rogue", {})

    async def told(state: str) -> bool:
        async with office.store.reading() as tx:
            return [one.state for one in await list_health(tx, 0)] == [state]

    async with telling(office.store, "deliver", keepers_of([rogue]), lambda: NOW):
        await until(lambda: told("idle"))
        await rogue.open()
        await until(lambda: told("runs"))
        await planned(office, "raise", 1)
        async with office.delivering(rogue):
            await until(lambda: told("aside"))
        async with office.store.reading() as tx:
            [health] = await list_health(tx, NOW)
        assert (health.plugin, health.serves, health.process) == (
            "sms_rogue",
            "sms_rogue",
            "deliver",
        )
        assert (health.failures, health.last) == (1, "raised KeyError")
    async with office.store.reading() as tx:
        assert await list_health(tx, 0) == []
