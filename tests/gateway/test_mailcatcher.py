"""The log is the judge of crash drills: it must say neither more nor less than the truth."""

import asyncio
import json
import os
import signal
import smtplib
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from angarium.gateway.mailcatcher import MailCatcher

NOW = 1_795_341_600_000
MAIL = (
    b"From: Shop <shop@example.org>\r\nSubject: =?utf-8?q?a?=\r\n =?utf-8?q?b?=\r\n"
    b"Message-ID: <dlv_1@example.org>\r\nX-Other: 1\r\n\r\nHello\r\n"
)


@asynccontextmanager
async def catching(log: Path, **options: Any) -> AsyncGenerator[int, None]:
    catcher = MailCatcher(log, now=lambda: NOW, **options)
    port = await catcher.start()
    try:
        yield port
    finally:
        await catcher.stop()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "mail.jsonl"


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


async def talk(port: int, *pieces: bytes) -> bytes:
    """Send the pieces, each when the one before has been answered; give all answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = await reader.readline()
    for piece in pieces:
        writer.write(piece)
        answers += await reader.readline()
    writer.write(b"QUIT\r\n")
    answers += await reader.read()
    writer.close()
    return answers


async def test_a_message_becomes_one_line(log: Path) -> None:
    async with catching(log) as port:
        await aiosmtplib.send(
            MAIL, sender="bounces@example.org", recipients=["mina@example.org"],
            hostname="127.0.0.1", port=port,
        )  # fmt: skip

    assert lines(log) == [
        {
            "at": NOW,
            "message_id": "<dlv_1@example.org>",
            "sender": "bounces@example.org",
            "rcpt": ["mina@example.org"],
            "size": len(MAIL),
            "headers": {
                "from": "Shop <shop@example.org>",
                "subject": "=?utf-8?q?a?= =?utf-8?q?b?=",
                "message-id": "<dlv_1@example.org>",
            },
        }
    ]


async def test_an_older_client_is_understood_too(log: Path) -> None:
    def send(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.sendmail("a@b.co", ["c@d.co", "e@f.co"], b".dots\r\n..\r\n.\r\nend\r\n")

    async with catching(log, keep_raw=True) as port:
        await asyncio.to_thread(send, port)

    [caught] = lines(log)
    assert caught["rcpt"] == ["c@d.co", "e@f.co"]
    assert caught["raw"] == ".dots\r\n..\r\n.\r\nend\r\n"


async def test_the_line_is_written_before_the_answer(log: Path) -> None:
    """With an answer that never comes, the message is in the log all the same."""
    async with catching(log, delay=3600.0, fsync=True) as port:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
        await client.connect()
        sending = asyncio.ensure_future(client.sendmail("a@b.co", ["c@d.co"], MAIL))
        await wait_for(lambda: log.stat().st_size > 0)

        assert not sending.done()
        assert lines(log)[0]["message_id"] == "<dlv_1@example.org>"
        client.close()
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await sending


async def wait_for(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def test_commands_may_come_all_at_once(log: Path) -> None:
    one = b"MAIL FROM:<a@b.co>\r\nRCPT TO:<c@d.co>\r\nDATA\r\nSubject: x\r\n\r\nbody\r\n.\r\n"
    async with catching(log) as port:
        answers = await talk(port, b"HELO x\r\n" + one * 3)

    assert len(lines(log)) == 3
    assert answers.count(b"250 2.0.0 ok, written down\r\n") == 3
    assert answers.endswith(b"221 2.0.0 bye\r\n")


async def test_a_message_may_come_byte_by_byte(log: Path) -> None:
    async with catching(log) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for byte in b"MAIL FROM:<a@b.co>\r\nRCPT TO:<c@d.co>\r\nDATA\r\n\r\n.\r\nQUIT\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()
        writer.close()

    assert len(lines(log)) == 1


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        ((b"MAIL FROM:<a@b.co>\r\n", b"DATA\r\n"), b"503 5.5.1 no recipients"),
        ((b"VRFY mina\r\n",), b"502 5.5.1 not implemented"),
        ((b"NOOP\r\n",), b"250 2.0.0 ok"),
    ],
)
async def test_what_it_cannot_do_it_says(
    log: Path, pieces: tuple[bytes, ...], answer: bytes
) -> None:
    async with catching(log) as port:
        assert answer in await talk(port, *pieces)

    assert lines(log) == []


async def test_a_message_without_its_end_was_never_taken(log: Path) -> None:
    async with catching(log) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"MAIL FROM:<a@b.co>\r\nRCPT TO:<c@d.co>\r\nDATA\r\nSubject: x\r\n\r\nbo")
        await reader.readuntil(b"354 end with a dot\r\n")
        writer.close()

    assert lines(log) == []


async def test_an_earlier_log_is_added_to(log: Path) -> None:
    for _ in range(2):
        async with catching(log) as port:
            await aiosmtplib.send(
                MAIL, sender="a@b.co", recipients=["c@d.co"], hostname="127.0.0.1", port=port
            )

    assert len(lines(log)) == 2


async def test_it_runs_as_a_program_and_ends_when_told(log: Path) -> None:
    environment: Mapping[str, str] = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "angarium.gateway.mailcatcher",
        "--port", "0", "--log", str(log), "--fsync",
        stdout=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    said = (await process.stdout.readline()).decode()
    port = int(said.rpartition(":")[2])
    await aiosmtplib.send(
        MAIL, sender="a@b.co", recipients=["c@d.co"], hostname="127.0.0.1", port=port
    )
    process.send_signal(signal.SIGTERM)

    assert await process.wait() == 0
    assert said.startswith("catching mail on 127.0.0.1:")
    assert len(lines(log)) == 1
