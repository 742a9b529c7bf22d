"""Notifications through FCM: what arrives, what each answer means, and the access token."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from angarium.channels.push_fcm import PushFcm, PushFcmSettings, register_providers
from angarium.plugins import (
    Accepted,
    InDoubt,
    Message,
    PermanentFailure,
    TemporaryFailure,
)
from angarium.plugins.settings import SettingsInvalid, decode_settings
from angarium.plugins.testing import Outcome, ProviderContract, SilenceContract
from tests.channels.opened import NOBODY, opened
from tests.channels.push_messages import push_message
from tests.counterparts.fcm import BAD_TOKEN, Fcm, error, fcm_server, private_pem

PHONE = "fGz3:APA91bE-token_of-a-phone"
GONE = "gone:APA91b"
WRONG_TOKEN = "wrong:APA91b"
OTHER_PROJECT = "other:APA91b"
TOO_MANY = "many:APA91b"
BROKEN = "broken:APA91b"

UNREGISTERED = error(404, "NOT_FOUND", "Requested entity was not found.", code="UNREGISTERED")
MISMATCH = error(403, "PERMISSION_DENIED", "SenderId mismatch", code="SENDER_ID_MISMATCH")
INVALID = error(400, "INVALID_ARGUMENT", BAD_TOKEN, code="INVALID_ARGUMENT")
QUOTA = error(429, "RESOURCE_EXHAUSTED", "Quota", code="QUOTA_EXCEEDED", Retry_After="7")


@pytest.fixture
async def fcm() -> AsyncGenerator[Fcm, None]:
    async with fcm_server() as server:
        yield server


def section(fcm: Fcm, **changes: object) -> dict[str, object]:
    return {"service_account": fcm.account(), "url": fcm.url, **changes}


def provider(fcm: Fcm, **changes: object) -> AbstractAsyncContextManager[PushFcm]:
    return opened(PushFcm, section(fcm, **changes))


def message(number: int = 1, **changes: Any) -> Message:
    return push_message(number, **{"address": PHONE, **changes})


class TestConformance(ProviderContract, SilenceContract):
    provider = PushFcm
    address = PHONE
    silent = "silent:APA91b"
    secrets: ClassVar[Sequence[str]] = (private_pem()[40:90], "ya29.")
    outcomes: ClassVar[Sequence[Outcome]] = (
        Outcome(GONE, PermanentFailure, address_dead=True),
        Outcome(WRONG_TOKEN, PermanentFailure, address_dead=True),
        Outcome(OTHER_PROJECT, TemporaryFailure),
        Outcome(TOO_MANY, TemporaryFailure),
        Outcome(BROKEN, InDoubt),
        Outcome("two words", PermanentFailure, address_dead=True),
    )

    @pytest.fixture
    def settings(self, fcm: Fcm) -> Mapping[str, object]:
        self.fcm = fcm
        fcm.silent.add(self.silent)
        fcm.answers = {
            GONE: UNREGISTERED,
            WRONG_TOKEN: INVALID,
            OTHER_PROJECT: MISMATCH,
            TOO_MANY: QUOTA,
            BROKEN: (502, {}, {}),
        }
        return section(fcm)

    @pytest.fixture
    def unreachable(self, fcm: Fcm) -> Mapping[str, object]:
        return section(fcm, url=NOBODY)

    async def arrived(self, message: Message) -> str:
        found = [one for one in self.fcm.sent if one["data"]["delivery"] == message.delivery]
        [text] = [one["notification"]["body"] for one in found]
        return str(text)


def test_the_plugin_registers_it() -> None:
    assert register_providers() == [PushFcm]
    assert PushFcm.platforms == ("android", "ios")


async def test_fifty_messages_at_once_fetch_one_access_token(fcm: Fcm) -> None:
    async with provider(fcm) as push:
        await asyncio.gather(*(push.send(message(number)) for number in range(50)))

    assert len(fcm.assertions) == 1
    assert len(fcm.sent) == 50


async def test_a_refused_token_is_fetched_anew_for_the_next_message(fcm: Fcm) -> None:
    async with provider(fcm) as push:
        await push.send(message(1))
        fcm.revoke()
        ends = await asyncio.gather(
            *(push.send(message(n)) for n in range(10)), return_exceptions=True
        )
        assert all(isinstance(end, TemporaryFailure) and not end.pause for end in ends)

        await asyncio.gather(*(push.send(message(n)) for n in range(10)))

    assert len(fcm.assertions) == 2


async def test_a_refusal_of_apples_costs_no_access_token(fcm: Fcm) -> None:
    """Firebase's key for APNs is wrong; Android's messages go on with the same token."""
    fcm.answers = {"iphone": error(401, "UNAUTHENTICATED", "…", code="THIRD_PARTY_AUTH_ERROR")}
    async with provider(fcm) as push:
        for number in range(3):
            with pytest.raises(TemporaryFailure, match="Apple refuses"):
                await push.send(message(number, address="iphone"))
        await push.send(message(9))

    assert len(fcm.assertions) == 1


@pytest.mark.parametrize("address", ["", "x" * 4097, "a\r\nb", "دستگاه"])
async def test_an_address_that_is_no_token_is_dead_before_anything_is_sent(
    fcm: Fcm, address: str
) -> None:
    async with provider(fcm) as push:
        with pytest.raises(PermanentFailure, match="no registration token") as caught:
            await push.send(message(address=address))

    assert caught.value.address_dead
    assert (fcm.assertions, fcm.used) == ([], [])


async def test_what_is_too_large_is_refused_before_anything_is_sent(fcm: Fcm) -> None:
    async with provider(fcm) as push:
        with pytest.raises(PermanentFailure, match="4096 is the most"):
            await push.send(message(content={"title": "م" * 2048}))

    assert (fcm.assertions, fcm.used) == ([], [])


async def test_an_acceptance_gives_the_name_of_the_message(fcm: Fcm) -> None:
    async with provider(fcm) as push:
        accepted = await push.send(message())

    assert accepted == Accepted(provider_id="projects/my-shop/messages/0:1")


async def test_a_google_that_is_away_pauses_the_provider() -> None:
    async with provider(Fcm(url="http://127.0.0.1:1")) as push:
        with pytest.raises(TemporaryFailure, match="unable to connect") as caught:
            await push.send(message())

    assert caught.value.pause


async def test_the_service_account_may_stand_in_a_file(fcm: Fcm, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    path.write_text(fcm.account())
    async with provider(fcm, service_account="", service_account_file=str(path)) as push:
        await push.send(message())

    assert len(fcm.sent) == 1


async def test_a_project_may_be_named_that_is_not_the_accounts_own(fcm: Fcm) -> None:
    account = fcm.account(project_id="elsewhere")
    async with provider(fcm, service_account=account, project="my-shop") as push:
        await push.send(message())

    assert len(fcm.sent) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"service_account": ""}, "set one of service_account_file and service_account"),
        ({"service_account_file": "/x"}, "set one of service_account_file and service_account"),
        ({"project": "My Shop"}, "project: must be a project's id"),
        ({"url": "http://example.org"}, "url: must be an https:// URL"),
        ({"url": "ftp://127.0.0.1"}, "url: must be an https:// URL"),
        ({"url": "https://a@example.org"}, "url: must hold no user name"),
        ({"url": "https://example.org/?a=1"}, "url: must hold no user name, query"),
        ({"url": "https://[:"}, "url: must be an https:// URL"),
        ({"android": "none"}, "android: must be one of data, notification"),
        ({"connections": 0}, "connections: Expected int >= 1"),
    ],
)
def test_settings_that_cannot_work_are_named(changes: dict[str, object], error: str) -> None:
    section = {"service_account": "{}", **changes}
    with pytest.raises(SettingsInvalid, match=error):
        decode_settings(PushFcmSettings, section, "channels")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"private_key": "secret"}, "service_account: private_key in it is no private key"),
        ({"token_uri": "http://example.org/"}, "service_account: token_uri in it must be an https"),
        ({"project_id": ""}, "project: the service account names none; set it"),
    ],
)
def test_a_service_account_that_cannot_work_is_refused(changes: dict[str, str], error: str) -> None:
    account = Fcm(url="https://example.org").account(**changes)
    settings = decode_settings(PushFcmSettings, {"service_account": account}, "channels")
    with pytest.raises(ValueError, match=error) as caught:
        PushFcm(settings)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "secret", '{"client_email": "secret"}', "[]"])
async def test_a_file_that_is_no_service_account_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "account.json"
    path.write_text(text)
    settings = {"service_account_file": str(path)}
    push = PushFcm(decode_settings(PushFcmSettings, settings, "channels"))
    with pytest.raises(ValueError, match=r"channels\.push_fcm\.service_account_file: ") as caught:
        await push.open()

    assert "secret" not in str(caught.value)


async def test_a_file_that_is_not_there_is_named() -> None:
    settings = {"service_account_file": "/nowhere/account.json"}
    push = PushFcm(decode_settings(PushFcmSettings, settings, "channels"))
    with pytest.raises(ValueError, match="service_account_file: cannot be read"):
        await push.open()
