"""D11: a service centre is lost, silent, or talks nonsense, at the bind and at the submit."""

import asyncio
import struct
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import pytest

from angarium.channels.sms_smpp import SmsSmpp, SmsSmppSettings
from angarium.core.delivery.record import AT_LEAST_ONCE, AT_MOST_ONCE
from angarium.core.delivery.status import DeliveryState
from angarium.plugins import Accepted, Message, SmsContent
from angarium.plugins.settings import decode_settings
from tests.delivery.examples import new_delivery
from tests.drills.provider_faults.vendors import resets
from tests.parts.waiting import until
from tests.store.ledgers import row
from tests.workers.offices import Office

BIND, SUBMIT, UNBIND, ENQUIRE = 0x09, 0x04, 0x06, 0x15
RESPONSE = 0x80000000
SILENCE, CLOSE, RESET = "silence", "close", "reset"
MESSAGE = Message(key="dlv_1", address="+989121234567", content=SmsContent(text="Hello"))

Script = Mapping[int, str | tuple[int, bytes]]
"""By command: a deed, or the status and the bytes that the answer is to be cut to."""


def pdu(command: int, status: int, number: int, body: bytes = b"") -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, status, number) + body


def good(command: int, number: int) -> bytes:
    body = {BIND: b"centre\x00", SUBMIT: b"M1\x00"}.get(command, b"")
    return pdu(command | RESPONSE, 0, number, body)


class Centre:
    """Answers as the script says, and well where it says nothing; keeps the commands."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.heard: list[int] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(16)
                length, command, _, number = struct.unpack(">IIII", head)
                await reader.readexactly(length - 16)
                self.heard.append(command)
                if not await self._answer(command, number, reader, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, command: int, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        deed = self.script.get(command)
        if deed == SILENCE:
            await reader.read()
            return False
        if deed == RESET:
            resets(writer)
        if deed in (CLOSE, RESET):
            return False
        if isinstance(deed, tuple):
            status, cut = deed
            writer.write(cut or pdu(command | RESPONSE, status, number))
            await writer.drain()
            return not cut
        writer.write(good(command, number))
        await writer.drain()
        return True


@asynccontextmanager
async def centre_with(script: Script) -> AsyncGenerator[Centre, None]:
    centre = Centre(script)
    server = await asyncio.start_server(centre.serve, "127.0.0.1", 0)
    centre.port = server.sockets[0].getsockname()[1]
    yield centre
    server.close()


@asynccontextmanager
async def provider(port: int) -> AsyncGenerator[SmsSmpp, None]:
    section: dict[str, object] = {"host": "127.0.0.1", "port": port, "system_id": "shop"}
    limits = {"from": "+983000123", "bind_seconds": 0.5, "submit_seconds": 0.5}
    sms = SmsSmpp(decode_settings(SmsSmppSettings, section | limits, "sms_smpp"))
    await sms.open()
    try:
        yield sms
    finally:
        await sms.close()


async def ends(sms: SmsSmpp) -> str:
    try:
        return type(await sms.send(MESSAGE)).__name__
    except Exception as error:
        return type(error).__name__


NONSENSE = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    struct.pack(">IIII", 8, 0, 0, 0),
    struct.pack(">IIII", 0xFFFFFFFF, SUBMIT | RESPONSE, 0, 1),
    struct.pack(">IIII", 0, 0, 0, 0),
]
BINDS = [SILENCE, CLOSE, RESET, (0x0D, b""), (0x0E, b""), *((0, cut) for cut in NONSENSE)]
BROKEN = [SILENCE, CLOSE, RESET, *((0, cut) for cut in NONSENSE)]
REFUSED = [
    (0x58, "TemporaryFailure"),
    (0x14, "TemporaryFailure"),
    (0x08, "TemporaryFailure"),
    (0x0B, "PermanentFailure"),
    (0x01, "PermanentFailure"),
    (0x45, "TemporaryFailure"),
    (0x400, "TemporaryFailure"),
]


@pytest.mark.parametrize("deed", BINDS)
async def test_without_a_bind_nothing_was_sent(deed: str | tuple[int, bytes]) -> None:
    async with centre_with({BIND: deed}) as centre, provider(centre.port) as sms:
        assert await ends(sms) == "TemporaryFailure"
    assert SUBMIT not in centre.heard


@pytest.mark.parametrize("deed", BROKEN)
async def test_after_a_submit_only_an_answer_tells(deed: str | tuple[int, bytes]) -> None:
    async with centre_with({SUBMIT: deed}) as centre, provider(centre.port) as sms:
        assert await ends(sms) == "InDoubt"


async def test_an_answer_that_is_cut_at_any_byte_leaves_a_doubt() -> None:
    for length in range(1, len(good(SUBMIT, 2))):
        cut = good(SUBMIT, 2)[:length]
        async with centre_with({SUBMIT: (0, cut)}) as centre, provider(centre.port) as sms:
            assert await ends(sms) == "InDoubt", length


@pytest.mark.parametrize(("status", "expected"), REFUSED)
async def test_a_refusal_is_an_answer(status: int, expected: str) -> None:
    async with centre_with({SUBMIT: (status, b"")}) as centre, provider(centre.port) as sms:
        assert await ends(sms) == expected


@pytest.mark.parametrize("deed", [SILENCE, CLOSE, RESET])
async def test_what_was_taken_stays_taken_however_they_part(deed: str) -> None:
    async with centre_with({UNBIND: deed}) as centre, provider(centre.port) as sms:
        assert await sms.send(MESSAGE) == Accepted(provider_id="M1")


@pytest.mark.parametrize("promise", [AT_MOST_ONCE, AT_LEAST_ONCE])
async def test_the_ledger_holds_the_doubt_or_sends_again(shop: Office, promise: str) -> None:
    S = DeliveryState
    expected = (S.IN_DOUBT, 0) if promise == AT_MOST_ONCE else (S.HELD, 1)
    await shop.plan(new_delivery(channel="sms", promise=promise))

    async def answered() -> bool:
        return (await row(shop.store)).state not in (S.PLANNED, S.CLAIMED, S.HANDED)

    async with (
        centre_with({SUBMIT: RESET}) as centre,
        provider(centre.port) as sms,
        shop.delivering(sms),
    ):
        await until(answered)
    ended = await row(shop.store)
    assert (ended.state, ended.resends) == expected
