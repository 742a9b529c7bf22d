import asyncio
import signal
import sys

import pytest

PROGRAM = """
import asyncio
from angarium.config.settings import Log
from angarium.core.store.errors import StoreUnavailable
from angarium.gateway.logs import configure_logs
from angarium.gateway.process import run_process

async def finish():
    print("began", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        print("finished", flush=True)

async def end(): print("ended")
async def break_(): raise RuntimeError("canary@example.org")
async def refuse(): raise StoreUnavailable("nobody answers")

configure_logs(Log(format="json"), process="core")
run_process(WORK)
"""


async def start(work: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM.replace("WORK", work)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_the_work_finish_and_the_status_is_0(number: int) -> None:
    process = await start("finish")
    assert process.stdout is not None
    assert await process.stdout.readline() == b"began\n"

    process.send_signal(number)
    out, _ = await process.communicate()

    assert (process.returncode, out) == (0, b"finished\n")


async def test_work_that_ends_ends_the_process() -> None:
    process = await start("end")
    out, _ = await process.communicate()

    assert (process.returncode, out) == (0, b"ended\n")


async def test_a_fault_is_a_log_line_without_secrets_and_the_status_is_1() -> None:
    process = await start("break_")
    _, said = await process.communicate()

    assert process.returncode == 1
    assert b'"event":"crashed"' in said
    assert b"RuntimeError" in said
    assert b"canary" not in said


async def test_what_an_operator_can_mend_is_said_without_a_stack() -> None:
    process = await start("refuse")
    _, said = await process.communicate()

    assert process.returncode == 1
    assert b"nobody answers" in said
    assert b"Traceback" not in said
