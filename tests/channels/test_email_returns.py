"""Signed mail with a return path of its own, the parts that HTML asks for, and what comes back."""

from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import dkim
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from angarium.channels._email_settings import EmailSmtpSettings
from angarium.channels.email_smtp import EmailSmtp
from angarium.plugins import CallbackRequest, EmailContent, Message, PermanentFailure
from angarium.plugins.settings import decode_settings
from angarium.plugins.testing import Outcome, ProviderContract
from tests.channels.bounces.cases import CASES
from tests.channels.bounces.servers import postfix
from tests.counterparts.smtp_catcher import SmtpCatcher, smtp_catcher

SECRET = "a secret of sixteen letters"
KEY = Ed25519PrivateKey.generate()
GONE = "gone@example.org"


@pytest.fixture
async def server() -> AsyncGenerator[SmtpCatcher, None]:
    async with smtp_catcher() as catcher:
        catcher.refusals = {GONE: f"550 5.1.1 <{GONE}>: no such user"}
        yield catcher


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "dkim.pem"
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def section(server: SmtpCatcher, **changes: object) -> dict[str, object]:
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "from": "فروشگاه <shop@example.org>",
        "return_path": "bounce+{id}@returns.example.org",
        "bounce_secret": SECRET,
        **changes,
    }


@asynccontextmanager
async def provider(server: SmtpCatcher, **changes: object) -> AsyncGenerator[EmailSmtp, None]:
    smtp = EmailSmtp(decode_settings(EmailSmtpSettings, section(server, **changes), "channels"))
    await smtp.open()
    try:
        yield smtp
    finally:
        await smtp.close()


def message(key: str = "dlv_1", **content: Any) -> Message:
    texts = content or {"text": "متن"}
    return Message(
        key=key,
        address="mina@example.net",
        content=EmailContent(subject="سلام", **texts),
        at=1_795_341_600_000,
        unsubscribe_url="https://example.org/u/t0ken",
    )


def posted(raw: bytes) -> CallbackRequest:
    url = "https://example.org/callbacks/email_smtp"
    headers = {"authorization": f"Bearer {SECRET}"}
    return CallbackRequest(method="POST", url=url, headers=headers, body=raw)


class TestConformance(ProviderContract):
    provider = EmailSmtp
    secrets: ClassVar[Sequence[str]] = (SECRET, "PRIVATE KEY")
    outcomes: ClassVar[Sequence[Outcome]] = (Outcome(GONE, PermanentFailure, address_dead=True),)

    @pytest.fixture
    def settings(self, server: SmtpCatcher, key_file: Path) -> Mapping[str, object]:
        self.server = server
        return section(server, dkim_selector="news", dkim_key_file=str(key_file))

    async def arrived(self, message: Message) -> str:
        wanted = f"<{message.key}@example.org>"
        [caught] = [one for one in self.server.caught if one.parsed["message-id"] == wanted]
        text: str = caught.parsed.get_content()
        return text.replace("\r\n", "\n")


async def test_what_leaves_is_signed_for_the_domain(server: SmtpCatcher, key_file: Path) -> None:
    asked = {"dkim_selector": "news", "dkim_key_file": str(key_file)}
    async with provider(server, **asked) as smtp:
        await smtp.send(message(html="<p>سلام</p>"))

    def look_up(name: bytes, timeout: float = 5) -> bytes:
        assert name == b"news._domainkey.example.org."
        raw = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return b"v=DKIM1; k=ed25519; p=" + b64encode(raw)

    [caught] = server.caught
    assert dkim.verify(caught.data, dnsfunc=look_up)
    assert ":list-unsubscribe:list-unsubscribe-post:" in "".join(
        caught.parsed["dkim-signature"].split()
    )


@pytest.mark.parametrize("content", [None, b"no key"])
async def test_a_key_that_cannot_be_used_stops_the_start(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
    asked = {"dkim_selector": "news", "dkim_key_file": str(path)}
    with pytest.raises(ValueError, match=r"^channels\.email_smtp\.dkim_key_file: "):
        async with provider(SmtpCatcher(port=25), **asked):
            pass


async def test_mail_that_comes_back_tells_which_it_was(server: SmtpCatcher) -> None:
    async with provider(server) as smtp:
        await smtp.send(message("dlv_1"))
        await smtp.send(message("dlv_2"))
        first, second = server.caught
        [update] = smtp.parse_callback(posted(postfix(CASES[0], second.sender)))

    assert first.sender != second.sender
    assert second.sender.startswith("bounce+dlv_2.")
    assert (update.key, update.status, update.address_dead) == ("dlv_2", "bounced", True)
    assert update.reason == "email_smtp: the mail came back (5.1.1)"
    assert second.parsed["cfbl-address"] == f"{second.sender}; report=arf"


async def test_a_key_that_does_not_fit_an_address_is_left_out(server: SmtpCatcher) -> None:
    async with provider(server) as smtp:
        await smtp.send(message("Key Of/Another+Kind"))

    assert server.caught[0].sender == "bounce+none@returns.example.org"


async def test_one_return_path_for_all_names_nobody(server: SmtpCatcher) -> None:
    async with provider(server, return_path="bounces@example.org") as smtp:
        await smtp.send(message())
        assert smtp.parse_callback(posted(postfix(CASES[0], "bounces@example.org"))) == ()

    assert "cfbl-address" not in server.caught[0].parsed


async def test_html_alone_gets_a_text_part_and_its_direction(server: SmtpCatcher) -> None:
    html = '<p>سلام <b>مینا</b>، <a href="https://example.org/c/t">سفارش شما</a> رسید</p>'
    async with provider(server) as smtp:
        await smtp.send(message(html=html))

    parsed = server.caught[0].parsed
    text, page = (parsed.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert text.get_content().strip() == "سلام مینا، سفارش شما (https://example.org/c/t) رسید"
    assert page.get_content().strip() == f'<div dir="rtl" lang="fa">{html}</div>'


async def test_a_text_that_was_written_is_sent_as_it_is(server: SmtpCatcher) -> None:
    async with provider(server) as smtp:
        await smtp.send(message(html="<p dir=rtl>سلام</p>", text="درود"))

    text = server.caught[0].parsed.get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == "درود"


async def test_html_that_says_nothing_gets_no_text_part(server: SmtpCatcher) -> None:
    async with provider(server) as smtp:
        await smtp.send(message(html='<img src="https://example.org/p.png">'))

    assert server.caught[0].parsed.get_content_type() == "text/html"


def test_attachments_are_no_part_of_a_content() -> None:
    given = {"subject": "s", "text": "t", "attachments": ["https://example.org/a.pdf"]}
    with pytest.raises(ValueError, match="unknown field `attachments`"):
        msgspec.convert(given, EmailContent)
