"""A server that misbehaves, at every phase: what is known of the message stays exact."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiosmtplib
import pytest

from angarium.channels._email_settings import EmailSmtpSettings
from angarium.channels._smtp_session import Session
from angarium.channels.email_smtp import EmailSmtp
from angarium.plugins import (
    Accepted,
    EmailContent,
    InDoubt,
    Message,
    PermanentFailure,
    TemporaryFailure,
)
from tests.counterparts.smtp_scripted import (
    DROP,
    LATER,
    RESET,
    SILENCE,
    ScriptedSmtp,
    scripted_smtp,
)

GOOD = Accepted(provider_id="GOOD1")
PIPELINING = b"250-scripted\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES"

either_way = pytest.mark.parametrize("ehlo", [{}, {"EHLO": PIPELINING}], ids=["", "pipelined"])
"""One command at a time, or MAIL, RCPT and DATA at once (RFC 2920)."""


def message(number: int = 1, text: str = "hello") -> Message:
    return Message(
        key=f"dlv_{number}",
        address=f"person{number}@example.org",
        content=EmailContent(subject="Hi", text=text),
    )


@asynccontextmanager
async def provider(server: ScriptedSmtp, **changes: Any) -> AsyncGenerator[EmailSmtp, None]:
    settings = EmailSmtpSettings(
        host="127.0.0.1",
        port=server.port,
        sender="Shop <shop@example.org>",
        connections=1,
        **changes,
    )
    smtp = EmailSmtp(settings)
    await smtp.open()
    try:
        yield smtp
    finally:
        await smtp.close()


@either_way
@pytest.mark.parametrize("misdeed", [DROP, RESET, b"what is this", b"x" * 50_000])
@pytest.mark.parametrize("phase", ["connect", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_before_the_final_dot_nothing_was_sent(
    phase: str, misdeed: bytes, ehlo: dict[str, bytes]
) -> None:
    script = ehlo | {phase: misdeed, "HELO": misdeed}
    async with scripted_smtp(script) as server, provider(server) as smtp:
        with pytest.raises(TemporaryFailure):
            await smtp.send(message(1))

        assert await smtp.send(message(2)) == GOOD
    assert len(server.bodies) == 1


@either_way
@pytest.mark.parametrize("misdeed", [DROP, RESET, b"what is this", b"354 go on", b"250-no end"])
async def test_after_the_final_dot_only_an_answer_tells(
    misdeed: bytes, ehlo: dict[str, bytes]
) -> None:
    script = ehlo | {"dot": misdeed}
    async with scripted_smtp(script) as server, provider(server, final_seconds=1.0) as smtp:
        with pytest.raises(InDoubt):
            await smtp.send(message(1))

        assert await smtp.send(message(2)) == GOOD
    assert len(server.bodies) == 2


@pytest.mark.parametrize(
    ("phase", "limit", "failure"),
    [
        ("connect", "connect_seconds", TemporaryFailure),
        ("EHLO", "command_seconds", TemporaryFailure),
        ("MAIL", "command_seconds", TemporaryFailure),
        ("RCPT", "command_seconds", TemporaryFailure),
        ("DATA", "command_seconds", TemporaryFailure),
        ("dot", "final_seconds", InDoubt),
    ],
)
@either_way
async def test_silence_is_broken_off_by_the_limit_of_its_phase(
    phase: str, limit: str, failure: type[Exception], ehlo: dict[str, bytes]
) -> None:
    script = ehlo | {phase: SILENCE}
    async with scripted_smtp(script) as server, provider(server, **{limit: 0.1}) as smtp:
        with pytest.raises(failure):
            await smtp.send(message(1))


STARTTLS = b"250-scripted\r\n250 STARTTLS"


@pytest.mark.parametrize("misdeed", [DROP, RESET, b"220 go on", b"454 not now", b"500 what"])
async def test_before_tls_nothing_was_sent(misdeed: bytes) -> None:
    async with (
        scripted_smtp({"EHLO": STARTTLS, "STAR": misdeed}, connections=2) as server,
        provider(server, tls="starttls") as smtp,
    ):
        with pytest.raises(TemporaryFailure):
            await smtp.send(message(1))

    assert not [command for command in server.commands if command.startswith("MAIL")]


@pytest.mark.parametrize("misdeed", [DROP, RESET, b"220 in clear"])
async def test_a_server_that_cannot_do_tls_at_all_gets_nothing(misdeed: bytes) -> None:
    async with (
        scripted_smtp({"connect": misdeed}) as server,
        provider(server, tls="tls") as smtp,
    ):
        with pytest.raises(TemporaryFailure):
            await smtp.send(message(1))

    assert server.bodies == []


@pytest.mark.parametrize("misdeed", [DROP, RESET])
async def test_a_connection_lost_within_a_long_message_lost_the_message(misdeed: bytes) -> None:
    async with scripted_smtp({"body": misdeed}) as server, provider(server) as smtp:
        with pytest.raises(TemporaryFailure, match="lost in the message"):
            await smtp.send(message(1, text="x" * 7_000_000))

        assert await smtp.send(message(2)) == GOOD
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("phase", "reply", "failure"),
    [
        ("connect", b"421 busy", TemporaryFailure),
        ("connect", b"554 no", TemporaryFailure),
        ("MAIL", b"451 4.3.0 later", TemporaryFailure),
        ("MAIL", b"550 5.1.8 bad sender", TemporaryFailure),
        ("MAIL", b"421 bye", TemporaryFailure),
        ("MAIL", b"552 5.3.4 too large", PermanentFailure),
        ("RCPT", b"450 4.2.0 greylisted", TemporaryFailure),
        ("RCPT", b"550 5.1.1 no such user", PermanentFailure),
        ("RCPT", b"550-5.7.1 a long\r\n550 5.7.1 story", TemporaryFailure),
        ("RCPT", b"421 bye", TemporaryFailure),
        ("DATA", b"451 4.3.0 later", TemporaryFailure),
        ("DATA", b"554 5.6.0 no", PermanentFailure),
        ("DATA", b"250 what", TemporaryFailure),
        ("dot", b"451 4.3.0 later", TemporaryFailure),
        ("dot", b"552 5.3.4 too large", PermanentFailure),
        ("dot", b"554 5.7.1 spam", TemporaryFailure),
        ("dot", b"421 4.3.2 shutting down", TemporaryFailure),
    ],
)
@either_way
async def test_a_refusal_is_known_and_the_next_message_passes(
    phase: str, reply: bytes, failure: type[Exception], ehlo: dict[str, bytes]
) -> None:
    script = ehlo | {phase: reply}
    async with scripted_smtp(script) as server, provider(server) as smtp:
        with pytest.raises(failure):
            await smtp.send(message(1))

        assert server.connected == 1
        server.script = {}
        assert await smtp.send(message(2)) == GOOD


async def test_two_people_never_share_a_transaction() -> None:
    refused = {"RCPT": b"550 5.1.1 no such user"}
    async with scripted_smtp(refused) as server, provider(server) as smtp:
        with pytest.raises(PermanentFailure):
            await smtp.send(message(1))
        with pytest.raises(PermanentFailure):
            await smtp.send(message(2))

    assert server.commands == [
        "EHLO example.org",
        "MAIL FROM:<shop@example.org>",
        "RCPT TO:<person1@example.org>",
        "RSET",
        "MAIL FROM:<shop@example.org>",
        "RCPT TO:<person2@example.org>",
        "QUIT",
    ]


REFUSED = b"550 5.1.1 no such user"


@pytest.mark.parametrize(
    ("data", "connections"), [(b"554 5.5.1 no valid recipients", 1), (b"354 go on", 2)]
)
async def test_who_is_refused_gets_nothing_though_data_was_asked_for_with_it(
    data: bytes, connections: int
) -> None:
    """A server that waits for a message to nobody is left; one that refuses DATA too is kept."""
    script = {"EHLO": PIPELINING, "RCPT": REFUSED, "DATA": data}
    async with scripted_smtp(script) as server, provider(server) as smtp:
        with pytest.raises(PermanentFailure) as caught:
            await smtp.send(message(1))
        server.script = {"EHLO": PIPELINING}

        assert await smtp.send(message(2)) == GOOD
    assert caught.value.address_dead
    assert (server.connected, len(server.bodies)) == (connections, 1)
    assert b"person2" in server.bodies[0]


async def test_commands_are_given_at_once_where_the_server_takes_that() -> None:
    """None is answered before the last has come."""
    script = {"EHLO": PIPELINING, "MAIL": LATER, "RCPT": LATER}
    async with scripted_smtp(script) as server, provider(server) as smtp:
        assert await smtp.send(message(1)) == GOOD

    assert server.commands[1:] == [
        "MAIL FROM:<shop@example.org>",
        "RCPT TO:<person1@example.org>",
        "DATA",
        ".",
        "QUIT",
    ]


async def test_a_server_that_says_goodbye_unasked_is_left_and_no_message_hears_of_it() -> None:
    script = {"dot": b"250 2.0.0 Ok: queued as GOOD1\r\n421 4.4.2 too slow"}
    async with scripted_smtp(script) as server, provider(server) as smtp:
        assert await smtp.send(message(1)) == GOOD
        assert await smtp.send(message(2)) == GOOD

    assert server.connected == 2


async def test_after_an_accepted_message_no_reset_is_needed() -> None:
    async with scripted_smtp({}) as server, provider(server) as smtp:
        await smtp.send(message(1))
        await smtp.send(message(2))

    assert "RSET" not in server.commands
    assert server.connected == 1


async def test_a_server_that_refuses_to_reset_is_left() -> None:
    script = {"RCPT": b"550 5.1.1 no", "RSET": b"500 what"}
    async with scripted_smtp(script) as server, provider(server) as smtp:
        with pytest.raises(PermanentFailure):
            await smtp.send(message(1))
        with pytest.raises(TemporaryFailure):
            await smtp.send(message(2))

        assert await smtp.send(message(3)) == GOOD
    assert server.connected == 2


async def test_a_server_from_before_ehlo_is_greeted_with_helo() -> None:
    async with scripted_smtp({"EHLO": b"500 what"}) as server, provider(server) as smtp:
        assert await smtp.send(message(1)) == GOOD

    assert server.commands[:2] == ["EHLO example.org", "HELO example.org"]


async def test_the_size_is_told_where_it_is_asked_for() -> None:
    script = {"EHLO": b"250-hello\r\n250 SIZE 1000000"}
    async with scripted_smtp(script) as server, provider(server) as smtp:
        await smtp.send(message(1))

    size = len(server.bodies[0]) - len(b".\r\n")
    assert server.commands[1] == f"MAIL FROM:<shop@example.org> SIZE={size}"


async def cut_off(smtp: EmailSmtp, when: asyncio.Event) -> None:
    """Send a message and cancel it at that moment."""
    sending = asyncio.ensure_future(smtp.send(message(1)))
    await when.wait()
    sending.cancel()
    await sending


async def test_who_is_cut_off_after_the_final_dot_knows_nothing() -> None:
    async with scripted_smtp({"dot": SILENCE}) as server, provider(server) as smtp:
        with pytest.raises(asyncio.CancelledError):
            await cut_off(smtp, server.silent)

        assert await smtp.send(message(2)) == GOOD
    assert server.connected == 2


# Not at "connect": wait_for of Python 3.11 forgets a cancellation at the moment of connecting, and
# the limit of that phase ends it instead.
@either_way
@pytest.mark.parametrize("phase", ["EHLO", "MAIL", "RCPT", "DATA"])
async def test_who_is_cut_off_before_it_knows_that_nothing_was_sent(
    phase: str, ehlo: dict[str, bytes]
) -> None:
    async with scripted_smtp(ehlo | {phase: SILENCE}) as server, provider(server) as smtp:
        with pytest.raises(TemporaryFailure, match="cut off before the message was sent"):
            await cut_off(smtp, server.silent)

        assert await smtp.send(message(2)) == GOOD
    assert server.connected == 2


async def test_who_is_cut_off_waiting_for_a_connection_gives_its_place_to_nobody() -> None:
    async with scripted_smtp({"dot": SILENCE}) as server, provider(server) as smtp:
        first = asyncio.ensure_future(smtp.send(message(1)))
        await server.silent.wait()
        waiting = asyncio.ensure_future(smtp.send(message(2)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(TemporaryFailure, match="cut off"):
            await waiting
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

        assert await smtp.send(message(3)) == GOOD


async def run_out_of_time(smtp: EmailSmtp, when: asyncio.Event) -> None:
    """Send a message under a time limit that ends at that moment."""

    async def end(limit: asyncio.Timeout) -> None:
        await when.wait()
        limit.reschedule(asyncio.get_running_loop().time())

    async with asyncio.timeout(None) as limit:
        ending = asyncio.ensure_future(end(limit))
        await smtp.send(message(1))
    await ending


async def test_a_time_limit_of_the_caller_is_told_apart_in_the_same_way() -> None:
    async with scripted_smtp({"RCPT": SILENCE}) as server, provider(server) as smtp:
        with pytest.raises(TemporaryFailure, match="cut off"):
            await run_out_of_time(smtp, server.silent)


async def test_lines_that_begin_with_a_dot_are_stuffed() -> None:
    async with scripted_smtp({}) as server:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=server.port, start_tls=False)
        session = Session(client, command_seconds=5, final_seconds=5)
        await session.connect(seconds=5)
        await session.send("a@b.co", "c@d.co", b"X: y\r\n\r\n.\r\n..\r\n.end\r\n")
        await session.quit()

    assert server.bodies == [b"X: y\r\n\r\n..\r\n...\r\n..end\r\n.\r\n"]
