"""Text messages over SMPP, to a service centre on another implementation of the protocol."""

from collections.abc import Mapping, Sequence
from typing import ClassVar
from zlib import crc32

import anyio
import pytest
import smpplib.client
import smpplib.gsm

from angarium.channels.sms_smpp import SmsSmpp
from angarium.plugins import InDoubt, Message, PermanentFailure, TemporaryFailure
from angarium.plugins.settings import SettingsInvalid
from angarium.plugins.testing import Outcome, ProviderContract, SilenceContract
from tests.channels.smpp.parts import TAKEN, UNANSWERED, built, digits, message, provider, section
from tests.counterparts.smsc import PASSWORD, SYSTEM_ID, Smsc

GONE, THROTTLED, FULL, DENIED, LOST, SILENT = (f"+9891200000{n:02}" for n in (0, 1, 2, 3, 5, 6))
REFUSALS = {GONE: 0x0B, THROTTLED: 0x58, FULL: 0x14, DENIED: 0x65}


async def refuse(centre: Smsc, address: str, status: int) -> None:
    await centre.tell("answer", destination=digits(address), **{"with": "refuse"}, status=status)


class TestConformance(ProviderContract, SilenceContract):
    provider = SmsSmpp
    address = TAKEN
    silent = SILENT
    secrets: ClassVar[Sequence[str]] = (PASSWORD,)
    outcomes: ClassVar[Sequence[Outcome]] = (
        Outcome(GONE, PermanentFailure, address_dead=True),
        Outcome(THROTTLED, TemporaryFailure),
        Outcome(FULL, TemporaryFailure),
        Outcome(DENIED, PermanentFailure),
        Outcome(UNANSWERED, InDoubt),
        Outcome(LOST, InDoubt),
    )

    @pytest.fixture
    async def settings(self, centre: Smsc) -> Mapping[str, object]:
        self.centre = centre
        for address, status in REFUSALS.items():
            await refuse(centre, address, status)
        await centre.tell("answer", destination=digits(UNANSWERED), **{"with": "silence"})
        await centre.tell("answer", destination=digits(LOST), **{"with": "hang up"})
        await centre.tell("answer", destination=digits(SILENT), **{"with": "silence"})
        return section(centre.port, submit_seconds=3)

    @pytest.fixture
    def unreachable(self) -> Mapping[str, object]:
        return section(1)

    def message(self, text: str = "hello", *, address: str = "", key: str = "dlv_1") -> Message:
        number = f"+98913{crc32(key.encode()) % 10**7:07}"
        return super().message(text, address=address or number, key=key)

    async def arrived(self, message: Message) -> str:
        return await self.centre.text_to(message.address)


async def test_a_message_says_whence_whither_and_until_when(centre: Smsc) -> None:
    async with provider(centre) as sms:
        accepted = await sms.send(message(at=1_000, deadline=1_000 + 93_784_000))

    [part] = await centre.submits()
    assert accepted.provider_id == part["id"]
    assert abs(part.pop("validity") - 93_784) <= 60
    assert {name: part[name] for name in part if name not in ("event", "id", "status")} == {
        "destination": "989121234567",
        "destinationTon": 1,
        "destinationNpi": 1,
        "source": "983000123",
        "sourceTon": 1,
        "sourceNpi": 1,
        "coding": 8,
        "esmClass": 0,
        "receipt": 1,
        "message": "سلام",
        "udh": "",
    }


@pytest.mark.parametrize(
    ("changes", "source", "ton", "npi"),
    [
        ({"from": "+983000123"}, "983000123", 1, 1),
        ({"from": "30001234"}, "30001234", 0, 0),
        ({"from": "Shop"}, "Shop", 5, 0),
        ({"from": "3000", "from_ton": 3, "from_npi": 1}, "3000", 3, 1),
    ],
)
async def test_a_sender_has_the_type_that_its_letters_ask_for(
    centre: Smsc, changes: dict[str, object], source: str, ton: int, npi: int
) -> None:
    async with provider(centre, **changes) as sms:
        await sms.send(message())

    [part] = await centre.submits()
    assert (part["source"], part["sourceTon"], part["sourceNpi"]) == (source, ton, npi)


