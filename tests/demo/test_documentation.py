"""The commands of the tour and the tutorial are run as they stand there."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.parts.instance import ADMIN_KEY, WRITE_KEY, Instance, running_instance

ROOT = Path(__file__).resolve().parents[2]
TOUR = re.compile(r"<!-- tour:begin -->(.*)<!-- tour:end -->", re.DOTALL)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SLOWER = 3
"""How much longer than their readers the pages wait here: other tests run beside this one."""


def commands(page: str, part: re.Pattern[str] | None = None) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    if part is not None:
        found = part.search(text)
        assert found, page
        text = found[1]
    return COMMANDS.findall(text)


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    async with running_instance(tmp_path_factory.mktemp("instance")) as running:
        yield running


async def run(folder: Path, script: str) -> str:
    """What the commands print when they are typed in `folder`."""
    tools = folder / "tools"
    tools.mkdir()
    _tool(tools, "curl", f'exec "{sys.executable}" "{Path(__file__).with_name("curl.py")}" "$@"')
    _tool(tools, "python3", f'exec "{sys.executable}" "$@"')
    _tool(tools, "sleep", f"exec {shutil.which('sleep')} $(({SLOWER} * $1))")
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        cwd=folder,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "PYTHONUTF8": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


def _tool(folder: Path, name: str, command: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


async def test_the_tour_of_the_readme_works_as_written(instance: Instance, tmp_path: Path) -> None:
    folder = tmp_path / "angarium-demo-data"
    folder.mkdir()
    (folder / "angarium.toml").write_text(f'admin = "{ADMIN_KEY}"\nwrite = "{WRITE_KEY}"\n')
    first, *others = commands("README.md", TOUR)
    first = re.sub("^URL=.*", f"URL={instance.url}", first)

    said = await run(tmp_path, "".join([first, *others]))

    assert '"enrolled":3,"waiting":0,"cancelled_by_stop":1' in said
    assert '"planned":2,"waiting":0,"accepted":1,"failed":0,"skipped":1' in said
    assert '"gate":"opt_in","verdict":"skip","reason":"opted_out"' in said
    assert len(instance.mails("tour-1@example.com")) == 1
    assert len(instance.mails("tour-2@example.com")) == 0


async def test_the_tutorial_works_as_written(instance: Instance, tmp_path: Path) -> None:
    names = f"URL={instance.url}\nADMIN={ADMIN_KEY}\nWRITE={WRITE_KEY}\n"
    (tmp_path / "angarium-data").symlink_to(instance.folder / "data")

    said = await run(tmp_path, names + "".join(commands("docs/tutorial.md")))

    assert '"mobile": "+989123456789"' in said
    assert '"detail": "line 1: {{ is not closed by }}"' in said
    assert '"rejected":[{"index":4,"code":"no_event_name"' in said
    assert '"cancelled_by_stop": 1' in said
    assert '"reason": "opted_out"' in said
    assert '"value": "1370/05/12"' in said
    assert "angarium.reports.default.email.accepted" in said
    assert len(instance.mails("sara@example.com")) == 2
    assert len(instance.mails("reza@example.com")) == 0


def test_both_readmes_show_the_same_commands() -> None:
    assert commands("README.fa.md", TOUR) == commands("README.md", TOUR)
