"""The examples of docs/nats-subjects.md are run as they stand there."""

import asyncio
import os
import re
import sys
from pathlib import Path

import msgspec

from angarium.core.bus import subjects
from angarium.core.bus.bus import Bus
from tests.parts.nats import NatsServer

PAGE = Path(__file__).parents[2] / "docs" / "nats-subjects.md"


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


async def run(script: str, url: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        env={**os.environ, "NATS_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_the_publishing_example_publishes_and_hears(
    bus: Bus, nats_server: NatsServer
) -> None:
    running = asyncio.create_task(run(examples("python")[0], nats_server.url))
    async with bus.pull(subjects.DECISIONS, after=0) as puller:
        decision = (await puller.get(1))[0]
    report = msgspec.json.encode({"delivery": "dlv_1", "status": "accepted", "at": "…"})
    await bus.publish(subjects.reports_subject("default", "sms", "accepted"), report)
    output = await running

    assert msgspec.json.decode(decision.body)["decisionId"] == "order-4711-paid"
    assert "stored in EVENTS as 3" in output
    assert "stored in DECISIONS as 1" in output
    assert "angarium.reports.default.sms.accepted" in output


async def test_the_example_s_person_is_ours(bus: Bus, nats_server: NatsServer) -> None:
    await run(examples("python")[0].replace("timeout=5", "timeout=0.01"), nats_server.url)

    async with bus.pull(subjects.EVENTS, after=0) as puller:
        first = (await puller.get(1))[0]

    assert first.subject.endswith(f".default.{subjects.person_token('u1')}")


async def test_the_durable_example_reads_what_was_said_before(
    bus: Bus, nats_server: NatsServer
) -> None:
    await bus.publish(subjects.reports_subject("default", "sms", "accepted"), b'{"delivery": 1}')

    output = await run(examples("python")[1], nats_server.url)

    assert 'angarium.reports.default.sms.accepted {"delivery": 1}' in output
    assert "nothing new" in await run(examples("python")[1], nats_server.url)
