"""Text messages through a gateway that settings describe: requests, answers, callbacks."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar
from urllib.parse import urlencode
from zlib import crc32

import pytest

from angarium.channels._gateway_answers import find
from angarium.channels.sms_http import SmsHttp
from angarium.plugins import (
    CallbackRequest,
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
from tests.counterparts.sms_gateway import SmsGateway, sms_gateway

TOKEN = "the-token"
SECRET = "callback-secret"
TAKEN = "+989121234567"
GONE, BUSY, BROKEN, BARRED, STRANGE, WEIRD, SILENT = (f"+9891200000{n:02}" for n in range(7))
BODY = '{"to": "{to}", "text": "{text}", "ref": "{key}", "from": "{from}"}'


@pytest.fixture
async def gateway() -> AsyncGenerator[SmsGateway, None]:
    async with sms_gateway() as running:
        running.answers = {
            GONE: (200, b'{"messages":[{"state":"NO_SUCH_NUMBER"}]}'),
            BUSY: (429, b""),
            BROKEN: (502, b"<html>"),
            BARRED: (400, b'{"error":"barred"}'),
            STRANGE: (200, b'{"messages":[{"state":"ODD"}]}'),
            WEIRD: (200, b"<html>"),
        }
        yield running


def section(url: str, **changes: object) -> dict[str, object]:
    return {
        "url": url,
        "allow_private": True,
        "headers": {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "{key}"},
        "body": BODY,
        "from": "3000",
        "answer_id": "/messages/0/id",
        "answer_word": "/messages/0/state",
        "words": {"QUEUED": "accepted", "NO_SUCH_NUMBER": "address_dead"},
        "callback_secret": SECRET,
        "callback_id": "/report/id",
        "callback_word": "/report/state",
        "callback_words": {"DONE": "delivered", "LOST": "undelivered", "OLD": "expired"},
        "callback_from": "/report/from",
        "callback_text": "/report/text",
        **changes,
    }


def built(url: str = "https://gw.example/send", **changes: object) -> SmsHttp:
    return build(SmsHttp, section(url, **changes))


def provider(gateway: SmsGateway, **changes: object) -> AbstractAsyncContextManager[SmsHttp]:
    return opened(SmsHttp, section(**{"url": gateway.url, **changes}))


def message(address: str = TAKEN, text: str = "سلام") -> Message:
    return Message(key="dlv_1", address=address, content=SmsContent(text=text))


class Conformance(ProviderContract, SilenceContract, KeyContract):
    provider = SmsHttp
    address = TAKEN
    silent = SILENT
    secrets: ClassVar[Sequence[str]] = (TOKEN, SECRET)
    outcomes: ClassVar[Sequence[Outcome]] = (
        Outcome(GONE, PermanentFailure, address_dead=True),
        Outcome(BUSY, TemporaryFailure),
        Outcome(BROKEN, InDoubt),
        Outcome(BARRED, PermanentFailure),
        Outcome(STRANGE, InDoubt),
        Outcome(WEIRD, InDoubt),
    )
    changes: ClassVar[Mapping[str, object]] = {}

    @pytest.fixture
    def settings(self, gateway: SmsGateway) -> Mapping[str, object]:
        self.gateway = gateway
        gateway.silent.add(SILENT)
        return {**section(gateway.url), **self.changed(gateway.url)}

    @pytest.fixture
    def unreachable(self) -> Mapping[str, object]:
        return {**section(f"{NOBODY}/send"), **self.changed(f"{NOBODY}/send")}

    def changed(self, url: str) -> Mapping[str, object]:
        return {}

    def message(self, text: str = "hello", *, address: str = "", key: str = "dlv_1") -> Message:
        number = f"+98913{crc32(key.encode()) % 10**7:07}"
        return super().message(text, address=address or number, key=key)

    async def arrived(self, message: Message) -> str:
        [fields] = self.gateway.to(message.address)
        text: str = fields["text"]
        return text

    async def times_taken(self, message: Message) -> int:
        return len(self.gateway.to(message.address))


class TestJson(Conformance):
    pass


class TestForm(Conformance):
    def changed(self, url: str) -> Mapping[str, object]:
        return {"format": "form", "body": "to={to}&text={text}&from={from}"}


class TestAddress(Conformance):
    def changed(self, url: str) -> Mapping[str, object]:
        return {"method": "GET", "url": f"{url}?key={TOKEN}&to={{to}}&text={{text}}"}


async def test_a_request_is_what_the_settings_say(gateway: SmsGateway) -> None:
    async with provider(gateway) as sms:
        accepted = await sms.send(message(text='"} & \\ \n {key}'))

    [came] = gateway.came
    assert accepted.provider_id == "G1"
    assert (came.method, came.content_type) == ("POST", "application/json")
    assert came.headers["authorization"] == f"Bearer {TOKEN}"
    assert came.headers["idempotency-key"] == "dlv_1"
    assert came.fields == {"to": TAKEN, "text": '"} & \\ \n {key}', "ref": "dlv_1", "from": "3000"}


@pytest.mark.parametrize(
    ("number", "address", "written"),
    [
        ("plus", TAKEN, "+989121234567"),
        ("digits", TAKEN, "989121234567"),
        ("zeros", TAKEN, "00989121234567"),
        ("national", TAKEN, "09121234567"),
        ("national", "+4915112345678", "004915112345678"),
    ],
)
async def test_a_number_is_written_as_the_gateway_wants_it(
    gateway: SmsGateway, number: str, address: str, written: str
) -> None:
    async with provider(gateway, number=number) as sms:
        await sms.send(message(address))

    assert gateway.came[0].fields["to"] == written


async def test_without_a_pointer_the_message_is_known_by_our_key(gateway: SmsGateway) -> None:
    async with provider(gateway, answer_id="", answer_word="", words={}) as sms:
        accepted = await sms.send(message())

    assert accepted.provider_id == "dlv_1"


ANSWERS: list[tuple[int, dict[str, object], type[Exception] | None, bool, bool]] = [
    # HTTP status, settings, what is raised, the address is dead, pause
    (200, {}, None, False, False),
    (204, {}, None, False, False),
    (302, {}, InDoubt, False, False),
    (400, {}, PermanentFailure, False, False),
    (401, {}, TemporaryFailure, False, True),
    (403, {}, TemporaryFailure, False, True),
    (404, {}, TemporaryFailure, False, True),
    (408, {}, InDoubt, False, False),
    (410, {}, PermanentFailure, False, False),
    (410, {"statuses": {"410": "address_dead"}}, PermanentFailure, True, False),
    (429, {}, TemporaryFailure, False, True),
    (500, {}, InDoubt, False, False),
    (503, {}, InDoubt, False, False),
    (503, {"statuses": {"503": "temporary"}}, TemporaryFailure, False, False),
    (503, {"statuses": {"5xx": "pause"}}, TemporaryFailure, False, True),
    (200, {"statuses": {"2xx": "in_doubt", "201": "accepted"}}, InDoubt, False, False),
]


@pytest.mark.parametrize(("status", "changes", "raised", "dead", "pause"), ANSWERS)
async def test_each_status_means_what_is_usual_or_set(
    gateway: SmsGateway,
    status: int,
    changes: dict[str, object],
    raised: type[Exception] | None,
    dead: bool,
    pause: bool,
) -> None:
    gateway.answers[TAKEN] = (status, b"")
    async with provider(gateway, answer_id="", answer_word="", words={}, **changes) as sms:
        if raised is None:
            assert (await sms.send(message())).provider_id == "dlv_1"
            return
        with pytest.raises(raised) as caught:
            await sms.send(message())

    assert getattr(caught.value, "address_dead", False) is dead
    assert getattr(caught.value, "pause", False) is pause
    assert str(status) in str(caught.value)


async def test_how_long_to_wait_is_taken_from_the_answer(gateway: SmsGateway) -> None:
    gateway.headers = {"Retry-After": "9"}
    async with provider(gateway) as sms:
        with pytest.raises(TemporaryFailure) as caught:
            await sms.send(message(BUSY))

    assert caught.value.retry_after == 9


async def test_a_word_that_nobody_knows_is_not_repeated(gateway: SmsGateway) -> None:
    gateway.answers[TAKEN] = (400, b'{"messages":[{"state":"+989121234567 is barred"}]}')
    async with provider(gateway) as sms:
        with pytest.raises(PermanentFailure) as caught:
            await sms.send(message())

    assert caught.value.reason == "sms_http: refused (400)"


async def test_a_gateway_may_not_stand_in_a_private_network_unless_allowed() -> None:
    with pytest.raises(SettingsInvalid, match=r"url: .*not a public one"):
        built("https://127.0.0.1/send", allow_private=False)
    with pytest.raises(SettingsInvalid, match="url: must begin with https"):
        built("http://gw.example/send", allow_private=False)
    sms = built("https://localhost/send", allow_private=False)
    with pytest.raises(TemporaryFailure, match="no public address"):
        await sms.send(message())
    await sms.close()


def told(said: Any, *, form: bool = False, **changes: Any) -> CallbackRequest:
    data = urlencode(said) if form else json.dumps(said)
    fields: dict[str, Any] = {
        "method": "POST",
        "url": "https://gateway.example/callbacks/sms_http",
        "query": {"secret": SECRET},
        "body": data.encode(),
        "at": 1_790_000_000_000,
        **changes,
    }
    return CallbackRequest(**fields)


@pytest.mark.parametrize(
    ("word", "status", "reason"),
    [
        ("DONE", "delivered", ""),
        ("LOST", "undelivered", "sms_http: LOST"),
        ("OLD", "expired", "sms_http: OLD"),
        ("ENROUTE", None, ""),
    ],
)
def test_a_callback_says_what_the_settings_say(word: str, status: Any, reason: str) -> None:
    updates = built().parse_callback(told({"report": {"id": 17, "state": word}}))

    expected = StatusUpdate(
        status=status or "accepted", provider_id="17", id=f"17/{word}", reason=reason
    )
    assert list(updates) == ([expected] if status else [])


def test_a_form_and_the_address_are_read_by_name() -> None:
    changes = {"callback_id": "", "callback_key": "ref", "callback_word": "state"}

    updates = built(**changes).parse_callback(told({"ref": "dlv_1", "state": "DONE"}, form=True))

    assert updates == [StatusUpdate(status="delivered", key="dlv_1", id="dlv_1/DONE")]


def test_a_pointer_finds_a_forms_field_too() -> None:
    """What docs/channels/sms.md sets for JSON serves a gateway that calls by GET."""
    changes = {"callback_id": "/id", "callback_word": "/status"}
    query = {"secret": SECRET, "id": "17", "status": "DONE"}
    request = told({}, form=True, method="GET", query=query)

    updates = built(**changes).parse_callback(request)

    assert updates == [StatusUpdate(status="delivered", provider_id="17", id="17/DONE")]


def test_many_reports_may_come_in_one_array() -> None:
    reports = [{"report": {"id": n, "state": "DONE"}} for n in range(3)] + [{}, 7]

    updates = built().parse_callback(told(reports))

    assert [update.provider_id for update in updates] == ["0", "1", "2"]


def test_a_secret_may_come_in_a_header() -> None:
    request = told({"report": {"id": 1, "state": "DONE"}}, query={}, headers={"x-key": SECRET})

    assert built(callback_secret_in="X-Key").parse_callback(request)


@pytest.mark.parametrize(
    ("report", "stops"),
    [
        ({"id": 5, "from": "09121234567", "text": "لغو"}, True),
        ({"id": 5, "from": "+98 912 123 4567", "text": "STOP"}, True),
        ({"id": 5, "from": "09121234567", "text": "ممنون"}, False),
        ({"id": 5, "from": "Shop", "text": "STOP"}, False),
        ({"id": 5, "text": "STOP"}, False),
    ],
)
def test_an_answer_by_which_somebody_opts_out_names_who(
    report: dict[str, Any], stops: bool
) -> None:
    updates = built().parse_callback(told({"report": report}))

    expected = StatusUpdate(status="unsubscribed", address=TAKEN, id="answer/5")
    assert list(updates) == ([expected] if stops else [])


@pytest.mark.parametrize("query", [{}, {"secret": ""}, {"secret": "wrong"}, {"secret": "رمز"}])
def test_a_forged_callback_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(PermissionError):
        built().parse_callback(told({"report": {"id": 1, "state": "DONE"}}, query=query))


def test_no_callback_is_taken_where_no_secret_is_set() -> None:
    with pytest.raises(PermissionError):
        built(callback_secret="").parse_callback(told({}, query={"secret": ""}))


def test_a_repeated_callback_is_the_same_news() -> None:
    request = told({"report": {"id": 1, "state": "DONE"}})

    first, second = built().parse_callback(request), built().parse_callback(request)

    assert first == second


@pytest.mark.parametrize(
    "request_", [told({"report": {"state": "DONE"}}), told({}, body=b"\xff\xfe")]
)
def test_a_callback_that_cannot_be_read_is_said_to_be_so(request_: CallbackRequest) -> None:
    with pytest.raises(ValueError, match="sms_http"):
        built().parse_callback(request_)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"body": ""}, "body"),
        ({"body": '{"to": {to}, "text": "{text}"}'}, "body"),
        ({"method": "GET", "body": ""}, r"url: must hold \{to\}"),
        ({"url": "https://{to}.example/send"}, "url"),
        ({"url": "https://gw.example/{text}"}, "url"),
        ({"url": "gw.example"}, "url"),
        ({"headers": {"X-To": "{phone}"}}, r"headers.X-To: there is no \{phone\}"),
        ({"words": {"OK": "yes"}}, "words"),
        ({"statuses": {"ok": "accepted"}}, "statuses"),
        ({"answer_id": "id"}, "answer_id"),
        ({"callback_words": {"OK": "yes"}}, "callback_words"),
        ({"number": "local"}, "number"),
    ],
)
def test_settings_that_cannot_work_are_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        built(**changes)


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        ("/a/0/b", "7"),
        ("/a/1", ""),
        ("/a/x", ""),
        ("/a/٠/b", ""),
        ("/m~1n/o~0p", "1.5"),
        ("/yes", "true"),
        ("/none", ""),
        ("/a", ""),
        ("/no/such", ""),
        ("", ""),
    ],
)
def test_a_pointer_finds_text_or_nothing(pointer: str, text: str) -> None:
    value = {"a": [{"b": 7}], "m/n": {"o~p": 1.5}, "yes": True, "none": None}

    assert find(value, pointer) == text
