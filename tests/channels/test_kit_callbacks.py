"""Our own providers that are called back, held to what the kit says of callbacks."""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode

import pytest

from angarium.channels.email_smtp import EmailSmtp
from angarium.channels.sms_http import SmsHttp
from angarium.channels.sms_kavenegar import SmsKavenegar
from angarium.channels.sms_twilio import SmsTwilio
from angarium.plugins import CallbackRequest, StatusUpdate
from angarium.plugins.testing import CallbackContract
from tests.channels import returned, test_sms_http, test_sms_kavenegar, test_sms_twilio
from tests.counterparts import twilio

AT = 1_790_000_000_000
GATEWAY = "https://gateway.example/callbacks"


def by_post(provider: str, secret: str, body: bytes) -> CallbackRequest:
    """A call of a vendor whose only proof is a secret in the address."""
    query = {"secret": secret}
    url = f"{GATEWAY}/{provider}?{urlencode(query)}"
    return CallbackRequest(method="POST", url=url, query=query, body=body, at=AT)


def by_get(provider: str, secret: str, body: bytes) -> CallbackRequest:
    """The same with all of the form in the address."""
    query = {**dict(parse_qsl(body.decode("utf-8", "replace"))), "secret": secret}
    url = f"{GATEWAY}/{provider}?{urlencode(query)}"
    return CallbackRequest(method="GET", url=url, query=query, at=AT)


class TestTwilio(CallbackContract):
    provider = SmsTwilio
    body = f"MessageSid={test_sms_twilio.SID}&MessageStatus=delivered".encode()
    said: ClassVar[Sequence[StatusUpdate]] = (
        StatusUpdate(
            status="delivered",
            provider_id=test_sms_twilio.SID,
            id=f"{test_sms_twilio.SID}/delivered",
        ),
    )
    proof: ClassVar[Sequence[str]] = ("x-twilio-signature",)

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        return test_sms_twilio.section("https://api.twilio.com")

    def sign(self, body: bytes) -> CallbackRequest:
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        signature = twilio.sign(test_sms_twilio.TOKEN, test_sms_twilio.CALLBACK, form)
        return CallbackRequest(
            method="POST",
            url=test_sms_twilio.CALLBACK,
            headers={"x-twilio-signature": signature},
            body=body,
            at=AT,
        )


class TestKavenegar(CallbackContract):
    """Its only proof is a secret in the address."""

    provider = SmsKavenegar
    body = b"messageid=85463238&status=10"
    said: ClassVar[Sequence[StatusUpdate]] = (
        StatusUpdate(status="delivered", provider_id="85463238", id="85463238/10"),
    )
    proof: ClassVar[Sequence[str]] = ("secret",)
    signs_body = False

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        return {"api_key": test_sms_kavenegar.KEY, "callback_secret": test_sms_kavenegar.SECRET}

    def sign(self, body: bytes) -> CallbackRequest:
        return by_post("sms_kavenegar", test_sms_kavenegar.SECRET, body)


class TestHttp(CallbackContract):
    """Any gateway: the secret is where the settings say."""

    provider = SmsHttp
    body = json.dumps({"report": {"id": 17, "state": "DONE"}}).encode()
    said: ClassVar[Sequence[StatusUpdate]] = (
        StatusUpdate(status="delivered", provider_id="17", id="17/DONE"),
    )
    proof: ClassVar[Sequence[str]] = ("secret",)
    signs_body = False

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        return test_sms_http.section("https://gw.example/send")

    def sign(self, body: bytes) -> CallbackRequest:
        return by_post("sms_http", test_sms_http.SECRET, body)


class TestHttpByGet(TestHttp):
    """The same, with all in the address."""

    body = b"id=17&state=DONE"

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        fields = {"callback_id": "id", "callback_word": "state"}
        return test_sms_http.section("https://gw.example/send", **fields)

    def sign(self, body: bytes) -> CallbackRequest:
        return by_get("sms_http", test_sms_http.SECRET, body)


class TestKavenegarByGet(TestKavenegar):
    """Its panel calls whatever address it is given, with the fields in it."""

    def sign(self, body: bytes) -> CallbackRequest:
        return by_get("sms_kavenegar", test_sms_kavenegar.SECRET, body)


class TestEmail(CallbackContract):
    """Returned mail, as the mail server pipes it; its MAC speaks for the message only."""

    provider = EmailSmtp
    body = returned.bounce("dlv_1")
    said: ClassVar[Sequence[StatusUpdate]] = (
        StatusUpdate(
            status="bounced",
            key="dlv_1",
            reason="email_smtp: the mail came back (5.1.1)",
            address_dead=True,
        ),
    )
    proof: ClassVar[Sequence[str]] = ("authorization",)
    signs_body = False

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        return returned.section()

    def sign(self, body: bytes) -> CallbackRequest:
        return CallbackRequest(
            method="POST",
            url="https://gateway.example/callbacks/email_smtp",
            headers={"authorization": f"Bearer {returned.SECRET}"},
            body=body,
            at=AT,
        )
