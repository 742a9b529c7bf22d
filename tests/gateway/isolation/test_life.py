"""A plugin's process ends with ours, however ours ended."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from angarium.gateway.isolation.provider import IsolatedProvider
from tests.gateway.isolation.conftest import Open
from tests.gateway.isolation.sending import message, send
from tests.parts.waiting import until

PARENT = """
import asyncio, sys
from importlib.metadata import EntryPoint
from angarium.config.settings import Plugins
from angarium.gateway.isolation.loading import load_isolated
from tests.gateway.isolation.sending import message

async def main():
    point = EntryPoint("sms_rogue", "angarium_rogue", "angarium.plugins")
    rogue = load_isolated(Plugins(hang_seconds=5), [point]).create_provider("sms_rogue", {})
    await rogue.open()
    sending = asyncio.ensure_future(rogue.send(message(sys.argv[1])))
    await asyncio.sleep(0.5)
    print(rogue.keeper.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def living(session: int) -> list[int]:
    """The processes of a session: the plugin's own, and what it has started."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, _, its, *_ = stat.read_text().rpartition(")")[2].split()
            if int(its) == session and state != "Z":
                found.append(int(stat.parent.name))
    return found


@pytest.mark.parametrize(
    ("text", "count"), [("hang", 1), ("block", 1), ("seize", 1), ("fork", 2), ("start", 2)]
)
async def test_nothing_of_a_plugin_outlives_a_gateway_that_was_killed(
    environ: Mapping[str, str], text: str, count: int
) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, text),
        env={**environ, "PYTHONPATH": f"{environ['PYTHONPATH']}{os.pathsep}{os.getcwd()}"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    line = b" "
    while line and not line.strip().isdigit():  # our log lines go to the same place
        line = await parent.stdout.readline()
    pid = int(line)

    async def begun() -> bool:
        return len(living(pid)) == count

    await until(begun)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    async def gone() -> bool:
        return not living(pid)

    await until(gone)


async def test_a_process_that_speaks_nonsense_is_ended(open_rogue: Open) -> None:
    rogue = await open_rogue()
    with capture_logs() as lines:
        await send(rogue, "answer nonsense")

    assert [line["reason"] for line in lines if line["event"] == "plugin_died"] == [
        "answered with what is no answer"
    ]


async def test_one_that_is_stopped_with_sigstop_is_ended_like_one_that_blocks(
    open_rogue: Open,
) -> None:
    rogue: IsolatedProvider = await open_rogue(hang_seconds=1.0)
    assert rogue.keeper.pid is not None
    os.kill(rogue.keeper.pid, signal.SIGSTOP)

    with pytest.raises(Exception, match="its process blocked its loop"):
        await rogue.send(message())
