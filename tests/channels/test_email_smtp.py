"""Email through a real SMTP server: content, refusals, TLS, log-in, and few connections."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from angarium.channels._belief import MOST_REFUSALS
from angarium.channels._email_settings import EmailSmtpSettings
from angarium.channels.email_smtp import MAX_BYTES, EmailSmtp
from angarium.plugins import (
    Accepted,
    EmailContent,
    Message,
    PermanentFailure,
    TemporaryFailure,
)
from angarium.plugins.manager import load_plugins
from angarium.plugins.settings import SettingsInvalid, decode_settings
from angarium.plugins.testing import Outcome, ProviderContract, SilenceContract
from tests.channels.opened import opened
from tests.counterparts.smtp_catcher import SmtpCatcher, smtp_catcher
from tests.counterparts.smtp_certificates import make_certificate

GONE = "gone@example.org"
FULL = "full@example.org"
DENIED = "denied@example.org"


@pytest.fixture
async def server() -> AsyncGenerator[SmtpCatcher, None]:
    async with smtp_catcher() as catcher:
        catcher.refusals = {
            GONE: f"550 5.1.1 <{GONE}>: no such user",
            FULL: f"452 4.2.2 <{FULL}>: mailbox full",
            DENIED: f"554 5.7.1 <{DENIED}>: relay access denied",
        }
        yield catcher


def section(server: SmtpCatcher, **changes: object) -> dict[str, object]:
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "from": "فروشگاه <shop@example.org>",
        **changes,
    }


def provider(server: SmtpCatcher, **changes: object) -> AbstractAsyncContextManager[EmailSmtp]:
    return opened(EmailSmtp, section(server, **changes))


def message(number: int = 1, **changes: Any) -> Message:
    content = EmailContent(**{"subject": "سلام", "text": "متن", **changes.pop("content", {})})
    fields: dict[str, Any] = {
        "key": f"dlv_{number}",
        "address": f"person{number}@example.org",
        "content": content,
        "at": 1_795_341_600_000,
        **changes,
    }
    return Message(**fields)


class TestConformance(ProviderContract, SilenceContract):
    provider = EmailSmtp
    silent = "mute@example.org"
    secrets: ClassVar[Sequence[str]] = ("correct horse",)
    outcomes: ClassVar[Sequence[Outcome]] = (
        Outcome(GONE, PermanentFailure, address_dead=True),
        Outcome(FULL, TemporaryFailure),
        Outcome(DENIED, TemporaryFailure),
        Outcome("a@b.c>\r\nRSET", PermanentFailure, address_dead=True),
    )

    @pytest.fixture
    def settings(self, server: SmtpCatcher) -> Mapping[str, object]:
        self.server = server
        server.silent.add(self.silent)
        return section(server, password="correct horse")

    @pytest.fixture
    def unreachable(self) -> Mapping[str, object]:
        return section(SmtpCatcher(port=1))

    async def arrived(self, message: Message) -> str:
        wanted = f"<{message.key}@example.org>"
        [caught] = [one for one in self.server.caught if one.parsed["message-id"] == wanted]
        text: str = caught.parsed.get_content()
        return text.replace("\r\n", "\n")


def test_it_is_found_as_a_strangers_plugin_is() -> None:
    assert load_plugins().providers["email_smtp"] is EmailSmtp


async def test_what_is_sent_is_what_was_asked(server: SmtpCatcher) -> None:
    asked = message(
        content={"subject": "۲۰٪ تخفیف", "text": "متن", "html": "<p dir=rtl>متن</p>"},
        unsubscribe_url="https://example.org/u/t0ken",
    )
    async with provider(server, reply_to="help@example.org") as smtp:
        accepted = await smtp.send(asked)

    [caught] = server.caught
    assert accepted == Accepted(provider_id="Q000001")
    assert (caught.sender, caught.recipients) == ("shop@example.org", ["person1@example.org"])
    assert caught.parsed["subject"] == "۲۰٪ تخفیف"
    assert caught.parsed["from"] == "فروشگاه <shop@example.org>"
    assert caught.parsed["reply-to"] == "help@example.org"
    assert caught.parsed["message-id"] == "<dlv_1@example.org>"
    assert caught.parsed["date"] == "Sun, 22 Nov 2026 10:00:00 -0000"
    assert caught.parsed["list-unsubscribe"] == "<https://example.org/u/t0ken>"


async def test_a_repeated_message_has_the_same_message_id(server: SmtpCatcher) -> None:
    async with provider(server) as smtp:
        await smtp.send(message(1))
        await smtp.send(message(1))

    first, second = server.caught
    assert first.data == second.data


async def test_a_campaign_may_be_from_somebody_else(server: SmtpCatcher) -> None:
    async with provider(server) as smtp:
        await smtp.send(message(content={"sender": "Mina <mina@example.net>"}))

    [caught] = server.caught
    assert caught.sender == "mina@example.net"
    assert caught.parsed["message-id"] == "<dlv_1@example.net>"


async def test_bounces_go_to_the_return_path(server: SmtpCatcher) -> None:
    async with provider(server, return_path="bounces@example.org") as smtp:
        await smtp.send(message())

    assert server.caught[0].sender == "bounces@example.org"
    assert server.caught[0].parsed["from"] == "فروشگاه <shop@example.org>"


async def test_an_international_domain_travels_as_ascii(server: SmtpCatcher) -> None:
    async with provider(server) as smtp:
        await smtp.send(message(address="mina@bücher.example"))

    assert server.caught[0].recipients == ["mina@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"address": "a@b.co, c@d.co"}, "unable to send to this address"),
        ({"address": "a@b.c>\r\nRSET"}, "unable to send to this address"),
        ({"content": {"text": ""}}, "neither html nor text"),
        ({"content": {"sender": "nobody"}}, "from: not an email address"),
        ({"content": {"reply_to": "nobody"}}, "reply_to: not an email address"),
        ({"content": {"text": "x" * MAX_BYTES}}, "larger than"),
    ],
)
async def test_what_cannot_be_sent_is_refused_before_any_connection(
    server: SmtpCatcher, changes: Mapping[str, Any], reason: str
) -> None:
    async with provider(server) as smtp:
        with pytest.raises(PermanentFailure, match=reason):
            await smtp.send(message(**changes))

    assert server.connections == 0


UNWANTED = "550 5.7.1 not from you"


@pytest.mark.parametrize("answer", [UNWANTED, "553 5.3.0 no", "451 4.3.0 temporary lookup failure"])
async def test_who_is_refused_as_we_would_be_stops_nobody_elses_mail(
    server: SmtpCatcher, answer: str
) -> None:
    """A recipient who takes mail of a few only, a text that looks like spam: one among many."""
    server.refusals["fussy@example.org"] = answer
    async with provider(server) as smtp:
        with pytest.raises(TemporaryFailure) as first:
            await smtp.send(message(address="fussy@example.org"))
        await smtp.send(message())
        with pytest.raises(TemporaryFailure, match="this message, not others") as later:
            await smtp.send(message(address="fussy@example.org"))

    assert (first.value.pause, later.value.pause) == (True, False)


async def test_where_nothing_else_is_taken_any_more_it_is_us(server: SmtpCatcher) -> None:
    """A sender who gets blocked was welcome before."""
    server.refusals["fussy@example.org"] = UNWANTED
    async with provider(server) as smtp:
        await smtp.send(message())
        pauses: list[bool] = []
        for _ in range(MOST_REFUSALS + 1):
            with pytest.raises(TemporaryFailure) as caught:
                await smtp.send(message(address="fussy@example.org"))
            pauses.append(caught.value.pause)

    assert pauses == [False] * MOST_REFUSALS + [True]


async def test_the_final_word_of_the_server_counts(server: SmtpCatcher) -> None:
    server.final = "550 5.7.1 looks like spam"
    async with provider(server) as smtp:
        with pytest.raises(TemporaryFailure, match=r"refuses to take mail from here") as caught:
            await smtp.send(message())

    assert caught.value.pause


async def test_many_messages_share_few_connections(server: SmtpCatcher) -> None:
    async with provider(server, connections=3) as smtp:
        await asyncio.gather(*(smtp.send(message(number)) for number in range(30)))

    assert len({caught.recipients[0] for caught in server.caught}) == 30
    assert server.connections == 3
    assert "RSET" not in server.commands


async def test_one_message_opens_one_connection(server: SmtpCatcher) -> None:
    async with provider(server, connections=8) as smtp:
        for number in range(5):
            await smtp.send(message(number))

    assert server.connections == 1


async def test_a_connection_ends_after_its_share_of_messages(server: SmtpCatcher) -> None:
    async with provider(server, connections=1, messages_per_connection=2) as smtp:
        for number in range(5):
            await smtp.send(message(number))

    assert server.connections == 3


async def test_after_it_was_closed_it_takes_no_more(server: SmtpCatcher) -> None:
    async with provider(server) as smtp:
        await smtp.send(message(1))
    with pytest.raises(TemporaryFailure, match="is closed"):
        await smtp.send(message(2))

    assert len(server.caught) == 1


async def test_a_server_that_is_away_pauses_the_channel() -> None:
    async with provider(SmtpCatcher(port=1)) as smtp:
        with pytest.raises(TemporaryFailure, match=r"unable to connect to 127\.0\.0\.1") as caught:
            await smtp.send(message())

    assert caught.value.pause


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    return make_certificate(tmp_path)


Certificate = tuple[ssl.SSLContext, Path]


def listening(mode: str, context: ssl.SSLContext) -> AbstractAsyncContextManager[SmtpCatcher]:
    return smtp_catcher(tls=context) if mode == "tls" else smtp_catcher(starttls=context)


async def test_starttls_and_a_log_in(certificate: Certificate) -> None:
    context, trusted = certificate
    login = {"username": "shop", "password": "right", "tls": "starttls", "ca_file": str(trusted)}
    async with smtp_catcher(starttls=context, password="right") as server:
        async with provider(server, **login) as smtp:
            await smtp.send(message())

        assert len(server.caught) == 1


async def test_tls_from_the_first_byte(certificate: Certificate) -> None:
    context, trusted = certificate
    async with smtp_catcher(tls=context) as server:
        async with provider(server, tls="tls", ca_file=str(trusted)) as smtp:
            await smtp.send(message(content={"text": "متن بلند " * 100_000}))

        assert len(server.caught) == 1


@pytest.mark.parametrize("mode", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(
    certificate: Certificate, mode: str
) -> None:
    context, _ = certificate
    async with listening(mode, context) as server, provider(server, tls=mode) as smtp:
        with pytest.raises(TemporaryFailure, match="check tls, verify and ca_file") as caught:
            await smtp.send(message())

        assert caught.value.pause
        assert not server.caught


@pytest.mark.parametrize("mode", ["starttls", "tls"])
async def test_unless_verify_is_off(certificate: Certificate, mode: str) -> None:
    context, _ = certificate
    async with listening(mode, context) as server:
        async with provider(server, tls=mode, verify=False) as smtp:
            await smtp.send(message())

        assert len(server.caught) == 1


async def test_a_wrong_password_is_our_fault_and_stays_secret(certificate: Certificate) -> None:
    context, trusted = certificate
    login = {"username": "shop", "password": "hunter2", "tls": "starttls", "ca_file": str(trusted)}
    async with (
        smtp_catcher(starttls=context, password="right") as server,
        provider(server, **login) as smtp,
    ):
        with pytest.raises(TemporaryFailure, match="check username and password") as caught:
            await smtp.send(message())

    assert caught.value.pause
    assert "hunter2" not in repr(caught.value) + repr(caught.value.__cause__)


async def test_a_server_without_starttls_gets_no_password(server: SmtpCatcher) -> None:
    login = {"username": "shop", "password": "hunter2", "tls": "starttls"}
    async with provider(server, **login) as smtp:
        with pytest.raises(TemporaryFailure, match="lacks STARTTLS"):
            await smtp.send(message())

    assert not server.caught


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"from": "nobody"}, "channels: from: not an email address"),
        ({"from": ""}, "channels: from: not an email address"),
        ({"reply_to": "nobody"}, "channels: reply_to: not an email address"),
        ({"return_path": "Shop <a@b.co>"}, "channels: return_path: not an email address"),
        ({"return_path": "b+{id}@a.co"}, "channels: bounce_secret: is needed where return_path"),
        ({"return_path": "{id}", "bounce_secret": "x" * 16}, "return_path: not an email address"),
        ({"return_path": "{id}{id}@a.co", "bounce_secret": "x" * 16}, "return_path: must hold"),
        ({"return_path": "x" * 20 + "{id}@a.co", "bounce_secret": "x" * 16}, "has at most 64"),
        ({"bounce_secret": "short"}, "channels: bounce_secret: must have at least 16 letters"),
        ({"dkim_selector": "news"}, "channels: dkim_selector: needs dkim_key_file"),
        ({"dkim_key_file": "key.pem"}, "channels: dkim_selector: needs dkim_key_file"),
        ({"dkim_selector": "a b", "dkim_key_file": "x"}, "dkim_selector: must be a name"),
        ({"host": "mail", "username": "u"}, "a password is not sent in clear"),
        ({"tls": "ssl"}, "channels.tls: must be one of none, starttls, tls"),
        ({"connections": 0}, "channels.connections: Expected int >= 1"),
        ({"final_seconds": 0}, "channels.final_seconds: Expected float > 0"),
        ({"local_hostname": "a b"}, "channels.local_hostname: must be a host"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, object], error: str) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        decode_settings(EmailSmtpSettings, section(SmtpCatcher(port=25), **changes), "channels")

    assert error in str(invalid.value)


async def test_a_file_of_certificates_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(ValueError, match=r"email_smtp\.ca_file: cannot be read"):
        async with provider(SmtpCatcher(port=25), tls="tls", ca_file="/nowhere.pem"):
            pass
