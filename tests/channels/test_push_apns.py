"""Notifications through APNs: Node's HTTP/2 server says what arrived, and refuses as Apple does."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest

from angarium.channels.push_apns import PushApns, PushApnsSettings, register_providers
from angarium.plugins import InDoubt, Message, PermanentFailure, TemporaryFailure
from angarium.plugins.settings import SettingsInvalid, decode_settings
from angarium.plugins.testing import Outcome, ProviderContract, SilenceContract
from tests.channels.opened import opened
from tests.channels.push_messages import AT, MINUTE, push_message
from tests.counterparts.apns import KEY_ID, TEAM_ID, TOPIC, Apns, apns_server

PHONE = "0123456789abcdef" * 4
GONE = "0410" * 16
UNKNOWN = "0400" * 16
OTHER_APP = "0401" * 16
TOO_MANY = "0429" * 16
BROKEN = "0bad" * 16


@pytest.fixture(scope="session")
def apns_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apns]:
    with apns_server(tmp_path_factory.mktemp("apns")) as server:
        yield server


@pytest.fixture
def apns(apns_process: Apns) -> Apns:
    apns_process.reset(AT // 1000)
    return apns_process


def section(apns: Apns, **changes: object) -> dict[str, object]:
    return {
        "key": apns.private_key,
        "key_id": KEY_ID,
        "team_id": TEAM_ID,
        "topic": TOPIC,
        "url": apns.url,
        "ca_file": apns.ca_file,
        **changes,
    }


def provider(apns: Apns, **changes: object) -> AbstractAsyncContextManager[PushApns]:
    return opened(PushApns, section(apns, **changes))


def message(number: int = 1, **changes: Any) -> Message:
    return push_message(number, **{"address": PHONE, **changes})


class TestConformance(ProviderContract, SilenceContract):
    provider = PushApns
    address = PHONE
    silent = "0505" * 16
    secrets: ClassVar[Sequence[str]] = ("-----BEGIN PRIVATE KEY-----", "bearer ey")
    outcomes: ClassVar[Sequence[Outcome]] = (
        Outcome(GONE, PermanentFailure, address_dead=True),
        Outcome(UNKNOWN, TemporaryFailure),
        Outcome(OTHER_APP, TemporaryFailure),
        Outcome(TOO_MANY, TemporaryFailure),
        Outcome(BROKEN, InDoubt),
        Outcome("../../3/device/00", PermanentFailure, address_dead=True),
    )

    @pytest.fixture
    def settings(self, apns: Apns) -> Mapping[str, object]:
        self.apns = apns
        apns.rule(GONE[:8], "answer", answer=[410, "Unregistered"])
        apns.rule(UNKNOWN[:8], "answer", answer=[400, "BadDeviceToken"])
        apns.rule(OTHER_APP[:8], "answer", answer=[400, "DeviceTokenNotForTopic"])
        apns.rule(TOO_MANY[:8], "answer", answer=[429, "TooManyRequests"])
        apns.rule(BROKEN[:8], "reset")
        apns.rule(self.silent[:8], "silent")
        return section(apns)

    @pytest.fixture
    def unreachable(self, apns: Apns) -> Mapping[str, object]:
        return section(apns, url="https://127.0.0.1:1")

    async def arrived(self, message: Message) -> str:
        bodies = [one["body"] for one in self.apns.taken]
        [text] = [one["aps"]["alert"]["body"] for one in bodies if one["delivery"] == message.key]
        return str(text)


def test_the_plugin_registers_it() -> None:
    assert register_providers() == [PushApns]
    assert PushApns.platforms == ("ios",)


async def test_what_is_sent_is_what_was_asked(apns: Apns) -> None:
    async with provider(apns) as push:
        accepted = await push.send(message(deadline=AT + 60_000, content={"title": "سلام 🎉"}))

    [taken] = apns.taken
    wanted = {
        ":path": f"/3/device/{PHONE}",
        "apns-topic": TOPIC,
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": "1790000060",
        "apns-collapse-id": "dlv_1",
        "apns-id": accepted.provider_id,
    }
    assert {name: taken["headers"][name] for name in wanted} == wanted
    assert taken["body"]["aps"]["alert"] == {"title": "سلام 🎉"}


async def test_the_id_of_a_notification_is_made_from_its_key(apns: Apns) -> None:
    async with provider(apns) as push:
        ids = [(await push.send(message(number))).provider_id for number in (1, 1, 2)]

    assert ids[0] == ids[1] != ids[2]
    assert UUID(ids[0]).version == 5


async def test_many_messages_share_one_connection_and_one_token(apns: Apns) -> None:
    async with provider(apns) as push:
        await asyncio.gather(*(push.send(message(number)) for number in range(200)))

    assert len(apns.taken) == 200
    assert (apns.sessions, len(apns.tokens)) == (1, 1)


async def test_a_second_connection_is_opened_when_the_first_is_full(apns: Apns) -> None:
    apns.settings(maxConcurrentStreams=5)
    apns.rule(PHONE[:8], "slow", ms=20)
    async with provider(apns, connections=2) as push:
        await asyncio.gather(*(push.send(message(number)) for number in range(30)))

    assert len(apns.taken) == 30
    assert apns.sessions == 2


async def test_no_more_at_once_than_the_server_allows(apns: Apns) -> None:
    apns.settings(maxConcurrentStreams=1)
    async with provider(apns) as push:
        await asyncio.gather(*(push.send(message(number)) for number in range(40)))

    assert len(apns.taken) == 40
    assert apns.sessions == 1


async def test_a_body_larger_than_the_window_goes_in_pieces(apns: Apns) -> None:
    apns.settings(initialWindowSize=100)
    async with provider(apns) as push:
        sends = (push.send(message(n, content={"body": "م" * 1900})) for n in range(5))
        await asyncio.gather(*sends)

    assert len(apns.taken) == 5


async def test_an_answer_may_come_in_pieces(apns: Apns) -> None:
    apns.rule(PHONE[:8], "pieces", answer=[410, "Unregistered"])
    async with provider(apns) as push:
        with pytest.raises(PermanentFailure, match="Unregistered") as caught:
            await push.send(message())

    assert caught.value.address_dead


@pytest.mark.parametrize(
    ("status", "reason", "failure", "attributes"),
    [
        (410, "Unregistered", PermanentFailure, {"address_dead": True}),
        (410, "ExpiredToken", PermanentFailure, {"address_dead": True}),
        (413, "PayloadTooLarge", PermanentFailure, {"address_dead": False}),
        (403, "InvalidProviderToken", TemporaryFailure, {"pause": True, "retry_after": 300}),
        (503, "Shutdown", TemporaryFailure, {"pause": True, "retry_after": 42}),
    ],
)
async def test_answers_are_read_as_apple_means_them(
    apns: Apns,
    status: int,
    reason: str,
    failure: type[Exception],
    attributes: Mapping[str, Any],
) -> None:
    apns.rule(PHONE[:8], "answer", answer=[status, reason], headers={"retry-after": "42"})
    async with provider(apns) as push:
        with pytest.raises(failure, match=reason) as caught:
            await push.send(message())

    assert {name: getattr(caught.value, name) for name in attributes} == attributes


async def test_the_provider_token_is_renewed_before_it_is_an_hour_old(apns: Apns) -> None:
    async with provider(apns) as push:
        for minutes in range(0, 130, 10):
            apns.set_now(AT // 1000 + minutes * 60)
            await push.send(message(minutes, at=AT + minutes * MINUTE))

    assert len(apns.taken) == 13
    assert len(apns.tokens) == 4


async def test_an_expired_token_is_made_anew_for_the_next_message(apns: Apns) -> None:
    async with provider(apns) as push:
        await push.send(message(1))
        apns.set_now(AT // 1000 + 3700)  # Apple's clock is ahead of ours
        with pytest.raises(TemporaryFailure, match="made anew") as caught:
            await push.send(message(2, at=AT + 30 * MINUTE))
        assert not caught.value.pause
        apns.set_now(AT // 1000 + 30 * 60)
        await push.send(message(3, at=AT + 30 * MINUTE))

    assert len(apns.tokens) == 2


async def test_a_young_token_is_not_made_anew_whatever_apple_says(apns: Apns) -> None:
    apns.rule(PHONE[:8], "answer", answer=[403, "ExpiredProviderToken"])
    async with provider(apns) as push:
        for minutes in (0, 5, 19):
            with pytest.raises(TemporaryFailure, match="this machine's clock") as caught:
                await push.send(message(at=AT + minutes * MINUTE))
            assert caught.value.pause
            assert caught.value.retry_after == (20 - minutes) * 60

    assert len(apns.tokens) == 1


async def test_what_was_taken_before_the_server_went_away_is_still_answered(apns: Apns) -> None:
    apns.rule("aa", "goaway")
    async with provider(apns) as push:
        await push.send(message(1, address="aa" * 32))
        await asyncio.gather(*(push.send(message(n)) for n in range(2, 6)))

    assert len(apns.taken) == 5
    assert apns.sessions == 2


async def test_a_lost_connection_leaves_in_doubt_what_was_sent_and_the_next_one_goes(
    apns: Apns,
) -> None:
    apns.rule("aa", "silent")
    apns.rule("bb", "cut")
    async with provider(apns) as push:
        silent = [asyncio.ensure_future(push.send(message(n, address="aa" * 32))) for n in range(3)]
        await asyncio.sleep(0)
        cutting = push.send(message(9, address="bb" * 32))
        ends = await asyncio.gather(*silent, cutting, return_exceptions=True)
        await push.send(message(10))

    assert [type(end) for end in ends] == [InDoubt] * 4
    assert len(apns.taken) == 1


async def test_a_stream_that_was_refused_was_not_taken(apns: Apns) -> None:
    apns.rule(PHONE[:8], "refused")
    async with provider(apns) as push:
        with pytest.raises(TemporaryFailure, match="refused the stream"):
            await push.send(message())


async def test_an_answer_that_does_not_come_is_in_doubt(apns: Apns) -> None:
    apns.rule(PHONE[:8], "silent")
    async with provider(apns, answer_seconds=0.1) as push:
        with pytest.raises(InDoubt, match="no answer in time"):
            await push.send(message())


async def test_fifty_messages_at_once_open_one_connection(apns: Apns) -> None:
    async with provider(apns, connections=2) as push:
        await asyncio.gather(*(push.send(message(number)) for number in range(50)))

    assert apns.sessions == 1


async def test_a_server_that_is_away_pauses_the_provider(apns: Apns) -> None:
    async with provider(apns, url="https://127.0.0.1:1") as push:
        ends = await asyncio.gather(
            *(push.send(message(n)) for n in range(5)), return_exceptions=True
        )

    for end in ends:
        assert isinstance(end, TemporaryFailure)
        assert end.pause
        assert "unable to connect to 127.0.0.1 port 1" in end.reason


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(apns: Apns) -> None:
    async with provider(apns, ca_file="") as push:
        with pytest.raises(TemporaryFailure, match="check url and ca_file") as caught:
            await push.send(message())

    assert caught.value.pause
    assert apns.taken == []


async def test_after_it_was_closed_it_takes_no_more(apns: Apns) -> None:
    async with provider(apns) as push:
        await push.send(message(1))
    with pytest.raises(TemporaryFailure, match="is closed"):
        await push.send(message(2))

    assert len(apns.taken) == 1


@pytest.mark.parametrize("address", ["", "0", "xyz", "0" * 201, "00\r\n00", "٠١٢٣" * 8, "../x"])
async def test_an_address_that_is_no_token_is_dead_before_anything_is_sent(
    apns: Apns, address: str
) -> None:
    async with provider(apns) as push:
        with pytest.raises(PermanentFailure, match="no device token") as caught:
            await push.send(message(address=address))

    assert caught.value.address_dead
    assert apns.sessions == 0


async def test_the_key_may_stand_in_a_file(apns: Apns, tmp_path: Path) -> None:
    path = tmp_path / "AuthKey.p8"
    path.write_text(apns.private_key)
    async with provider(apns, key="", key_file=str(path)) as push:
        await push.send(message())

    assert len(apns.taken) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"key": ""}, "set one of key_file and key"),
        ({"key_file": "/x"}, "set one of key_file and key"),
        ({"key_id": "short"}, "key_id: must be ten capital letters and digits"),
        ({"team_id": "team123456"}, "team_id: must be ten capital letters"),
        ({"topic": "a b"}, "topic: must be a bundle id"),
        ({"url": "http://127.0.0.1"}, "url: must be an https:// URL"),
        ({"url": "https://127.0.0.1/3/device"}, "url: must have no path"),
        ({"connections": 3}, "connections: Expected int <= 2"),
    ],
)
def test_settings_that_cannot_work_are_named(changes: dict[str, object], error: str) -> None:
    names = {"key": "k", "key_id": KEY_ID, "team_id": TEAM_ID, "topic": TOPIC}
    with pytest.raises(SettingsInvalid, match=error):
        decode_settings(PushApnsSettings, {**names, **changes}, "channels")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"key": "", "key_file": "/nowhere"}, "channels.push_apns.key_file: cannot be read"),
        ({"ca_file": "/nowhere"}, "channels.push_apns.ca_file: cannot be read"),
    ],
)
async def test_a_file_that_is_not_there_is_named(
    apns: Apns, changes: dict[str, object], error: str
) -> None:
    push = PushApns(decode_settings(PushApnsSettings, section(apns, **changes), "channels"))
    with pytest.raises(ValueError, match=error):
        await push.open()
