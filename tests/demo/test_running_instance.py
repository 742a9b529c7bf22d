"""`angarium demo --url`: the same traffic against an instance that runs already."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.parts.instance import ADMIN_KEY, WRITE_KEY, Instance, running_instance


@pytest.fixture
async def instance(tmp_path: Path) -> AsyncIterator[Instance]:
    async with running_instance(tmp_path / "instance") as running:
        yield running


async def demo(instance: Instance, seed: int) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "angarium.gateway.cli", "demo", "--url", instance.url),
        *("--write-key", WRITE_KEY, "--admin-key", ADMIN_KEY),
        *("--people", "60", "--seed", str(seed)),
        cwd=instance.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


@pytest.mark.timeout(400)
async def test_a_second_run_brings_other_people_to_the_same_campaigns(instance: Instance) -> None:
    first, second = await demo(instance, 1), await demo(instance, 1)

    for said in (first, second):
        assert "60 people: " in said
        assert re.search(r"Why u-\w+-\w+ did not get “.+”", said)
        assert not (instance.folder / "angarium-demo-data").exists()
    campaigns = (await instance.ask("/v1/campaigns"))["data"]
    assert len({campaign["name"] for campaign in campaigns}) == len(campaigns) == 5
    figures = [await instance.stats(campaign["id"]) for campaign in campaigns]
    assert len(instance.mails()) == sum(one["totals"]["accepted"] for one in figures) > 0
