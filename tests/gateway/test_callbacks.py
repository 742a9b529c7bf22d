"""What providers tell us later, by /callbacks/{provider}."""

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
import pytest
from structlog.testing import capture_logs

from angarium.channels.sms_http import SmsHttp
from angarium.config.settings import Http, Settings
from angarium.core.bus.subjects import FEEDBACK
from angarium.plugins import CallbackRequest, Provider, StatusUpdate
from angarium.plugins.channel import BUILT_IN_CHANNELS
from angarium.plugins.manager import Plugins
from tests.gateway.seed import NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One store is enough: it does not matter here which."""
    return sqlite_url


PATH = "/callbacks/sms_signed"
NAMES = ("sms_signed", "sms_second")


BY_GET = "/callbacks/sms_http"


class SignedSms(Provider):
    """A provider that signs by a header, and sends JSON."""

    name: ClassVar[str] = "sms_signed"
    channel: ClassVar[str] = "sms"

    class Settings(msgspec.Struct):
        secret: str

    def __init__(self, settings: Any) -> None:
        self.secret = settings.secret

    def parse_callback(self, request: CallbackRequest) -> Sequence[StatusUpdate]:
        if request.headers.get("x-signature") != self.secret:
            raise PermissionError("bad signature")
        assert request.url in {f"https://gateway.example.org/callbacks/{n}?a=1" for n in NAMES}
        assert (request.method, request.query, request.at) == ("POST", {"a": "1"}, NOON)
        return msgspec.json.decode(request.body, type=list[StatusUpdate])


@pytest.fixture
def plugins() -> Plugins:
    channels = {channel.name: channel for channel in BUILT_IN_CHANNELS}
    providers: dict[str, Any] = {"sms_signed": SignedSms, "sms_http": SmsHttp}
    return Plugins(plugins=(), channels=channels, providers=providers, filters={})


@pytest.fixture
def settings() -> Settings:
    return Settings(
        http=Http(public_url="https://gateway.example.org/"),
        channels={
            "sms_signed": {"secret": "s", "order": 2},
            "sms_second": {"secret": "t", "provider": "sms_signed", "weight": 0},
            "sms_http": {
                "url": "https://sms.example.org/send?to={to}&text={text}",
                "method": "GET",
                "callback_secret": "by address",
                "callback_id": "id",
                "callback_word": "status",
                "callback_words": {"DELIVRD": "delivered"},
                "callback_from": "from",
                "callback_text": "text",
            },
        },
    )


async def call(api: Api, *updates: dict[str, Any], signature: str = "s") -> int:
    body = msgspec.json.encode(updates)
    headers = {"X-Signature": signature}
    response = await api.public.post(f"{PATH}?a=1", content=body, headers=headers)
    return response.status_code


async def test_each_update_goes_to_the_feedback_stream(live_api: Api) -> None:
    delivered = {"status": "delivered", "provider_id": "p1", "at": NOON - 5}
    stop = {"status": "unsubscribed", "address": "+989121234567"}

    assert await call(live_api, delivered, stop) == 200

    first, second = await live_api.said(FEEDBACK, 2)
    assert (first["kind"], first["status"], first["at"]) == ("status", "delivered", NOON - 5)
    assert (first["provider"], first["providerId"]) == ("sms_signed", "p1")
    assert (second["kind"], second["channel"]) == ("unsubscribed", "sms")
    assert (second["address"], second["at"]) == ("+989121234567", NOON)


async def test_the_same_update_has_the_same_id(live_api: Api) -> None:
    update = {"status": "delivered", "provider_id": "p1", "at": NOON}
    for _ in range(2):
        await call(live_api, update)
    await call(live_api, update | {"provider_id": "p2"})

    first, again, other = await live_api.said(FEEDBACK, 3)

    assert first["id"] == again["id"] != other["id"]


async def test_what_is_not_signed_is_refused(live_api: Api) -> None:
    with capture_logs() as lines:
        assert await call(live_api, {"status": "delivered"}, signature="x") == 401
    assert await live_api.unsaid(FEEDBACK) == 0
    told = [line for line in lines if line["event"] == "callback_refused"]
    assert [line["provider"] for line in told] == ["sms_signed"], "else the operator sees nothing"


async def test_what_cannot_be_read_is_refused(live_api: Api) -> None:
    response = await live_api.public.post(f"{PATH}?a=1", content=b"{", headers={"X-Signature": "s"})

    assert response.status_code == 400


async def test_a_callback_that_is_not_durable_is_asked_for_again(api: Api) -> None:
    assert await call(api, {"status": "delivered", "provider_id": "p1"}) == 503


async def test_a_provider_that_is_not_configured_takes_none(api: Api) -> None:
    assert (await api.public.post("/callbacks/sms_other", content=b"{}")).status_code == 404


async def test_a_second_account_of_a_provider_has_an_address_of_its_own(
    live_api: Api,
) -> None:
    """What it says is of messages that went through it, whatever ids the first one gives."""
    update = {"status": "delivered", "provider_id": "p1", "at": NOON}
    for name, signature in (("sms_signed", "s"), ("sms_second", "t")):
        response = await live_api.public.post(
            f"/callbacks/{name}?a=1",
            content=msgspec.json.encode([update]),
            headers={"X-Signature": signature},
        )
        assert response.status_code == 200

    first, second = await live_api.said(FEEDBACK, 2)

    assert (first["provider"], second["provider"]) == ("sms_signed", "sms_second")
    assert first["id"] != second["id"]
    assert await call(live_api, update, signature="t") == 401


async def test_a_callback_has_a_largest_size(api: Api) -> None:
    response = await api.public.post(PATH, content=b"x" * 300_000)

    assert response.status_code == 413


async def test_a_gateway_may_tell_by_get(live_api: Api) -> None:
    told = {"secret": "by address", "id": "g1", "status": "DELIVRD"}
    stop = {"secret": "by address", "id": "g2", "from": "09121234567", "text": "لغو"}
    answers = [await live_api.public.get(BY_GET, params=params) for params in (told, stop, told)]

    first, second, again = await live_api.said(FEEDBACK, 3)

    assert [(one.status_code, one.content) for one in answers] == [(200, b"")] * 3
    assert {one.headers["cache-control"] for one in answers} == {"no-store"}
    assert (first["status"], first["provider"], first["providerId"]) == (
        "delivered",
        "sms_http",
        "g1",
    )
    assert (second["kind"], second["address"]) == ("unsubscribed", "+989121234567")
    assert first["id"] == again["id"] != second["id"], "whoever calls it again tells nothing new"


@pytest.mark.parametrize("secret", [{}, {"secret": ""}, {"secret": "guessed"}])
async def test_who_looks_ahead_without_the_secret_tells_nothing(
    live_api: Api, secret: dict[str, str]
) -> None:
    params = {**secret, "id": "g1", "status": "DELIVRD"}
    response = await live_api.public.get(BY_GET, params=params)

    assert response.status_code == 401
    assert await live_api.unsaid(FEEDBACK) == 0


async def test_head_tells_nothing(live_api: Api) -> None:
    params = {"secret": "by address", "id": "g1", "status": "DELIVRD"}
    response = await live_api.public.head(BY_GET, params=params)

    assert (response.status_code, response.content) == (405, b"")
    assert await live_api.unsaid(FEEDBACK) == 0


async def test_a_get_is_signed_like_anything_else(live_api: Api) -> None:
    assert (await live_api.public.get(f"{PATH}?a=1")).status_code == 401
