"""G1 at the size of every change; larger ones by `make drill`."""

from pathlib import Path

import pytest

from tests.databases import PostgresServer
from tests.drills.crash_loop import crash_loop

pytestmark = pytest.mark.timeout(600)


async def test_fifty_kills_lose_and_repeat_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    url = f"sqlite:///{tmp_path}/data/angarium.db"

    verdict = await crash_loop(tmp_path, url, kills=50, events=20_000)

    assert verdict.faults == []
    assert verdict.events == 20_000


async def test_kills_on_postgresql_lose_and_repeat_nothing(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with postgres.database() as url:
        verdict = await crash_loop(tmp_path, url, kills=10, events=4_000, seed=2)

    assert verdict.faults == []


async def test_the_drill_catches_a_worker_that_sends_again_what_it_cannot_know(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").mkdir()
    url = f"sqlite:///{tmp_path}/data/angarium.db"

    mutants = {"core": "tests.drills.mutant"}
    verdict = await crash_loop(
        tmp_path, url, kills=12, events=4_000, mutants=mutants, victims=["deliver"]
    )

    assert verdict.repeats > 0
    assert verdict.faults
