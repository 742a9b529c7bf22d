"""Text messages through Twilio: its codes, its signed callbacks, and answers that opt out."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar
from urllib.parse import parse_qsl
from zlib import crc32

import anyio
import msgspec
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from angarium.channels.sms_twilio import SmsTwilio
from angarium.plugins import (
    InDoubt,
    Message,
    PermanentFailure,
    SmsContent,
    StatusUpdate,
    TemporaryFailure,
)
from angarium.plugins.settings import SettingsInvalid
from angarium.plugins.testing import Outcome, ProviderContract, SilenceContract
from tests.channels.opened import NOBODY, opened
from tests.channels.opened import built as build
from tests.counterparts.twilio import Twilio, sign, twilio

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "the-auth-token"
KEY_SECRET = "the-key-secret"
CALLBACK = "https://gateway.example/callbacks/sms_twilio"
SID = "SM" + "0" * 31 + "1"
TAKEN = "+989121234567"
GONE, LANDLINE, STOPPED, BUSY, ABROAD, SILENT = (f"+9891200000{n:02}" for n in range(6))


@pytest.fixture
async def vendor() -> AsyncGenerator[Twilio, None]:
    async with twilio(ACCOUNT, TOKEN) as stand_in:
        stand_in.refusals = {
            GONE: (400, 21211),
            LANDLINE: (400, 21614),
            STOPPED: (400, 21610),
            BUSY: (429, 20429),
            ABROAD: (400, 21408),
        }
        yield stand_in


def section(url: str, **changes: object) -> dict[str, object]:
    return {
        "account": ACCOUNT,
        "token": TOKEN,
        "from": "+15005550006",
        "callback_url": CALLBACK,
        "url": url,
        **changes,
    }


def built(url: str = "https://api.twilio.com", **changes: object) -> SmsTwilio:
    return build(SmsTwilio, section(url, **changes))


def provider(vendor: Twilio, **changes: object) -> AbstractAsyncContextManager[SmsTwilio]:
    return opened(SmsTwilio, section(vendor.url, **changes))


def message(address: str = TAKEN, text: str = "سلام", **changes: Any) -> Message:
    return Message(key="dlv_1", address=address, content=SmsContent(text=text), **changes)


class TestConformance(ProviderContract, SilenceContract):
    provider = SmsTwilio
    address = TAKEN
    silent = SILENT
    secrets: ClassVar[Sequence[str]] = (TOKEN, KEY_SECRET)
    outcomes: ClassVar[Sequence[Outcome]] = (
        Outcome(GONE, PermanentFailure, address_dead=True),
        Outcome(LANDLINE, PermanentFailure, address_dead=True),
        Outcome(STOPPED, PermanentFailure, address_dead=True),
        Outcome(BUSY, TemporaryFailure),
        Outcome(ABROAD, PermanentFailure),
    )

    @pytest.fixture
    def settings(self, vendor: Twilio) -> Mapping[str, object]:
        self.vendor = vendor
        vendor.logins = {"SK1": KEY_SECRET}
        vendor.silent.add(SILENT)
        return section(vendor.url, api_key="SK1", api_secret=KEY_SECRET)

    @pytest.fixture
    def unreachable(self) -> Mapping[str, object]:
        return section(NOBODY)

    def message(self, text: str = "hello", *, address: str = "", key: str = "dlv_1") -> Message:
        number = f"+98913{crc32(key.encode()) % 10**7:07}"
        return super().message(text, address=address or number, key=key)

    async def arrived(self, message: Message) -> str:
        [form] = self.vendor.to(message.address)
        return form["Body"]


async def test_how_long_to_wait_is_taken_from_the_answer(vendor: Twilio) -> None:
    vendor.headers = {"Retry-After": "3"}
    async with provider(vendor) as sms:
        with pytest.raises(TemporaryFailure) as caught:
            await sms.send(message(BUSY))

    assert (caught.value.retry_after, caught.value.pause) == (3, True)


async def test_a_message_says_whence_it_comes_where_to_report_and_until_when(
    vendor: Twilio,
) -> None:
    async with provider(vendor) as sms:
        accepted = await sms.send(message(at=1_000, deadline=61_000))

    assert accepted.provider_id == SID
    assert vendor.kept == [
        {
            "To": TAKEN,
            "Body": "سلام",
            "From": "+15005550006",
            "StatusCallback": f"{CALLBACK}?key=dlv_1",
            "ValidityPeriod": "60",
        }
    ]


@pytest.mark.parametrize(
    ("left", "period"), [(100_000_000, "36000"), (500, "1"), (-5_000, "1"), (0, None)]
)
async def test_the_deadline_becomes_a_period_that_twilio_takes(
    vendor: Twilio, left: int, period: str | None
) -> None:
    times = {"at": 10_000, "deadline": 10_000 + left} if left else {}
    async with provider(vendor) as sms:
        await sms.send(message(**times))

    assert vendor.kept[0].get("ValidityPeriod") == period


async def test_a_messaging_service_may_choose_the_sender(vendor: Twilio) -> None:
    changes = {"from": "", "messaging_service": "MG1", "callback_url": ""}
    async with provider(vendor, **changes) as sms:
        await sms.send(message())

    assert vendor.kept == [{"To": TAKEN, "Body": "سلام", "MessagingServiceSid": "MG1"}]


async def test_a_wrong_token_is_our_fault(vendor: Twilio) -> None:
    async with provider(vendor, token="another") as sms:
        with pytest.raises(TemporaryFailure, match="check account, token") as caught:
            await sms.send(message())

    assert caught.value.pause


async def test_a_message_without_an_answer_is_in_doubt(vendor: Twilio) -> None:
    vendor.silent.add(TAKEN)
    async with provider(vendor, answer_seconds=0.2, connect_seconds=0.2) as sms:
        with pytest.raises(InDoubt):
            await sms.send(message())


async def test_a_text_that_is_too_long_is_not_even_sent(vendor: Twilio) -> None:
    async with provider(vendor) as sms:
        await sms.send(message(text="ا" * 1600))
        with pytest.raises(PermanentFailure, match="1600 characters"):
            await sms.send(message(text="ا" * 1601))

    assert len(vendor.kept) == 1


STATUSES = [
    ("queued", "", None, "", False),
    ("sending", "", None, "", False),
    ("sent", "", "accepted", "", False),
    ("delivered", "", "delivered", "", False),
    ("undelivered", "30003", "undelivered", "sms_twilio: not delivered (30003)", False),
    ("undelivered", "30005", "undelivered", "sms_twilio: there is no such number (30005)", True),
    (
        "undelivered",
        "30006",
        "undelivered",
        "sms_twilio: the number cannot receive text messages (30006)",
        True,
    ),
    ("failed", "30007", "failed", "sms_twilio: not delivered (30007)", False),
    ("failed", "none", "failed", "", False),
    ("delivered", "30005", "delivered", "sms_twilio: there is no such number (30005)", False),
    ("canceled", "", "failed", "", False),
]


@pytest.mark.parametrize(("word", "code", "status", "reason", "dead"), STATUSES)
async def test_a_callback_tells_what_became_of_a_message(
    vendor: Twilio, word: str, code: str, status: Any, reason: str, dead: bool
) -> None:
    form = {"MessageSid": SID, "MessageStatus": word, "To": TAKEN, "AccountSid": ACCOUNT}
    told = vendor.callback(
        f"{CALLBACK}?key=dlv_1", {**form, **({"ErrorCode": code} if code else {})}
    )

    updates = built().parse_callback(told)

    expected = StatusUpdate(
        status=status or "accepted",
        provider_id=SID,
        key="dlv_1",
        id=f"{SID}/{word}",
        reason=reason,
        address_dead=dead,
    )
    assert list(updates) == ([expected] if status else [])


def answer_of(body: str, **changes: str) -> dict[str, str]:
    return {
        "MessageSid": SID,
        "SmsStatus": "received",
        "From": TAKEN,
        "To": "+15005550006",
        "Body": body,
        **changes,
    }


@pytest.mark.parametrize(
    ("form", "stops"),
    [
        (answer_of("STOP"), True),
        (answer_of("لغو"), True),
        (answer_of("لغو۱۱"), True),
        (answer_of("Arrêt", OptOutType="STOP"), True),
        (answer_of("START", OptOutType="START"), False),
        (answer_of("ممنون"), False),
        (answer_of(""), False),
        (answer_of("STOP", From=""), False),
    ],
)
async def test_an_answer_by_which_somebody_opts_out_names_who(
    vendor: Twilio, form: dict[str, str], stops: bool
) -> None:
    updates = built().parse_callback(vendor.callback(CALLBACK, form))

    expected = StatusUpdate(status="unsubscribed", address=TAKEN, id=SID)
    assert list(updates) == ([expected] if stops else [])


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {}},
        {"headers": {"x-twilio-signature": ""}},
        {"headers": {"x-twilio-signature": "no base64"}},
        {"headers": {"x-twilio-signature": "رمز"}},
        {"headers": {"x-twilio-signature": sign("another", CALLBACK, {})}},
        {"url": "https://gateway.example/callbacks/sms_other"},
        {"url": f"{CALLBACK}?key=dlv_other"},
        {"body": b"MessageSid=SM2&MessageStatus=delivered"},
        {"body": b""},
    ],
)
async def test_a_forged_callback_is_refused(vendor: Twilio, changes: dict[str, Any]) -> None:
    told = vendor.callback(CALLBACK, {"MessageSid": SID, "MessageStatus": "delivered"})

    with pytest.raises(PermissionError):
        built().parse_callback(msgspec.structs.replace(told, **changes))


async def test_a_repeated_callback_is_the_same_news(vendor: Twilio) -> None:
    told = vendor.callback(CALLBACK, {"MessageSid": SID, "MessageStatus": "delivered"})

    first, second = built().parse_callback(told), built().parse_callback(told)

    assert [update.id for update in first] == [update.id for update in second]


@pytest.mark.parametrize("form", [{}, {"MessageSid": SID}, {"MessageStatus": "sent"}])
async def test_a_callback_that_says_nothing_cannot_be_read(
    vendor: Twilio, form: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="MessageSid"):
        built().parse_callback(vendor.callback(CALLBACK, form))


@pytest.mark.parametrize(
    ("signed", "called"),
    [
        ("https://gateway.example:443/c", "https://gateway.example/c"),
        ("https://gateway.example/c", "https://gateway.example:443/c"),
        ("https://gateway.example:8443/c", "https://gateway.example:8443/c"),
        ("http://gateway.example:80/c?key=x", "http://gateway.example/c?key=x"),
    ],
)
async def test_the_port_may_stand_in_the_signed_address_or_not(
    vendor: Twilio, signed: str, called: str
) -> None:
    told = vendor.callback(signed, {"MessageSid": SID, "MessageStatus": "delivered"})

    assert built().parse_callback(msgspec.structs.replace(told, url=called))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"from": ""}, "messaging_service"),
        ({"messaging_service": "MG1"}, "messaging_service"),
        ({"account": "me"}, "account"),
        ({"api_key": "SK1"}, "api_secret"),
        ({"url": "http://api.twilio.com"}, "url"),
        ({"callback_url": "gateway.example"}, "callback_url"),
    ],
)
def test_settings_that_cannot_work_are_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        built(**changes)


@pytest.mark.parametrize("form", [{"MessageSid": SID, "Body": "سلام + & ="}, {"B": "", "A": "x"}])
async def test_twilios_own_validator_takes_the_callbacks_of_the_stand_in(
    vendor: Twilio, form: dict[str, str]
) -> None:
    """twilio 9.13: what signs in these tests signs as Twilio does."""
    told = vendor.callback(f"{CALLBACK}?key=dlv_1", form)
    read = dict(parse_qsl(told.body.decode(), keep_blank_values=True))

    valid = RequestValidator(TOKEN).validate(told.url, read, told.headers["x-twilio-signature"])

    assert valid


class LedHere(TwilioHttpClient):
    """Twilio's own HTTP client; its requests go to the stand-in."""

    def __init__(self, url: str) -> None:
        super().__init__(pool_connections=False)
        self._here = url

    def request(self, method: str, url: str, *rest: Any, **options: Any) -> Any:
        there = url.replace("https://api.twilio.com", self._here)
        return super().request(method, there, *rest, **options)


async def test_the_published_client_agrees_with_the_stand_in(vendor: Twilio) -> None:
    client = Client(ACCOUNT, TOKEN, http_client=LedHere(vendor.url))

    def talk() -> tuple[Any, int]:
        sent = client.messages.create(to=TAKEN, from_="+15005550006", body="سلام")
        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(to=STOPPED, from_="+15005550006", body="x")
        return sent, refused.value.code

    sent, code = await anyio.to_thread.run_sync(talk)

    assert (sent.sid, sent.body, sent.status) == (SID, "سلام", "queued")
    assert code == 21610
