"""A plugin's process ends with ours, however ours ended."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping

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
    rogue = load_isolated(Plugins(), [point]).create_provider("sms_rogue", {})
    await rogue.open()
    sending = asyncio.ensure_future(rogue.send(message(sys.argv[1])))
    await asyncio.sleep(0.1)
    print(rogue.keeper.pid, flush=True)
    await sending

asyncio.run(main())
"""


def lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("text", ["hang", "block"])
async def test_no_plugin_outlives_a_gateway_that_was_killed(
    environ: Mapping[str, str], text: str
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
    assert lives(pid)

    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    async def gone() -> bool:
        return not lives(pid)

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
