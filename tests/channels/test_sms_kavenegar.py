"""Text messages through Kavenegar: its numbers, `localid`, and its unsigned callbacks."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

import anyio
import pytest
from kavenegar import APIException, KavenegarAPI

from angarium.channels._http import Answer
from angarium.channels._kavenegar_answers import BLACKLISTED, read_sent
from angarium.channels.sms_kavenegar import SmsKavenegar, make_local_id
from angarium.plugins import (
    InDoubt,
    Message,
    PermanentFailure,
    SmsContent,
    StatusUpdate,
    TemporaryFailure,
)
from angarium.plugins.settings import SettingsInvalid
from angarium.plugins.testing import KeyContract, Outcome, ProviderContract, SilenceContract
from tests.channels.opened import NOBODY, opened
from tests.channels.opened import built as build
from tests.counterparts.kavenegar import Kavenegar, callback, kavenegar

KEY = "4B6D4579576C6F7265"
SECRET = "callback-secret"
TAKEN = "+989121234567"
DEAD, BLOCKED, POOR, SILENT = (f"+9891200000{n:02}" for n in range(4))


def national(address: str) -> str:
    return "0" + address.removeprefix("+98")


@pytest.fixture
async def vendor() -> AsyncGenerator[Kavenegar, None]:
    async with kavenegar(KEY) as stand_in:
        stand_in.refusals = {national(DEAD): 411, national(POOR): 418}
        stand_in.statuses = {national(BLOCKED): 14}
        yield stand_in


def section(vendor: Kavenegar, **changes: object) -> dict[str, object]:
    return {"api_key": KEY, "callback_secret": SECRET, "url": vendor.url, **changes}


def built(**changes: object) -> SmsKavenegar:
    return build(SmsKavenegar, {"api_key": KEY, "callback_secret": SECRET, **changes})


def provider(vendor: Kavenegar, **changes: object) -> AbstractAsyncContextManager[SmsKavenegar]:
    return opened(SmsKavenegar, section(vendor, **changes))


def message(address: str = TAKEN, text: str = "سلام", key: str = "dlv_1") -> Message:
    return Message(key=key, delivery=key, address=address, content=SmsContent(text=text))


def address_of(key: str) -> str:
    """One for each key, so that what arrived can be told apart."""
    return f"+98913{int(make_local_id(key)) % 10**7:07}"


class TestConformance(ProviderContract, SilenceContract, KeyContract):
    provider = SmsKavenegar
    address = TAKEN
    silent = SILENT
    secrets: ClassVar[Sequence[str]] = (KEY, SECRET)
    outcomes: ClassVar[Sequence[Outcome]] = (
        Outcome(DEAD, PermanentFailure, address_dead=True),
        Outcome(BLOCKED, PermanentFailure),
        Outcome(POOR, TemporaryFailure),
    )

    @pytest.fixture
    def settings(self, vendor: Kavenegar) -> Mapping[str, object]:
        self.vendor = vendor
        vendor.silent.add(national(SILENT))
        return section(vendor)

    @pytest.fixture
    def unreachable(self) -> Mapping[str, object]:
        return {"api_key": KEY, "url": NOBODY}

    def message(self, text: str = "hello", *, address: str = "", key: str = "dlv_1") -> Message:
        return super().message(text, address=address or address_of(key), key=key)

    async def arrived(self, message: Message) -> str:
        [kept] = self.vendor.to(national(message.address))
        return kept.message

    async def times_taken(self, message: Message) -> int:
        local_id = make_local_id(message.key)
        return sum(kept.local_id == local_id for kept in self.vendor.kept)


ANSWERS: list[tuple[int, Any, type[Exception], bool, bool]] = [
    # return.status, HTTP status if it is another, what is raised, the address is dead, pause
    (400, None, PermanentFailure, False, False),
    (401, None, TemporaryFailure, False, True),
    (402, None, TemporaryFailure, False, False),
    (403, None, TemporaryFailure, False, True),
    (407, None, TemporaryFailure, False, True),
    (409, None, TemporaryFailure, False, True),
    (411, None, PermanentFailure, True, False),
    (411, 200, PermanentFailure, True, False),
    (412, None, TemporaryFailure, False, True),
    (413, None, PermanentFailure, False, False),
    (418, None, TemporaryFailure, False, True),
    (420, None, PermanentFailure, False, False),
    (422, None, PermanentFailure, False, False),
    (429, None, TemporaryFailure, False, True),
    (451, None, TemporaryFailure, False, True),
    (499, None, TemporaryFailure, False, False),
    (500, None, InDoubt, False, False),
    (501, None, TemporaryFailure, False, True),
]


@pytest.mark.parametrize(("status", "http", "raised", "dead", "pause"), ANSWERS)
def test_each_number_has_one_meaning(
    status: int, http: int | None, raised: type[Exception], dead: bool, pause: bool
) -> None:
    body = b'{"return":{"status":%d,"message":"09121234567"},"entries":null}' % status

    with pytest.raises(raised) as caught:
        read_sent(Answer(http or status, {}, body))

    assert getattr(caught.value, "address_dead", False) is dead
    assert getattr(caught.value, "pause", False) is pause
    assert str(status) in str(caught.value)
    assert "0912" not in str(caught.value)


@pytest.mark.parametrize(
    ("http", "body", "raised"),
    [
        (200, b"", InDoubt),
        (200, b"<html>", InDoubt),
        (200, b'{"return":{"status":200}}', InDoubt),
        (200, b'{"return":{"status":200},"entries":[]}', InDoubt),
        (200, b'{"return":{"status":200},"entries":[{"messageid":0,"status":100}]}', InDoubt),
        (200, b'{"return":{"status":"?"}}', InDoubt),
        (502, b"<html>bad gateway", InDoubt),
        (302, b"", InDoubt),
        (403, b"<html>forbidden", TemporaryFailure),
        (429, b"slow down", TemporaryFailure),
        (200, b"[" * 100_000, InDoubt),
    ],
)
def test_what_cannot_be_read_is_in_doubt_unless_it_says_no(
    http: int, body: bytes, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        read_sent(Answer(http, {}, body))


@pytest.mark.parametrize("status", [1, 2, 4, 5, 10, 11])
def test_a_message_is_taken_in_each_state_on_its_way(status: int) -> None:
    body = b'{"return":{"status":200},"entries":[{"messageid":8792343,"status":%d}]}' % status

    assert read_sent(Answer(200, {}, body)).provider_id == "8792343"


async def test_a_blacklisted_recipient_has_a_reason_of_its_own(vendor: Kavenegar) -> None:
    async with provider(vendor) as sms:
        with pytest.raises(PermanentFailure, match="blacklisted") as caught:
            await sms.send(message(BLOCKED))

    assert caught.value.reason == BLACKLISTED
    assert not caught.value.address_dead


async def test_how_long_to_wait_is_taken_from_the_answer(vendor: Kavenegar) -> None:
    vendor.refusals[national(TAKEN)] = 429
    vendor.headers = {"Retry-After": "7"}
    async with provider(vendor) as sms:
        with pytest.raises(TemporaryFailure) as caught:
            await sms.send(message())

    assert caught.value.retry_after == 7


async def test_a_message_without_an_answer_is_found_by_its_localid(vendor: Kavenegar) -> None:
    vendor.cut.add(national(SILENT))
    async with provider(vendor) as sms:
        accepted = await sms.send(message(SILENT))

    [kept] = vendor.kept
    assert accepted.provider_id == str(kept.id)
    assert vendor.requests == ["send", "statuslocalmessageid"]


async def test_a_message_that_nobody_knows_stays_in_doubt(vendor: Kavenegar) -> None:
    vendor.raw[national(TAKEN)] = (502, b"<html>")
    async with provider(vendor) as sms:
        with pytest.raises(InDoubt):
            await sms.send(message())

    assert vendor.requests == ["send", "statuslocalmessageid"]


async def test_a_repetition_makes_no_second_message(vendor: Kavenegar) -> None:
    async with provider(vendor) as sms:
        first, second = await sms.send(message()), await sms.send(message())

    assert first == second
    assert len(vendor.kept) == 1


@pytest.mark.parametrize(
    ("address", "receptor"), [(TAKEN, "09121234567"), ("+4915112345678", "004915112345678")]
)
async def test_numbers_are_written_as_kavenegar_reads_them(
    vendor: Kavenegar, address: str, receptor: str
) -> None:
    async with provider(vendor, sender="30001234") as sms:
        await sms.send(message(address))

    [kept] = vendor.kept
    assert (kept.receptor, kept.sender) == (receptor, "30001234")


async def test_a_text_that_is_too_long_is_not_even_sent(vendor: Kavenegar) -> None:
    async with provider(vendor) as sms:
        await sms.send(message(text="ا" * 900))
        with pytest.raises(PermanentFailure, match="900 characters"):
            await sms.send(message(text="ا" * 901))

    assert vendor.requests == ["send"]


def test_a_localid_is_positive_stays_the_same_and_tells_keys_apart() -> None:
    ids = [make_local_id(f"dlv_{n}") for n in range(1000)]

    assert ids == [make_local_id(f"dlv_{n}") for n in range(1000)]
    assert len(set(ids)) == 1000
    assert all(0 < int(id) < 2**63 for id in ids)


STATUSES = [
    ("1", None, ""),
    ("4", "accepted", ""),
    ("5", "accepted", ""),
    ("6", "failed", "sms_kavenegar: the line failed to send it"),
    ("10", "delivered", ""),
    ("11", "undelivered", ""),
    ("13", "failed", "sms_kavenegar: cancelled"),
    ("14", "undelivered", BLACKLISTED),
    ("100", None, ""),
    ("777", None, ""),
]


@pytest.mark.parametrize(("number", "status", "reason"), STATUSES)
def test_a_callback_tells_what_became_of_a_message(number: str, status: Any, reason: str) -> None:
    told = callback({"messageid": 85463238, "status": number}, secret=SECRET)

    expected = (
        [
            StatusUpdate(
                status=status, provider_id="85463238", id=f"85463238/{number}", reason=reason
            )
        ]
        if status
        else []
    )
    assert list(built().parse_callback(told)) == expected


@pytest.mark.parametrize("text", ["لغو", "لغو۱۱", "11", "Stop"])
def test_an_answer_by_which_somebody_opts_out_names_who(text: str) -> None:
    fields = {"messageid": 35850015, "from": "09121234567", "to": "30002626", "message": text}

    assert built().parse_callback(callback(fields, secret=SECRET)) == [
        StatusUpdate(status="unsubscribed", address=TAKEN, id="answer/35850015")
    ]


def test_any_other_answer_means_nothing_here() -> None:
    fields = {"messageid": 1, "from": "09121234567", "to": "30002626", "message": "ممنون"}

    assert list(built().parse_callback(callback(fields, secret=SECRET))) == []


@pytest.mark.parametrize("given", ["", "wrong", "callback-secret ", "رمز"])
def test_a_forged_callback_is_refused(given: str) -> None:
    told = callback({"messageid": 1, "status": 10}, secret=given)

    with pytest.raises(PermissionError):
        built().parse_callback(told)


def test_no_callback_is_taken_where_no_secret_is_set() -> None:
    with pytest.raises(PermissionError):
        built(callback_secret="").parse_callback(callback({"messageid": 1, "status": 10}))


@pytest.mark.parametrize("fields", [{"status": 10}, {"messageid": 1, "status": "ده؟"}])
def test_a_callback_that_cannot_be_read_is_said_to_be_so(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 — any: each is answered with 400
        built().parse_callback(callback(fields, secret=SECRET))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"api_key": ""}, "api_key"),
        ({"url": "http://api.kavenegar.com"}, "url"),
        ({"connections": 0}, "connections"),
    ],
)
def test_settings_that_cannot_work_are_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        built(**changes)


async def test_the_published_client_agrees_with_the_stand_in(
    vendor: Kavenegar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kavenegar 1.1.2: its host is fixed in code, so its requests are led here."""
    import requests

    post = requests.post

    def led_here(url: str, **options: Any) -> Any:
        return post(url.replace("https://api.kavenegar.com", vendor.url), **options)

    monkeypatch.setattr(requests, "post", led_here)
    client = KavenegarAPI(KEY)

    def talk() -> tuple[Any, Any, str]:
        params = {"receptor": "09121234567", "message": "سلام", "localid": 450}
        [sent] = client.sms_send(params)
        [found] = client.sms_statuslocalmessageid({"localid": 450})
        try:
            client.sms_send({"receptor": national(DEAD), "message": "x"})
        except APIException as error:
            return sent, found, error.args[0].decode()
        return sent, found, ""

    sent, found, refused = await anyio.to_thread.run_sync(talk)

    assert (sent["status"], sent["message"]) == (1, "سلام")
    assert (found["messageid"], found["localid"]) == (sent["messageid"], "450")
    assert refused.startswith("APIException[411]")


async def test_a_send_that_is_cut_off_is_heard_of_no_more(vendor: Kavenegar) -> None:
    vendor.silent.add(national(SILENT))
    async with provider(vendor) as sms:
        task = asyncio.ensure_future(sms.send(message(SILENT)))
        while not vendor.kept:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
