"""D11, G10: an HTTP vendor is cut off at every byte, talks nonsense, or speaks no TLS.

Before the request has left, the message was surely not sent; after that only a whole answer tells.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from angarium.channels.sms_http import SmsHttp, SmsHttpSettings
from angarium.channels.sms_kavenegar import SmsKavenegar, SmsKavenegarSettings
from angarium.channels.sms_twilio import SmsTwilio, SmsTwilioSettings
from angarium.channels.webhook import WebhookContent
from angarium.channels.webhook_http import WebhookHttp, WebhookHttpSettings
from angarium.plugins import Accepted, Message, Provider, SmsContent, TemporaryFailure
from angarium.plugins.settings import decode_settings
from tests.counterparts.http_scripted import HttpScripted, Reply, http_scripted, says_raw
from tests.counterparts.smtp_certificates import make_certificate
from tests.drills.provider_faults.vendors import SECRET, resets

SMS = Message(key="dlv_1", address="+989121234567", content=SmsContent(text="سلام"))
HOOK = Message(key="dlv_1", address="member 7", content=WebhookContent(data={"text": "سلام"}))
KAVENEGAR = (
    b'{"return":{"status":200,"message":"ok"},"entries":[{"messageid":85463238,"status":1}]}'
)
TWILIO = b'{"sid": "SM00000000000000000000000000000001", "status": "queued"}'
GATEWAY = b'{"messages": [{"id": "G1"}]}'
GARBAGE = 60
PATIENT: Mapping[str, object] = {"connect_seconds": 10, "answer_seconds": 10}
HASTY: Mapping[str, object] = {"connect_seconds": 0.2, "answer_seconds": 0.2}
"""Of a whole request: their sum."""


def webhook(url: str, limits: Mapping[str, object] = PATIENT) -> Provider:
    given = {"url": url, "secret": SECRET, "allow_private": True, **limits}
    return WebhookHttp(decode_settings(WebhookHttpSettings, given, "webhook_http"))


def gateway(url: str, limits: Mapping[str, object] = PATIENT) -> Provider:
    given = {
        "url": url,
        "body": '{"to": "{to}", "text": "{text}"}',
        "answer_id": "/messages/0/id",
        "allow_private": True,
        **limits,
    }
    return SmsHttp(decode_settings(SmsHttpSettings, given, "sms_http"))


def kavenegar(url: str, limits: Mapping[str, object] = PATIENT) -> Provider:
    given = {"api_key": "k" * 32, "url": url, **limits}
    return SmsKavenegar(decode_settings(SmsKavenegarSettings, given, "sms_kavenegar"))


def twilio(url: str, limits: Mapping[str, object] = PATIENT) -> Provider:
    given = {
        "account": "AC" + "0" * 32,
        "token": "t" * 32,
        "from": "+15005550006",
        "url": url,
        **limits,
    }
    return SmsTwilio(decode_settings(SmsTwilioSettings, given, "sms_twilio"))


Make = Callable[..., Provider]
VENDORS = [
    pytest.param(webhook, HOOK, 204, b"", id="no body"),
    pytest.param(webhook, HOOK, 200, b"thank you", id="webhook"),
    pytest.param(gateway, SMS, 200, GATEWAY, id="gateway"),
    pytest.param(kavenegar, SMS, 200, KAVENEGAR, id="kavenegar"),
    pytest.param(twilio, SMS, 201, TWILIO, id="twilio"),
]


def answer(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} Good\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def cut(data: bytes, reset: bool) -> Reply:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if reset:
            resets(writer)
        writer.close()

    return reply


async def ends(provider: Provider, message: Message) -> str:
    """What a send comes to, in a word."""
    try:
        return type(await provider.send(message)).__name__
    except Exception as error:
        return type(error).__name__


@pytest.fixture
async def server() -> Any:
    async with http_scripted() as running:
        yield running


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize(("make", "message", "status", "body"), VENDORS)
async def test_an_answer_that_is_cut_at_any_byte_leaves_a_doubt(
    server: HttpScripted, make: Make, message: Message, status: int, body: bytes, reset: bool
) -> None:
    whole = answer(status, body)
    provider = make(server.url)
    for length in range(len(whole)):
        server.reply = cut(whole[:length], reset)
        assert await ends(provider, message) == "InDoubt", whole[:length]
    server.reply = says_raw(whole)
    assert isinstance(await provider.send(message), Accepted)
    await provider.close()
    assert len(server.heard) > len(whole)


@pytest.mark.parametrize(("make", "message", "status", "body"), VENDORS[1:])
async def test_nonsense_is_never_taken_for_a_yes(
    server: HttpScripted, make: Make, message: Message, status: int, body: bytes
) -> None:
    chance = random.Random(17)
    whole = answer(status, body)
    provider = make(server.url)
    for _ in range(GARBAGE):
        server.reply = cut(chance.randbytes(chance.randrange(1, 300)), reset=False)
        assert await ends(provider, message) == "InDoubt"
    for wrong in (
        whole.replace(b"HTTP/1.1", b"SMTP/1.1"),
        whole.replace(b"HTTP/1.1 2", b"HTTP/1.1 -2"),
        whole.replace(b"Length: ", b"Length: 1"),
        whole.replace(b"Length: ", b"Length: -"),
        whole.replace(b"Length: ", b"Length: 0x"),
        whole.replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nX"),
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
        b"220 mail.example.org ESMTP\r\n",
    ):
        server.reply = cut(wrong, reset=False)
        assert await ends(provider, message) == "InDoubt", wrong
    await provider.close()


@pytest.mark.parametrize(("make", "message", "status", "body"), VENDORS[1:])
async def test_silence_at_any_part_of_the_answer_leaves_a_doubt(
    server: HttpScripted, make: Make, message: Message, status: int, body: bytes
) -> None:
    whole = answer(status, body)
    provider = make(server.url, HASTY)
    where = [0, 5, whole.index(b"\r\n") + 3, whole.index(b"\r\n\r\n") + 4, len(whole) - 1]

    async def send(length: int) -> str:
        server.reply = says_raw(whole[:length])
        return await ends(provider, message)

    for length in where:
        assert await send(length) == "InDoubt", whole[:length]
    await provider.close()


Accepting = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


async def never_shakes_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(20)
    writer.close()


async def breaks_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(20)
    resets(writer)
    writer.close()


async def speaks_in_clear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(20)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    await writer.drain()
    writer.close()


async def sends_an_alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(20)
    writer.write(b"\x15\x03\x03\x00\x02\x02\x28")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    "accept", [never_shakes_hands, hangs_up, breaks_off, speaks_in_clear, sends_an_alert]
)
async def test_without_tls_nothing_was_sent(accept: Accepting) -> None:
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    provider = webhook(url, HASTY)
    with pytest.raises(TemporaryFailure):
        await provider.send(HOOK)
    await provider.close()
    server.close()


@pytest.mark.parametrize("make", [webhook, gateway, kavenegar, twilio])
async def test_a_certificate_of_nobody_and_a_closed_port_keep_the_message(
    make: Make, tmp_path: Path
) -> None:
    context, _ = make_certificate(tmp_path)
    message = HOOK if make is webhook else SMS
    async with http_scripted(tls=context) as server:
        for url in (f"https://localhost:{server.port}", "http://127.0.0.1:1"):
            provider = make(url)
            with pytest.raises(TemporaryFailure) as caught:
                await provider.send(message)
            assert caught.value.pause
            await provider.close()
        assert server.heard == []