@pytest.mark.parametrize(
    ("text", "count", "coding"),
    [
        ("hello", 1, 0),
        ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", 1, 0),
        ("[€^{}~|\\]" * 8 + "abc", 1, 0),
        ("a" * 160, 1, 0),
        ("a" * 152 + "€" * 20, 2, 0),
        ("سلام! «می‌خواهم» ۱۲۳", 1, 8),
        ("س" * 70, 1, 8),
        ("س" * 71, 2, 8),
        ("خرید شما 🎉👩‍👩‍👧 ثبت شد" * 5, 2, 8),
        ("س" * 66 + "🎉" + "س" * 67, 3, 8),
        ("س" * 67 * 20, 20, 8),
    ],
)
async def test_a_text_arrives_whole_in_as_many_parts_as_were_counted(
    centre: Smsc, text: str, count: int, coding: int
) -> None:
    async with provider(centre) as sms:
        accepted = await sms.send(message(text=text))

    assert await centre.text_to(TAKEN) == text
    parts = await centre.submits()
    assert [part["coding"] for part in parts] == [coding] * count
    assert [part["esmClass"] for part in parts] == [0x40 if count > 1 else 0] * count
    assert [part["receipt"] for part in parts] == [0] * (count - 1) + [1]
    assert accepted.provider_id == parts[-1]["id"]


async def test_a_repetition_has_the_same_reference(centre: Smsc) -> None:
    async with provider(centre) as sms:
        await sms.send(message(text="س" * 71))
        await sms.send(message(text="س" * 71))

    assert len({part["udh"][4:6] for part in await centre.submits()}) == 1


async def test_more_parts_than_allowed_are_not_even_sent(centre: Smsc) -> None:
    async with provider(centre, most_parts=2) as sms:
        with pytest.raises(PermanentFailure, match="2 parts"):
            await sms.send(message(text="س" * 135))

    await centre.tell("nothing")
    assert centre.count("bind") == 0


async def test_a_message_of_which_a_part_is_refused_was_not_sent(centre: Smsc) -> None:
    rule = {"with": "error", "submits": 2, "status": 0x58}
    await centre.tell("answer", destination=digits(TAKEN), **rule)
    async with provider(centre) as sms:
        with pytest.raises(TemporaryFailure, match="throttled") as caught:
            await sms.send(message(text="س" * 200))

    assert caught.value.pause
    assert len(await centre.submits()) == 1


@pytest.mark.parametrize(
    ("unanswered", "end"), [(1, TemporaryFailure), (2, TemporaryFailure), (3, InDoubt)]
)
async def test_only_a_doubt_about_the_last_part_is_one_about_the_message(
    centre: Smsc, unanswered: int, end: type[Exception]
) -> None:
    """A phone shows nothing before it has all parts."""
    rule = {"with": "silence", "submits": unanswered}
    await centre.tell("answer", destination=digits(TAKEN), **rule)
    async with provider(centre, submit_seconds=0.5) as sms:
        with pytest.raises(end):
            await sms.send(message(text="س" * 201))

    assert len(await centre.submits()) == unanswered


async def test_a_transmitter_binds_as_one(centre: Smsc) -> None:
    async with provider(centre, bind="transmitter", system_type="SHOP") as sms:
        await sms.send(message())

    bind = await centre.heard("bind")
    assert (bind["command"], bind["type"], bind["version"]) == ("bind_transmitter", "SHOP", 0x34)


def talk(port: int, text: str) -> list[bytes]:
    """smpplib sends a text in parts, and waits for its receipt; what it was told."""
    heard: list[bytes] = []
    client = smpplib.client.Client("127.0.0.1", port, timeout=10, allow_unknown_opt_params=True)
    client.set_message_received_handler(lambda pdu: heard.append(pdu.short_message))
    client.connect()
    client.bind_transceiver(system_id=SYSTEM_ID, password=PASSWORD)
    parts, coding, flag = smpplib.gsm.make_parts(text)
    for part in parts:
        client.send_message(
            source_addr="3000",
            destination_addr=digits(TAKEN),
            short_message=part,
            data_coding=coding,
            esm_class=flag,
            registered_delivery=part == parts[-1],
        )
    while not heard:
        client.read_once()
    client.unbind()
    client.disconnect()
    return heard


async def test_another_client_agrees_with_the_stand_in(centre: Smsc) -> None:
    """smpplib 2.2: what the centre takes from us, it takes from others."""
    await centre.tell("receipts", state="DELIVRD")
    text = "سلام، دوست من! " * 12  # no emoji: smpplib would cut one in two

    [receipt] = await anyio.to_thread.run_sync(talk, centre.port, text)

    assert await centre.text_to(TAKEN) == text
    last = (await centre.submits())[-1]["id"]
    assert receipt.startswith(f"id:{last} ".encode())


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"from": ""}, "from"),
        ({"host": "a b"}, "host"),
        ({"system_id": "longer than fifteen"}, "system_id"),
        ({"system_id": "فروشگاه من"}, "system_id"),
        ({"password": "ninechars"}, "password"),
        ({"window": 0}, "window"),
        ({"most_parts": 256}, "most_parts"),
        ({"submit_seconds": 30}, "submit_seconds"),
        ({"bind": "receiver"}, "bind"),
        ({"country": "0098"}, "country"),
    ],
)
def test_settings_that_cannot_work_are_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        built(2775, **changes)
