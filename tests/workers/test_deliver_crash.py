"""A delivery process killed at each of its named points, on both stores.

What the provider itself noted down is the truth: no message that may be sent once only is there
twice, and none is lost.
"""

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from angarium.core.delivery.record import AT_LEAST_ONCE
from angarium.core.workers.crash import VARIABLE
from angarium.core.workers.sweeper import Sweeper
from tests.delivery.examples import NOW, new_delivery
from tests.parts.nats import NatsServer
from tests.store.ledgers import row, states
from tests.workers.offices import Office

ONCE = [f"once_{n}" for n in range(6)]
AGAIN = [f"again_{n}" for n in range(6)]
BEFORE_SENDING = ("deliver.claimed", "deliver.judged", "deliver.handed")
POINTS = (*BEFORE_SENDING, "deliver.sent", "deliver.recorded", "outbox.committed")


async def run(store_url: str, nats_url: str, log: Path, crash: str, *more: str) -> int:
    """Run the process to its end; gives its exit code."""
    environ = {**os.environ, VARIABLE: crash}
    arguments = (store_url, nats_url, str(log), *more)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.workers.dying", *arguments, env=environ
    )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def sends(log: Path) -> Counter[str]:
    return Counter(log.read_text().split()) if log.exists() else Counter()


@pytest.mark.parametrize("point", POINTS)
async def test_a_death_at_any_point_loses_nothing_and_repeats_only_what_may_be(
    office: Office, store_url: str, nats_server: NatsServer, tmp_path: Path, point: str
) -> None:
    """N1, G2."""
    await office.campaign()
    await office.person()
    again = [new_delivery(id, promise=AT_LEAST_ONCE) for id in AGAIN]
    await office.plan(*(new_delivery(id) for id in ONCE), *again)
    log = tmp_path / "provider.log"
    assert await run(store_url, nats_server.url, log, point) == -9

    sent = sends(log)
    if point in BEFORE_SENDING:
        assert not sent
    office.now = NOW + 1000  # the dead worker's lease has run out
    await Sweeper(office.store, office.publisher, lambda: office.now).sweep()
    doubtful = [id for id in ONCE if (await row(office.store, id)).state == "in_doubt"]
    accepted = str(len(ONCE) + len(AGAIN) - len(doubtful))
    assert await run(store_url, nats_server.url, log, "", accepted) == 0

    log_entries = sends(log)
    assert max(log_entries[id] for id in ONCE) == 1
    for id in ONCE:
        assert log_entries[id] == (sent[id] if id in doubtful else 1)
    for id in AGAIN:
        assert 1 <= log_entries[id] <= 1 + (await row(office.store, id)).resends
    expected = {"accepted": int(accepted), "in_doubt": len(doubtful)}
    assert await states(office.store) == {name: n for name, n in expected.items() if n}
