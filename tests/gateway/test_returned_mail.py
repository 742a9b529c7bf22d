"""Returned mail, posted as a mail server pipes it, becomes news of the message it is about."""

import pytest

from angarium.channels.email_smtp import EmailSmtp
from angarium.config.settings import Http, Settings
from angarium.core.bus.subjects import FEEDBACK
from angarium.plugins.channel import BUILT_IN_CHANNELS
from angarium.plugins.manager import Plugins
from angarium.plugins.settings import decode_settings
from tests.channels.bounces.cases import CASES
from tests.channels.bounces.servers import exchange
from tests.gateway.seed import Api

pytest_plugins = ["tests.gateway.api_fixtures"]

SECRET = "a secret of sixteen letters"
SECTION = {
    "host": "127.0.0.1",
    "from": "shop@example.org",
    "return_path": "bounce+{id}@example.org",
    "bounce_secret": SECRET,
}
KEY = "dlv_0123456789abcdefghijkl"


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One store is enough: it does not matter here which."""
    return sqlite_url


@pytest.fixture
def plugins() -> Plugins:
    channels = {channel.name: channel for channel in BUILT_IN_CHANNELS}
    return Plugins(plugins=(), channels=channels, providers={"email_smtp": EmailSmtp}, filters={})


@pytest.fixture
def settings() -> Settings:
    return Settings(
        http=Http(public_url="https://gateway.example.org/"), channels={"email_smtp": SECTION}
    )


def returned(key: str = KEY) -> bytes:
    smtp = EmailSmtp(decode_settings(EmailSmtp.Settings, SECTION, "channels"))
    assert smtp._return_path is not None
    return exchange(CASES[0], smtp._return_path.address(key))


async def post(api: Api, body: bytes, secret: str = SECRET) -> int:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "message/rfc822"}
    response = await api.public.post("/callbacks/email_smtp", content=body, headers=headers)
    return response.status_code


async def test_a_bounce_is_news_of_its_message(live_api: Api) -> None:
    assert await post(live_api, returned()) == 200

    [said] = await live_api.said(FEEDBACK, 1)
    assert (said["delivery"], said["status"], said["addressDead"]) == (KEY, "bounced", True)


async def test_the_same_bounce_twice_has_one_id(live_api: Api) -> None:
    for key in (KEY, KEY, "dlv_other"):
        await post(live_api, returned(key))

    first, again, other = await live_api.said(FEEDBACK, 3)

    assert first["id"] == again["id"] != other["id"]


async def test_what_is_neither_bounce_nor_complaint_is_taken_and_means_nothing(
    live_api: Api,
) -> None:
    assert await post(live_api, b"From: mina@example.net\n\nThank you!\n") == 200
    assert await live_api.unsaid(FEEDBACK) == 0


async def test_a_stranger_may_post_none(live_api: Api) -> None:
    assert await post(live_api, returned(), secret="x") == 401
    assert await live_api.unsaid(FEEDBACK) == 0
