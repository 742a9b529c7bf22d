"""G3 at the size of every change; larger ones by `python -m tests.drills.power_cut`."""

from pathlib import Path

import pytest

from angarium.core.bus.embedded import EmbeddedServer
from tests.drills.power_cut import power_cut
from tests.drills.traced_cut import cut_broker, cut_store


@pytest.mark.system
@pytest.mark.timeout(600)
async def test_power_cuts_lose_and_repeat_nothing(tmp_path: Path) -> None:
    verdict = await power_cut(tmp_path, cuts=6, events=12_000)

    assert verdict.faults == []
    assert verdict.events == 12_000


@pytest.mark.system
@pytest.mark.timeout(600)
async def test_the_drill_shows_what_a_broker_that_syncs_late_loses(tmp_path: Path) -> None:
    verdict = await power_cut(tmp_path, cuts=2, events=4_000, synced=False)

    assert verdict.events < 4_000
    assert any(fault.startswith("events counted") for fault in verdict.faults)


def test_a_token_that_no_disk_had_is_made_anew(tmp_path: Path) -> None:
    """What a power cut in the first seconds of an instance leaves of a file that was not synced."""
    server = EmbeddedServer(tmp_path)
    server.prepare()
    (tmp_path / "nats" / "token").write_text("")

    again = EmbeddedServer(tmp_path)
    again.prepare()

    assert again.url.startswith("nats://")
    assert len(again.url) == len(server.url)


@pytest.mark.system
@pytest.mark.timeout(600)
async def test_no_instant_of_a_traced_broker_loses_what_it_acknowledged(tmp_path: Path) -> None:
    verdict = await cut_broker(tmp_path, cuts=20)

    assert verdict.acked > 1_000
    assert (verdict.lost, verdict.doubled) == (0, 0)


@pytest.mark.system
@pytest.mark.timeout(600)
async def test_tracing_shows_what_a_broker_that_syncs_late_loses(tmp_path: Path) -> None:
    verdict = await cut_broker(tmp_path, cuts=5, synced=False)

    assert verdict.lost > verdict.acked // 2


@pytest.mark.system
@pytest.mark.timeout(600)
async def test_no_instant_of_a_traced_store_loses_what_it_committed(tmp_path: Path) -> None:
    verdict = await cut_store(tmp_path, cuts=20)

    assert verdict.acked > 1_000
    assert (verdict.lost, verdict.doubled) == (0, 0)
