"""SMPP through TLS, to a service centre on another implementation of both."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import pytest

from angarium.channels._smpp_tunnel import Straight, Tunnel
from angarium.channels._tls import create_client_tls
from angarium.plugins import TemporaryFailure
from angarium.plugins.settings import SettingsInvalid
from tests.channels.smpp.parts import built, listening, message, provider
from tests.counterparts.smsc import Smsc, smsc
from tests.counterparts.smtp_certificates import make_certificate


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody on this machine trusts, for localhost and 127.0.0.1."""
    return make_certificate(tmp_path_factory.mktemp("smsc"))[1]


@pytest.fixture(scope="module")
async def secure_running(certificate: Path) -> AsyncGenerator[Smsc, None]:
    async with smsc(certificate.parent) as running:
        yield running


@pytest.fixture
async def secure(secure_running: Smsc) -> Smsc:
    await secure_running.reset()
    return secure_running


async def test_a_message_and_its_receipt_go_through_tls(secure: Smsc, certificate: Path) -> None:
    await secure.tell("receipts", state="DELIVRD")
    text = "سلام، دوست من! " * 12
    trust = {"tls": True, "ca_file": str(certificate)}
    async with provider(secure, **trust) as sms, listening(sms) as updates:
        accepted = await sms.send(message(text=text))
        update = await updates.get()

    assert (await secure.heard("bind"))["encrypted"] is True
    assert await secure.text_to("+989121234567") == text
    assert (update.status, update.provider_id) == ("delivered", accepted.provider_id)


async def test_many_messages_at_once_go_through_one_session(
    secure: Smsc, certificate: Path
) -> None:
    async with provider(secure, tls=True, ca_file=str(certificate), window=50) as sms:
        ids = await asyncio.gather(*(sms.send(message(key=f"dlv_{n}")) for n in range(200)))

    assert len({one.provider_id for one in ids}) == 200
    assert secure.count("bind") == 1


async def test_after_a_loss_the_next_message_binds_anew(secure: Smsc, certificate: Path) -> None:
    async with provider(secure, tls=True, ca_file=str(certificate)) as sms:
        await sms.send(message())
        await secure.tell("hang up")
        await secure.heard("gone")
        await asyncio.gather(sms.send(message(key="dlv_2")), return_exceptions=True)
        await sms.send(message(key="dlv_3"))

    assert secure.count("bind") == 2


@pytest.mark.parametrize(
    "trust", [{}, {"ca_file": "…", "tls_name": "smsc.example"}], ids=["nobody's", "another's"]
)
async def test_a_certificate_that_is_not_genuine_is_told_nothing(
    secure: Smsc, certificate: Path, trust: dict[str, str]
) -> None:
    trust = {name: str(certificate) if text == "…" else text for name, text in trust.items()}
    async with provider(secure, tls=True, **trust) as sms:
        with pytest.raises(TemporaryFailure, match="check port, ca_file and tls_name") as caught:
            await sms.send(message())

    await secure.tell("nothing")
    assert caught.value.pause
    assert secure.count("bind") == 0


async def test_a_certificate_may_be_for_a_name_that_is_not_the_host(
    secure: Smsc, certificate: Path
) -> None:
    trust = {"ca_file": str(certificate), "tls_name": "localhost"}
    async with provider(secure, tls=True, **trust) as sms:
        assert (await sms.send(message())).provider_id


async def test_a_centre_without_tls_is_never_spoken_to_in_clear(
    centre: Smsc, certificate: Path
) -> None:
    trust = {"ca_file": str(certificate), "bind_seconds": 1}
    async with provider(centre, tls=True, **trust) as sms:
        with pytest.raises(TemporaryFailure) as caught:
            await sms.send(message())

    await centre.tell("nothing")
    assert caught.value.pause
    assert centre.count("bind") == 0


async def test_a_centre_with_tls_takes_nothing_in_clear(secure: Smsc) -> None:
    async with provider(secure, bind_seconds=1) as sms:
        with pytest.raises(TemporaryFailure):
            await sms.send(message())

    assert secure.count("bind") == 0


async def test_a_centre_that_is_away_is_said_to_be() -> None:
    sms = built(1, tls=True)
    await sms.open()
    with pytest.raises(
        TemporaryFailure, match=r"unable to connect to 127\.0\.0\.1 port 1"
    ) as caught:
        await sms.send(message())
    await sms.close()

    assert caught.value.pause


async def test_the_way_through_tls_takes_one_connection_only(
    secure: Smsc, certificate: Path
) -> None:
    way = Tunnel("127.0.0.1", secure.port, create_client_tls(str(certificate)), "localhost")
    place = await way.open()
    _, first = await asyncio.open_connection(*place)
    answer = b""
    with suppress(OSError):  # refused, reset or ended: that depends on the moment
        reader, second = await asyncio.open_connection(*place)
        second.write(b"x")
        answer = await reader.read()
        second.close()
    first.close()
    await way.close()
    await way.close()

    assert answer == b""


async def test_a_way_that_was_never_opened_can_be_closed(certificate: Path) -> None:
    await Tunnel("127.0.0.1", 1, create_client_tls(str(certificate)), "localhost").close()
    await Straight("127.0.0.1", 1).close()


async def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match=r"channels\.sms_smpp\.ca_file"):
        await built(2775, tls=True, ca_file="/nowhere.pem").open()


@pytest.mark.parametrize("setting", ["ca_file", "tls_name"])
def test_what_is_meant_for_tls_asks_for_tls(setting: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"{setting}: means nothing without tls = true"):
        built(2775, **{setting: "x"})
